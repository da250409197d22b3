"""The baseline has the costs that DOMAIN.md 7.1 counts, and writes the same rows as the batch writer."""

from pathlib import Path

import pytest

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.plan.file_plan import plan_file
from wkmp_assets.db.read.file_state import LibraryState
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets_tests.support.builders import column, entry, in_a_row, problems, rows, song, write_lock_held
from wkmp_assets_tests.support.sql_trace import traced
from wkmp_assets_tests.tool_tests.benchmarks.both_writers import contents, write_batched, write_unbatched
from wkmp_assets_tests.tools.benchmarks.unbatched_statements import never_written
from wkmp_assets_tests.tools.benchmarks.unbatched_writer import UnbatchedWriter, create_library
from wkmp_assets_tests.tools.benchmarks.writer_files import files_of
from wkmp_assets_tests.tools.benchmarks.writer_processes import STAMP, unbatched_writer
from wkmp_assets_tests.tools.plan import plan_test

pytestmark = pytest.mark.slow


def file_with(passages: int) -> FileEntry:
    (one,) = files_of(0, 1, passages)
    return one


@plan_test("TC-U-BW-010-01")
@pytest.mark.parametrize(("passages", "locks", "writes"), [(1, 8, 9), (24, 77, 101)])
def test_the_baseline_takes_as_many_locks_as_the_replaced_system(
    database: Path, passages: int, locks: int, writes: int
) -> None:
    """New songs, cold cache, nobody else writing. Rows the replaced system never wrote are left out of the count."""
    one = file_with(passages)
    (figures,) = write_unbatched(database, [one])
    extra = len(never_written(plan_file(one, LibraryState(), STAMP)))
    assert (figures.locks, figures.writes - extra) == (locks, writes)
    assert figures.reads_in_transaction == 0, "the replaced system read titles after its COMMIT"
    assert len(figures.waits_ms) == len(figures.holds_ms) == locks


@plan_test("TC-I-BW-010-02")
@pytest.mark.parametrize(("passages", "ratio"), [(1, 8), (24, 77)])
def test_the_batch_writer_takes_one_lock_for_the_same_file(database: Path, passages: int, ratio: int) -> None:
    """The plan wants 10 times fewer. From 8 locks that is impossible, as no file can be written with less than one."""
    one = file_with(passages)
    (unbatched,) = write_unbatched(database.with_name("unbatched.db"), [one])
    (batched,) = write_batched(database, [one])
    assert batched.locks == 1
    assert unbatched.locks / batched.locks == ratio
    assert batched.reads_in_transaction == 0


def test_the_baseline_reads_each_title_between_two_transactions(database: Path) -> None:
    """One with the rows of the file, the other with the first lead points."""
    one = file_with(3)
    create_library(database)
    with traced(database) as statements, UnbatchedWriter(database, STAMP, 1) as writer, open_reader(database) as reader:
        assert reader is not None
        writer.scan([one])
        del statements[:]
        writer.write(one, reader)
    titles = [number for number, statement in enumerate(statements) if statement.sql.startswith("SELECT title FROM")]
    assert len(titles) == 3
    assert not any(statements[number].is_in_transaction for number in titles)
    assert statements[titles[0] - 1].word == "COMMIT"
    assert "lead_in_start_ticks = " in statements[titles[-1] + 1].sql


def test_both_writers_leave_the_same_rows(database: Path, tmp_path: Path) -> None:
    """Songs, artists and works that two files share, an unidentified passage, and files of every size."""
    shared = entry("shared.flac", "s", in_a_row(2), songs=[song("Song 0 0 0", ["Artist 0"], ["Song 0 0 0"]), None])
    entries = [*files_of(0, 3, 1), *files_of(1, 2, 5), shared, entry("unknown.flac", "u", songs=[None])]
    assert all(figures.is_complete for figures in write_unbatched(tmp_path / "unbatched.db", entries))
    assert all(figures.is_complete for figures in write_batched(database, entries))
    written = contents(database)
    assert contents(tmp_path / "unbatched.db") == written
    assert len(written["passages"]) == 16
    assert problems(tmp_path / "unbatched.db") == []


def test_the_scan_takes_one_lock_for_the_whole_run(database: Path) -> None:
    create_library(database)
    with UnbatchedWriter(database, STAMP, 5) as writer:
        figures = writer.scan(files_of(0, 5, 1))
    assert (figures.locks, figures.writes) == (1, 5)
    assert column(database, "SELECT DISTINCT hash || status FROM files") == ["PENDING"]


def test_it_writes_an_answer_for_each_passage_and_its_progress(database: Path) -> None:
    write_unbatched(database, files_of(0, 2, 3))
    assert column(database, "SELECT count(*) FROM acoustid_cache") == [6]
    (session,) = rows(database, "SELECT * FROM import_sessions")
    assert (session["progress_current"], session["progress_total"], session["progress_percentage"]) == (2, 2, 100)


def test_a_lock_at_a_statement_that_is_not_tried_again_leaves_the_file_incomplete(database: Path) -> None:
    """The first is the hash."""
    (one,) = files_of(0, 1, 1)
    create_library(database)
    with unbatched_writer(database, 1) as write, write_lock_held(database):
        figures = write(one)
    assert not figures.is_complete
    assert (figures.locks, figures.refused, figures.retries, figures.failed_operations) == (0, 1, 0, 1)
    assert figures.waits_ms[0] >= 200


def test_a_lock_at_a_statement_that_is_tried_again_is_waited_out(database: Path) -> None:
    create_library(database)
    with UnbatchedWriter(database, STAMP, 1) as writer, write_lock_held(database, for_s=0.6):
        figures = writer.scan(files_of(0, 1, 1))
    assert figures.is_complete
    assert (figures.locks, figures.failed_operations) == (1, 0)
    assert figures.retries == figures.refused > 0
    assert figures.waits_ms[0] > 400


def test_a_file_that_was_never_scanned_is_a_mistake(database: Path) -> None:
    """Its UPDATEs would change nothing and so take no lock: the figures would be too good."""
    create_library(database)
    with unbatched_writer(database, 1) as write, pytest.raises(AssertionError, match="took no lock"):
        write(file_with(1))
