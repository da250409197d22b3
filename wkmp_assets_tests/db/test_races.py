"""Other programs write between reading and writing: the commit notices, reads again, and loses nothing."""
# ruff: noqa: S608 - identifiers and guids of this module

from dataclasses import replace
from pathlib import Path

import pytest

from wkmp_assets.errors import FileChangedError
from wkmp_assets.model.batch import Receipt
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.values import FileState, FileTags
from wkmp_assets_tests.support.builders import (
    LATER,
    NOW,
    column,
    commit,
    entry,
    file_row,
    meanwhile,
    prepared,
    problems,
    run_sql,
    seconds,
)

PLAYER_TABLES = (
    "CREATE TABLE play_history (id INTEGER PRIMARY KEY, passage_id TEXT REFERENCES passages(guid) ON DELETE CASCADE)",
    "CREATE TABLE queue (id INTEGER PRIMARY KEY, passage_guid TEXT)",
)
CHANGED = entry(content="new", bounds=seconds((0, 20), (100, 120)), state=FileState.CHANGED)


def commit_while(database: Path, one: FileEntry, *statements: str) -> Receipt:
    """Commit a file; statements of another program run once, between reading and writing."""
    waiting = list(statements)

    def execute_all() -> None:
        run_sql(database, *waiting)
        waiting.clear()

    with meanwhile(execute_all):
        receipt = commit(database, one, now=LATER)[one.path].receipt
    assert problems(database) == []
    assert receipt is not None
    return receipt


@pytest.fixture
def passages(database: Path) -> list[str]:
    """Guids of the two passages of a file. An import of `CHANGED` keeps the first and deletes the second."""
    commit(database, entry(bounds=seconds((0, 20), (30, 50))))
    run_sql(database, *PLAYER_TABLES)
    return column(database, "SELECT guid FROM passages ORDER BY start_time_ticks")


def test_without_anybody_else_the_second_passage_goes(database: Path, passages: list[str]) -> None:
    assert commit_while(database, CHANGED).conflicts == 0
    assert passages[1] not in column(database, "SELECT guid FROM passages")


@pytest.mark.parametrize("table", ["play_history (passage_id)", "queue (passage_guid)"])
def test_a_passage_that_is_played_in_the_meantime_is_not_deleted(
    database: Path, passages: list[str], table: str
) -> None:
    receipt = commit_while(database, CHANGED, f"INSERT INTO {table} VALUES ('{passages[1]}')")
    assert receipt.conflicts == 1
    assert passages[1] in column(database, "SELECT guid FROM passages")
    name = table.split()[0]
    assert column(database, f"SELECT count(*) FROM {name}") == [1]


EDITS = {
    "user title": ("user_title = 'mine'", "user_title", "mine"),
    "fade in": ("fade_in_start_ticks = start_time_ticks", "fade_in_start_ticks IS start_time_ticks", 1),
    "fade out beyond the new end": (
        "end_time_ticks = end_time_ticks + 1000, fade_out_start_ticks = end_time_ticks + 1000",
        "fade_out_start_ticks IS end_time_ticks",
        1,
    ),
}


@pytest.mark.parametrize(("edit", "held", "value"), EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("which", [0, 1])
def test_an_edit_in_the_meantime_is_kept(
    database: Path, passages: list[str], which: int, edit: str, held: str, value: object
) -> None:
    receipt = commit_while(database, CHANGED, f"UPDATE passages SET {edit} WHERE guid = '{passages[which]}'")
    assert receipt.conflicts == 1
    assert column(database, f"SELECT {held} FROM passages WHERE guid = ?", passages[which]) == [value]


@pytest.mark.usefixtures("passages")
def test_a_passage_a_person_adds_in_the_meantime_is_kept(database: Path) -> None:
    added = (
        "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, user_title) "
        "SELECT 'theirs', guid, 0, 1000, 'mine' FROM files"
    )
    assert commit_while(database, CHANGED, added).conflicts == 1
    assert "theirs" in column(database, "SELECT guid FROM passages")


def test_a_passage_somebody_deletes_in_the_meantime_is_made_anew(database: Path, passages: list[str]) -> None:
    receipt = commit_while(database, CHANGED, f"DELETE FROM passages WHERE guid = '{passages[0]}'")
    assert receipt.conflicts == 1
    assert receipt.rows["passages"] == 3
    assert len(column(database, "SELECT guid FROM passages")) == 2


@pytest.mark.usefixtures("passages")
def test_a_tag_somebody_mends_within_the_same_second_is_not_overwritten_unseen(database: Path) -> None:
    """`updated_at` alone would not tell."""
    untagged = replace(CHANGED, tags=FileTags(artist="Ann"))
    receipt = commit_while(database, untagged, "UPDATE files SET title = 'Mended'")
    assert receipt.conflicts == 1
    assert file_row(database, CHANGED.path)["title"] == "Mended"


def test_a_copy_that_gets_another_copy_in_the_meantime_lists_both(database: Path) -> None:
    commit(database, entry("a.flac"))
    given = (
        "INSERT INTO files (guid, path, hash, modification_time, status) "
        "SELECT 'c', 'c.flac', hash, modification_time, 'DUPLICATE HASH' FROM files"
    )
    listed = "UPDATE files SET matching_hashes = '[\"c\"]' WHERE path = 'a.flac'"
    receipt = commit_while(database, entry("b.flac", state=FileState.DUPLICATE), given, listed)
    assert receipt.conflicts == 1
    guid_b = file_row(database, "b.flac")["guid"]
    assert column(database, "SELECT matching_hashes FROM files WHERE path = 'a.flac'") == [f'["c", "{guid_b}"]']


def test_a_file_that_moved_leaves_the_row_of_its_old_path_alone_when_that_has_new_content(database: Path) -> None:
    commit(database, entry("old.flac"))
    moved = entry("new.flac", state=FileState.MOVED, moved_from="old.flac")
    commit(database, entry("old.flac", content="other", state=FileState.CHANGED), now=LATER)
    commit(database, moved, now=LATER)
    assert file_row(database, "old.flac")["hash"] != file_row(database, "new.flac")["hash"]
    assert column(database, "SELECT count(*) FROM passages GROUP BY file_id") == [1, 1]
    assert problems(database) == []


def test_a_file_that_moved_without_its_content_being_read_is_a_failure_then(database: Path) -> None:
    commit(database, entry("old.flac"))
    commit(database, entry("old.flac", content="other", state=FileState.CHANGED), now=NOW)
    bare = replace(entry("new.flac", state=FileState.MOVED, moved_from="old.flac"), audio=None, tags=None, passages=())
    with pytest.raises(FileChangedError, match=r"new\.flac"):
        prepared(database, bare)
