"""A scan marks and unmarks missing files and deletes failures, in one transaction."""

from pathlib import Path

import pytest

from wkmp_assets.db.missing_files import MarkCommit, mark_missing
from wkmp_assets.db.read.counts import read_counts, read_failures
from wkmp_assets.db.read.missing import MissingFile, read_missing
from wkmp_assets.errors import LibraryLockedError
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Failed
from wkmp_assets_tests.support.builders import LATER, NOW, column, commit, entry, run_sql, write_lock_held


def scan(*missing: str, there: tuple[str, ...] = (), folder: str = "") -> LibraryChanges:
    return LibraryChanges((), (), there, missing, folder=folder)


@pytest.fixture
def library(database: Path) -> Path:
    commit(database, *(entry(f"{name}.flac", name) for name in "abc"), ("bad.flac", Failed("file_tags", "C", "m")))
    return database


def test_missing_files_are_marked_since_when_they_were_first_missed(library: Path) -> None:
    marks = mark_missing(library, scan("a.flac"), NOW)
    assert marks.receipt is not None
    assert (marks.receipt.write_locks, marks.receipt.selects_in_transaction) == (1, 0)
    mark_missing(library, scan("a.flac", "b.flac"), LATER)
    first, second = (f"2026-03-0{day} 12:00:00" for day in (1, 2))
    assert read_missing(library) == [MissingFile("a.flac", first), MissingFile("b.flac", second)]
    report = read_counts(library)
    assert report is not None
    assert report.missing == 2


def test_a_scan_without_news_writes_nothing_and_opens_no_writer(library: Path) -> None:
    mark_missing(library, scan("a.flac", there=("bad.flac",)), NOW)
    before = library.read_bytes(), [path.name for path in sorted(library.parent.iterdir())]
    with write_lock_held(library):
        assert mark_missing(library, scan("a.flac", there=("bad.flac",)), LATER).receipt is None
    assert (library.read_bytes(), [path.name for path in sorted(library.parent.iterdir())]) == before


def test_a_file_that_is_there_again_is_unmarked_and_a_failure_without_file_forgotten(library: Path) -> None:
    mark_missing(library, scan("a.flac", "b.flac", there=("bad.flac",)), NOW)
    assert [one.path for one in read_failures(library)] == ["bad.flac"]
    marks = mark_missing(library, scan("b.flac", there=("a.flac",)), LATER)
    assert (marks.changes.found, marks.changes.forgotten) == (("a.flac",), ("bad.flac",))
    assert [one.path for one in read_missing(library)] == ["b.flac"]
    assert read_failures(library) == []


def test_a_mark_of_a_file_that_another_program_removed_is_not_shown(library: Path) -> None:
    mark_missing(library, scan("a.flac"), NOW)
    run_sql(library, "DELETE FROM files WHERE path = 'a.flac'")
    assert read_missing(library) == []
    assert mark_missing(library, scan(), LATER).changes.found == ("a.flac",)


def test_a_file_that_another_import_has_moved_meanwhile_is_not_marked(library: Path) -> None:
    run_sql(library, "UPDATE files SET path = 'new.flac' WHERE path = 'a.flac'")
    mark_missing(library, scan("a.flac", "b.flac"), NOW)
    assert column(library, "SELECT path FROM missing_files") == ["b.flac"]


@pytest.mark.slow
def test_a_locked_library_is_an_error_and_stays_as_it_is(library: Path) -> None:
    run_sql(library, "INSERT INTO settings (key, value) VALUES ('ai_database_max_lock_wait_ms', '500')")
    with write_lock_held(library), pytest.raises(LibraryLockedError):
        mark_missing(library, scan("a.flac"), NOW)
    assert read_missing(library) == []


def test_where_there_is_no_library_nothing_is_made(database: Path) -> None:
    assert mark_missing(database, scan(), NOW) == MarkCommit(mark_missing(database, scan(), NOW).changes, None)
    assert read_missing(database) == []
    assert not database.exists()


def test_a_library_from_before_the_marks_gets_their_table_when_there_is_one(library: Path) -> None:
    run_sql(library, "DROP TABLE missing_files", "DELETE FROM _sqlite_migrations WHERE name LIKE 'm002%'")
    assert read_missing(library) == []
    mark_missing(library, scan("a.flac"), NOW)
    assert [one.path for one in read_missing(library)] == ["a.flac"]
