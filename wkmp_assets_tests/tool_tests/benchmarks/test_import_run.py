"""The benchmark of an import does what `wkmp import` does, so its second import has nothing left to write."""

import wave
from pathlib import Path

import pytest

from wkmp_assets_tests.support.tones import RATE_HZ, tone
from wkmp_assets_tests.tools.benchmarks.import_run import Task, run_import

pytestmark = [pytest.mark.slow, pytest.mark.long]

COPY, BETTER = "Downloads/1.wav", "Zed/Album/1.wav"


def make_silence(path: Path, megabytes: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(bytes(megabytes * 1_000_000))


def test_a_copy_that_waits_for_a_later_run_is_imported_by_the_first_import(tmp_path: Path) -> None:
    for path in (COPY, BETTER):
        (tmp_path / "music" / path).parent.mkdir(parents=True)
        tone(tmp_path / "music" / path, 440.0)
    make_silence(tmp_path / "music" / "Downloads" / "2.wav", megabytes=25)  # as much work as a first run carries
    measured = run_import(Task(tmp_path / "music", tmp_path / "library", workers=1))
    assert measured.first.files == 3
    assert measured.first.ranges == 3, "two runs, and one for the copy that waited"
    assert len(measured.first.receipts) == 3
    assert measured.again.files == 0
    assert measured.again.receipts == []
    assert measured.again.database_unchanged
