"""What is doubtful about a file is in the library as long as it is true of the file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.db.commit import remove_file
from wkmp_assets.db.read.counts import read_counts
from wkmp_assets.db.read.file_warnings import ListedWarning, WarningCounts, read_warnings
from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.read.removal import read_removable
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.model.batch import FileCommit
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.model.values import FileState
from wkmp_assets_tests.support.builders import LATER, bare, column, commit, entry, file_row, in_a_row, problems, run_sql

CUT = FileWarning(WarningKind.CUT_SHORT, "The file is cut short: 3.0 s of the 9.0 s it announces.")
CLIPPED = FileWarning(WarningKind.CLIPPED, "The largest sample is 1.000 of full scale.")


def doubtful(path: str = "a.mp3", content: str = "a", *warnings: FileWarning, **known: Any) -> FileEntry:
    return replace(entry(path, content, **known), warnings=warnings)


def stored(database: Path) -> list[tuple[str, str]]:
    return [(one.path, one.kind) for one in read_warnings(database)]


def statements(made: dict[str, FileCommit], path: str = "a.mp3") -> int:
    receipt = made[path].receipt
    assert receipt is not None
    assert receipt.write_locks == 1
    return receipt.statements


def test_warnings_are_stored_with_their_file_in_its_transaction(database: Path) -> None:
    made = commit(database, doubtful("a.mp3", "a", CUT, CLIPPED), doubtful("b.mp3", "b"))
    assert read_warnings(database) == [
        ListedWarning("a.mp3", "cut short", CUT.text),
        ListedWarning("a.mp3", "clipped", CLIPPED.text),
    ]
    assert statements(made) == statements(made, "b.mp3") + 1, "all warnings of a new file are one statement"
    receipt = made["a.mp3"].receipt
    assert receipt
    assert receipt.rows["import_warnings"] == 2
    assert problems(database) == []


def test_a_warning_goes_when_the_file_is_imported_without_it(database: Path) -> None:
    commit(database, doubtful("a.mp3", "a", CUT, CLIPPED), doubtful("b.mp3", "b", CUT))
    commit(database, doubtful("a.mp3", "mended", CLIPPED, state=FileState.CHANGED), now=LATER)
    assert stored(database) == [("a.mp3", "clipped"), ("b.mp3", "cut short")]
    commit(database, doubtful("a.mp3", "again", state=FileState.CHANGED), now=LATER)
    assert stored(database) == [("b.mp3", "cut short")]


def test_the_same_warnings_again_write_nothing(database: Path) -> None:
    commit(database, doubtful("a.mp3", "a", CUT), doubtful("b.mp3", "b"))
    made = commit(
        database,
        doubtful("a.mp3", "a", CUT, state=FileState.CHANGED),
        doubtful("b.mp3", "b", state=FileState.CHANGED),
        now=LATER,
    )
    assert statements(made) == statements(made, "b.mp3")
    assert stored(database) == [("a.mp3", "cut short")]


def test_the_warnings_follow_a_file_that_moves_and_stay_when_an_import_of_it_fails(database: Path) -> None:
    commit(database, doubtful("a.mp3", "a", CUT))
    was = file_row(database, "a.mp3")
    moved = bare("b.mp3", "a", FileState.MOVED, moved_from="a.mp3", moved_guid=was["guid"])
    (made,) = commit(database, moved, now=LATER).values()
    assert stored(database) == [("b.mp3", "cut short")]
    assert made.batch
    assert made.batch.warnings == (CUT,), "the page of the moved file says so as well"
    commit(database, ("b.mp3", Failed("passage_segments", "DECODE_ERROR", "b.mp3: broken")), now=LATER)
    assert stored(database) == [("b.mp3", "cut short")]


def test_a_copy_has_the_warnings_of_its_original_only_there(database: Path) -> None:
    commit(database, doubtful("a.mp3", "a", CUT), bare("b.mp3", "a", duplicate_of="a.mp3"))
    assert stored(database) == [("a.mp3", "cut short")]


def test_a_file_without_audio_is_doubtful_and_its_copy_too(database: Path) -> None:
    commit(database, entry("a.mp3", "a", in_a_row(0)))
    commit(database, bare("b.mp3", "a", duplicate_of="a.mp3"), now=LATER)
    assert stored(database) == [("a.mp3", "no audio"), ("b.mp3", "no audio")]


def test_the_warnings_go_with_their_file(database: Path) -> None:
    commit(database, doubtful("a.mp3", "a", CUT), doubtful("b.mp3", "b", CUT))
    (removable,) = read_removable(database, ["a.mp3"])
    assert removable.references == {}, "the import's own table keeps no file in the library"
    with LibraryWriter(database, LockSettings()) as writer:
        remove_file(writer, "a.mp3", "2026-03-01 12:00:00", with_references=False)
    assert column(database, "SELECT count(*) FROM import_warnings") == [1]
    run_sql(database, "PRAGMA foreign_keys = ON", "DELETE FROM files")
    assert column(database, "SELECT count(*) FROM import_warnings") == [0], "as when another program deletes it"


def test_files_are_counted_by_kind_and_once_in_all(database: Path) -> None:
    twice = FileWarning(WarningKind.CLIPPED, "again")
    commit(database, doubtful("a.mp3", "a", CLIPPED, CUT, twice), doubtful("b.mp3", "b", CLIPPED))
    counts = read_counts(database)
    assert counts
    assert counts.warnings == WarningCounts(2, {"cut short": 1, "clipped": 2})
    assert list(counts.warnings.by_kind) == ["cut short", "clipped"], "the most serious first"


@pytest.mark.parametrize("write_again", [False, True])
def test_a_library_from_before_the_table_has_no_warnings_until_it_is_written(database: Path, write_again: bool) -> None:
    commit(database, doubtful("a.mp3", "a"))
    run_sql(database, "DROP TABLE import_warnings", "DELETE FROM _sqlite_migrations WHERE name LIKE 'm003%'")
    assert read_warnings(database) == []
    counts = read_counts(database)
    assert counts
    assert counts.warnings == WarningCounts()
    if write_again:
        commit(database, doubtful("a.mp3", "new", CUT, state=FileState.CHANGED), now=LATER)
        assert stored(database) == [("a.mp3", "cut short")]


def test_without_a_library_there_are_no_warnings(database: Path) -> None:
    assert read_warnings(database) == []


def test_a_kind_of_a_newer_version_is_listed_last_and_replaced(database: Path) -> None:
    commit(database, doubtful("a.mp3", "a", CUT))
    run_sql(database, "INSERT INTO import_warnings SELECT guid, 'haunted', 'boo' FROM files")
    assert stored(database) == [("a.mp3", "cut short"), ("a.mp3", "haunted")]
    commit(database, doubtful("a.mp3", "b", CUT, state=FileState.CHANGED), now=LATER)
    assert stored(database) == [("a.mp3", "cut short")]
