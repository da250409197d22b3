"""The benchmark of versions: limits are shares, and a missed one is told."""

from pathlib import Path

import pytest

from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.tools.benchmarks.budgets import MISSED
from wkmp_assets_tests.tools.benchmarks.scale_benchmark import make_tiny_files
from wkmp_assets_tests.tools.benchmarks.versions_benchmark import (
    LIMITS,
    Costs,
    NoEarlierCodeError,
    measure,
    table_of,
    unpack,
)


def test_a_limit_is_a_share_of_what_the_earlier_code_takes_here() -> None:
    earlier = Costs(music_s=36.6, file_ms=110, history_kb=122)
    kept = Costs(music_s=25.9, file_ms=23.9, history_kb=29.9)
    assert "Limits missed: none" in table_of({"earlier": [earlier], "now": [kept]}).reading
    table = table_of({"earlier": [earlier] * 3, "now": [kept, Costs(26.1, 30, 1), Costs(26.1, 1, 1)]})
    assert [row[0] for row in table.rows if row[-1] == MISSED] == [LIMITS["music_s"].name]


def test_a_commit_that_is_not_here_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoEarlierCodeError, match="run it in a clone with its whole history"):
        unpack("no-such-commit", tmp_path / "code")


@pytest.mark.slow
@pytest.mark.long
def test_what_one_file_more_takes_is_measured(tmp_path: Path) -> None:
    for name, files in {"music": 1, "fewer": 2, "more": 4}.items():
        make_tiny_files(tmp_path / name, files)
    costs = measure(ROOT, tmp_path / "music", (tmp_path / "fewer", tmp_path / "more"), tmp_path / "library")
    assert costs.music_s > 0
    assert costs.history_kb > 1
