"""The segmentation report: its cases are the same every time, and it counts what it says."""

from pathlib import Path

import numpy as np
import pytest

from wkmp_assets_tests.audio.sounds import melody, write_sound
from wkmp_assets_tests.tools.benchmarks import segmentation_report
from wkmp_assets_tests.tools.benchmarks.intervals import wilson_interval
from wkmp_assets_tests.tools.benchmarks.segmentation_cases import TRACKS_PER_MIX, Case, plan_cases
from wkmp_assets_tests.tools.benchmarks.segmentation_files import make_file


def test_the_plan_is_the_same_for_the_same_tracks() -> None:
    tracks = [Path(f"{number}.ogg") for number in range(30)]
    planned = list(plan_cases(tracks, [Path("prompt.wav")]))
    assert planned == list(plan_cases(tracks, [Path("prompt.wav")]))
    assert sum(case.kind == "untagged single" for case in planned) == 30
    assert all(len(set(case.tracks)) == TRACKS_PER_MIX for case in planned if case.kind == "gaps in a long file")


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"), [(0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763), (33, 33, 0.896, 1)]
)
def test_intervals_are_wilsons(hits: int, tries: int, low: float, high: float) -> None:
    np.testing.assert_allclose(wilson_interval(hits, tries), (low, high), atol=0.001)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "tried"),
    [("tagged pause", 1), ("hidden track", 1), ("gaps in a long file", 1), ("CUE image", 2), ("chapters", 2)],
)
def test_a_case_is_made_and_judged(tmp_path: Path, kind: str, tried: int) -> None:
    tracks = tuple(write_sound(tmp_path / f"{seed}.flac", melody(25, 22_050, seed=seed), 22_050) for seed in (1, 2))
    outcome = segmentation_report.judge(Case(kind, tracks, 1))
    assert (outcome.tried, outcome.right, outcome.extra) == (tried, tried, 0)
    [table, cut] = segmentation_report.report_tables([outcome])
    assert table.rows[0][2:4] == (str(tried), str(tried))
    assert not cut.rows


def test_planted_gaps_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    tracks = tuple(write_sound(tmp_path / f"{seed}.flac", melody(3, 22_050, seed=seed), 22_050) for seed in (1, 2, 3))
    made = make_file(Case("gaps in a long file", tracks, 1), tmp_path)
    assert [round(made.gaps_s[0][0], 3), len(made.gaps_s)] == [3.0, 2]
    assert all(2 <= end - start <= 5 for start, end in made.gaps_s)
