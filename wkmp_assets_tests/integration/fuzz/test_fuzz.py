"""A few of the fuzzer's files, and the fuzzer itself: it finds a file that breaks a run, and repeats its damage."""

from pathlib import Path

import pytest

from wkmp_assets.orchestration.assets import lead_points
from wkmp_assets_tests.integration.fuzz.mutate import MUTATORS, damaged_file, whole_files
from wkmp_assets_tests.integration.fuzz.target import BROKE_THE_RUN, Fuzzer, fuzz_workers

FILES = 16


def test_no_damaged_file_breaks_a_run(tmp_path: Path) -> None:
    fuzzer = Fuzzer(seed=1, kept=tmp_path)
    with fuzz_workers(2) as workers:
        fuzzer.import_next(workers, 0, FILES)
    assert sum(fuzzer.counts.values()) == FILES
    assert fuzzer.broken == []
    # If all files failed, or none, only one half of the code would be tested.
    assert fuzzer.counts["INGEST COMPLETE"] > 3
    assert fuzzer.counts["DECODE_ERROR"] > 3


@pytest.mark.long
def test_a_file_that_breaks_a_run_is_kept_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzer is red for a bug of ours in the run process."""
    monkeypatch.setattr(lead_points, "spans_of", lambda *given: len(given) / 0)
    fuzzer = Fuzzer(seed=1, kept=tmp_path)
    with fuzz_workers(1) as workers:
        fuzzer.import_next(workers, 0, 1)
    suffix, data = damaged_file(1, 0)
    (kept,) = fuzzer.broken
    assert kept.name == f"seed 1, {BROKE_THE_RUN}, 00000000.{suffix}"
    assert kept.read_bytes() == data
    assert "ZeroDivisionError" in kept.with_name(f"{kept.name}.txt").read_text(encoding="utf-8")


def test_the_same_number_is_the_same_file() -> None:
    assert damaged_file(1, 5) == damaged_file(1, 5)
    assert len({damaged_file(1, number) for number in range(50)}) == 50


def test_every_format_is_there_to_be_damaged() -> None:
    assert {suffix for suffix, _ in whole_files()} >= {"flac", "mp3", "ogg", "opus", "m4a", "wav", "wma", "mka", "wv"}
    assert len(MUTATORS) > 8
