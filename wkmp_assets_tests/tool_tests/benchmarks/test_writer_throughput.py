"""How fast both writers write the 100-file library, and how long the batch writer holds the lock."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.report.text import percentile
from wkmp_assets_tests.support.builders import column
from wkmp_assets_tests.tool_tests.benchmarks.both_writers import contents, write_batched, write_unbatched
from wkmp_assets_tests.tools.benchmarks.writer_figures import FileFigures
from wkmp_assets_tests.tools.benchmarks.writer_files import files_of, hundred_files
from wkmp_assets_tests.tools.plan import plan_test

Report = Callable[[str, object], None]


def files_per_second(
    writer: Callable[[Path, Sequence[FileEntry]], list[FileFigures]], database: Path, entries: Sequence[FileEntry]
) -> float:
    started = time.perf_counter()
    figures = writer(database, entries)
    elapsed_s = time.perf_counter() - started
    assert all(one.is_complete for one in figures)
    assert column(database, "SELECT DISTINCT status FROM files") == ["INGEST COMPLETE"]
    assert column(database, "SELECT count(*) FROM files") == [len(entries)]
    return len(entries) / elapsed_s


@pytest.mark.slow
@plan_test("TC-S-NF-020-01")
def test_throughput_of_the_baseline_is_reported(database: Path, record_property: Report) -> None:
    """Rows only, without audio; opening and closing the library included. The figure is no gate."""
    rate = files_per_second(write_unbatched, database, hundred_files())
    record_property("unbatched_files_per_second", round(rate, 1))
    print(f"unbatched: {rate:.1f} files/s")  # noqa: T201 - the report the plan asks for


@pytest.mark.slow
@plan_test("TC-S-NF-020-02")
def test_throughput_of_the_batch_writer_is_reported_and_it_writes_the_same(
    database: Path, record_property: Report
) -> None:
    entries = hundred_files()
    unbatched = database.with_name("unbatched.db")
    rates = [files_per_second(write_unbatched, unbatched, entries), files_per_second(write_batched, database, entries)]
    record_property("batch_files_per_second", round(rates[1], 1))
    record_property("batch_over_unbatched", round(rates[1] / rates[0], 2))
    print(f"unbatched: {rates[0]:.1f} files/s, batch: {rates[1]:.1f} files/s")  # noqa: T201 - the same
    assert contents(database) == contents(unbatched)


@pytest.mark.slow
@plan_test("TC-I-BW-020-02")
def test_the_lock_is_held_less_than_100_ms_for_24_passages(database: Path, record_property: Report) -> None:
    """50 files on disk with a write-ahead log. The bound is far above the measurement, so a busy machine passes too."""
    figures = write_batched(database, files_of(0, 50, 24))
    assert column(database, "PRAGMA journal_mode") == ["wal"]
    p95_ms = percentile([hold for file in figures for hold in file.holds_ms], 95)
    record_property("hold_p95_ms", round(p95_ms, 2))
    assert [file.locks for file in figures] == [1] * 50
    assert p95_ms < 100


@pytest.mark.parametrize("passages", [1, 24])
def test_made_up_files_are_as_large_as_promised_and_all_different(passages: int) -> None:
    entries = [*files_of(0, 3, passages), *files_of(1, 3, passages)]
    songs = [one.match.song for file in entries for one in file.passages]
    assert len({song.recording_mbid for song in songs if song}) == 6 * passages
    assert len({file.identity.content_hash for file in entries}) == 6
