"""The benchmark of shards with few files: its partitions are Dagster's, and its commits are real."""

from pathlib import Path

import pytest

from wkmp_assets_tests.tools.benchmarks.shards_benchmark import (
    library_table,
    measure_library,
    measure_partitions,
    partitions_table,
)

pytestmark = pytest.mark.slow


@pytest.mark.long
def test_what_grows_is_measured(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    grown = measure_partitions(tmp_path / "home", 200)
    assert grown.files == 200
    assert min(grown.add_s, grown.read_s, grown.disk_mb, grown.peak_mb) > 0
    assert partitions_table([grown]).rows[0][0] == "200"
    (tmp_path / "library").mkdir()
    kb_a_file, files_a_s = measure_library(tmp_path / "library", 20)
    assert 1 < kb_a_file < 100
    assert library_table(20, kb_a_file, files_a_s).rows[0][0] == "20"
