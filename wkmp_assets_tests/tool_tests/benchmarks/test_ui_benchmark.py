"""The benchmark of the web UI: the instance that it fills, and its table."""

from pathlib import Path

import dagster as dg
import pytest

from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.workplace import make_workplace
from wkmp_assets_tests.tools.benchmarks.ui_benchmark import Opening, fill, pages_table


@pytest.mark.slow
def test_half_of_the_files_have_a_receipt(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    place = make_workplace(tmp_path, tmp_path / "none")
    keys = [f"Artist/{number}.flac" for number in range(6)]
    fill(place, keys)
    settings = load_settings(library_root=place.music, state_dir=place.home / ".wkmp")
    with place.instance() as instance:
        assert instance.get_dynamic_partitions(partitions_name(settings)) == keys
        assert instance.get_materialized_partitions(dg.AssetKey("library_entry")) == set(keys[::2])
        commits = recorded_commits(instance, settings, keys)
    assert {commit.receipt.write_locks for commit in commits.values() if commit.receipt} == {1}
    assert len(commits) == 3


def test_the_table_shows_both_sizes_and_their_ratio() -> None:
    few, many = {"a page": Opening(3.0, 1.0)}, {"a page": Opening(4.0, 2.5)}
    table = pages_table(100, 10_000, few, many)
    assert table.columns == ("Page", "100, first, s", "10,000, first, s", "100, s", "10,000, s", "Ratio")
    assert table.rows == [("a page", "3.0", "4.0", "1.00", "2.50", "2.5")]
    assert "a page, 2.5 s" in table.reading
