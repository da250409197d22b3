"""The benchmark of scale: its tiny files differ, and it can say MISSED."""

import hashlib
from pathlib import Path

import pytest
import soundfile

from wkmp_assets_tests.tools.benchmarks.budgets import MISSED
from wkmp_assets_tests.tools.benchmarks.scale_benchmark import Scale, budget_table, import_table, make_tiny_files
from wkmp_assets_tests.tools.benchmarks.watched_import import Place, Watched, watch_import


def test_every_tiny_file_is_music_of_its_own(tmp_path: Path) -> None:
    make_tiny_files(tmp_path, 30)
    files = list(tmp_path.rglob("*.wav"))
    assert len({hashlib.sha256(file.read_bytes()).digest() for file in files}) == 30
    assert len({file.parent for file in files}) == 2
    assert all(2 <= soundfile.info(file).duration <= 4 for file in files)


def scale(*, gap_s: float) -> Scale:
    music = Watched(30.0, commits=[(3.0, 2), (3.0 + gap_s, 20)])
    said = "Stopped. 7 of 20 files are safely in the library"
    stopped = Watched(8.0, 1, said, 100, commits=[(3.0, 7)], stopping_s=0.8)
    tiny, again = Watched(60.0, commits=[(2.0, 10), (60.0, 1000)]), Watched(3.0)
    return Scale(music, 20, stopped, 2, stopped, tiny, 1000, 10.0, again)


def test_a_long_time_without_a_commit_is_missed() -> None:
    assert "Budgets missed: none" in budget_table(scale(gap_s=7.9)).reading
    table = budget_table(scale(gap_s=8.1))
    assert [row[0] for row in table.rows if row[-1] == MISSED] == ["longest time without a commit, s"]
    reading = import_table(scale(gap_s=1)).reading
    assert reading.startswith("The stopped import had 7 files in its library, and it said so of 7. 2 more were decoded")


@pytest.mark.slow
def test_an_import_that_fails_at_once_is_seen_as_it_is(tmp_path: Path) -> None:
    place = Place(tmp_path / "nothing", tmp_path / "library")
    place.renew()
    seen = watch_import(place)
    assert (seen.status, seen.files, seen.longest_gap_s, seen.stopping_s) == (2, 0, 0.0, 0.0)
    assert "nothing" in seen.output
