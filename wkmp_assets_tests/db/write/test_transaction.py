"""The shape of a file's transaction, as SQLite reports it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest

from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.write.script import Step
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import CommitRefusedError
from wkmp_assets.model.values import FileState
from wkmp_assets_tests.support.builders import LATER, column, commit, entry, in_a_row, prepared, run_sql, seconds, song
from wkmp_assets_tests.support.sql_trace import Statement, traced
from wkmp_assets_tests.tools.plan import plan_test

WRITES = {"INSERT", "UPDATE", "DELETE"}


def words(statements: list[Statement]) -> list[str]:
    return [statement.word for statement in statements]


def counted(database: Path) -> dict[str, int]:
    """Rows of the tables that songs fill."""
    tables = ("songs", "artists", "works", "albums", "song_artists", "song_works")
    query = "SELECT count(*) FROM {}"
    return {table: column(database, query.format(table))[0] for table in tables}


def in_the_transaction(statements: list[Statement]) -> list[Statement]:
    """The statements between BEGIN IMMEDIATE and COMMIT, on any connection."""
    begun = list(dropwhile(lambda one: one.sql != "BEGIN IMMEDIATE", statements))[1:]
    return list(takewhile(lambda one: one.word != "COMMIT", begun))


@plan_test("TC-U-BW-020-01")
@pytest.mark.parametrize("count", [3, 24, 200])
def test_three_new_songs_and_any_number_of_passages_are_one_begin_and_one_commit(database: Path, count: int) -> None:
    commit(database, entry("first.flac", content="first"))
    new = [song(f"new {number % 3}", [f"Artist {number % 3}"], ["Work"]) for number in range(count)]
    with traced(database) as statements:
        receipt = commit(database, entry(bounds=in_a_row(count), songs=new))[entry().path].receipt
    assert column(database, "SELECT count(*) FROM songs WHERE title LIKE 'new %'") == [3]
    assert column(database, "SELECT count(*) FROM passage_songs") == [1 + count]
    assert [one.sql for one in statements].count("BEGIN IMMEDIATE") == 1
    writer = {one.connection for one in statements if one.sql == "BEGIN IMMEDIATE"}
    assert [one.word for one in statements if one.word == "COMMIT" and one.connection in writer] == ["COMMIT"]
    assert "ROLLBACK" not in words(statements)
    written = in_the_transaction(statements)
    assert set(words(written)) <= WRITES
    assert receipt is not None
    assert (receipt.transactions, receipt.statements) == (1, len(written))
    stray = [one.sql for one in statements if one.word in WRITES and one not in written]
    assert stray == [], "everything that is written is written inside"


@plan_test("TC-U-BW-020-01")
def test_the_number_of_statements_does_not_depend_on_the_number_of_passages(database: Path) -> None:
    """One statement per table, and not per row."""
    counts = []
    for number, passages in enumerate((2, 20, 200)):
        songs = [song(f"{number} {one}", [f"{number} {one}"]) for one in range(passages)]
        with traced(database) as statements:
            commit(database, entry(f"{number}.flac", content=str(number), bounds=in_a_row(passages), songs=songs))
        counts.append(len(in_the_transaction(statements)))
    assert len(set(counts)) == 1


@plan_test("TC-U-BW-030-01")
def test_every_look_up_comes_before_begin(database: Path) -> None:
    commit(database, entry(bounds=in_a_row(3)))
    changed = entry(content="new", bounds=in_a_row(24), state=FileState.CHANGED)
    with traced(database) as statements:
        commit(database, changed, now=LATER)
    (begin,) = (number for number, one in enumerate(statements) if one.sql == "BEGIN IMMEDIATE")
    reads = [number for number, one in enumerate(statements) if one.word == "SELECT"]
    looked_up = {name for name in ("files", "passages", "songs", "artists", "works", "albums")
                 for number in reads if f"FROM {name} " in " ".join(statements[number].sql.split())}  # fmt: skip
    assert looked_up == {"files", "passages", "songs", "artists", "works", "albums"}
    assert max(reads) < begin, "not one SELECT after BEGIN IMMEDIATE, on any connection"
    assert not {"SELECT", "PRAGMA", "VALUES", "WITH"} & set(words(in_the_transaction(statements)))


@plan_test("TC-U-BW-030-01")
def test_all_look_ups_of_a_file_see_one_state_of_the_library(database: Path) -> None:
    commit(database, entry())
    with traced(database) as statements:
        commit(database, entry(content="new", state=FileState.CHANGED), now=LATER)
    reads = [one for one in statements if one.word == "SELECT" and " FROM passages " in one.sql]
    assert {one.is_in_transaction for one in reads} == {True}, "in the snapshot that the reader's BEGIN opened"
    reader = [one.word for one in statements if one.connection == reads[0].connection]
    assert (reader.count("BEGIN"), reader.count("COMMIT")) == (1, 1)


@plan_test("TC-U-BW-030-01")
def test_an_edit_in_the_middle_of_reading_is_not_lost(database: Path) -> None:
    """The edit comes between two reads: of the passages to plan with, and of their text to compare. Both must agree."""
    commit(database, entry(bounds=seconds((0, 20), (30, 50))))
    edit = iter(["UPDATE passages SET user_title = 'mine' WHERE start_time_ticks > 0"])

    def edit_then(sql: str) -> None:
        if sql.startswith("SELECT") and "AS passages" in sql:
            run_sql(database, *edit)

    with traced(database, edit_then):
        changed = entry(content="new", bounds=seconds((0, 20), (100, 120)), state=FileState.CHANGED)
        receipt = commit(database, changed, now=LATER)[changed.path].receipt
    assert next(edit, None) is None, "the edit was made"
    assert receipt is not None
    assert receipt.conflicts == 1
    assert column(database, "SELECT user_title FROM passages WHERE user_title IS NOT NULL") == ["mine"]


@plan_test("TC-U-BW-030-01")
def test_a_known_mbid_is_reused_and_gets_no_second_row(database: Path) -> None:
    shared = song("shared", ["Ann"], ["Opus"])
    commit(database, entry("a.flac", content="a", songs=[shared]))
    before = counted(database)
    commit(database, entry("b.flac", content="b", bounds=in_a_row(5), songs=[shared] * 5))
    assert counted(database) == before
    assert column(database, "SELECT count(DISTINCT song_id) FROM passage_songs") == [1]
    assert column(database, "SELECT count(*) FROM passage_songs") == [6]


@plan_test("TC-U-BW-040-01")
def test_a_refused_file_leaves_nothing_behind_for_the_next_one(database: Path) -> None:
    """Otherwise the next file's commit would commit its rows as well."""
    with LibraryWriter(database, LockSettings()) as writer:
        bad = prepared(database, entry("bad.flac", content="bad", bounds=in_a_row(3)))
        last = replace(bad.passages[2], end_time_ticks=bad.passages[2].start_time_ticks)
        with pytest.raises(CommitRefusedError, match="CHECK"):
            writer.write(replace(bad, passages=(*bad.passages[:2], last)))
        writer.write(prepared(database, entry("good.flac", content="good")))
    assert column(database, "SELECT path FROM files") == ["good.flac"]
    assert column(database, "SELECT count(*) FROM passages") == [1]
    assert column(database, "SELECT title FROM songs") == ["good 0"]


def test_a_stray_write_of_the_writer_itself_shows_in_the_receipt(database: Path) -> None:
    """A receipt that counted what the code intends would still say 1."""
    with LibraryWriter(database, LockSettings()) as writer:
        writer._connection.execute("DELETE FROM import_failures")
        receipt = writer.write(prepared(database, entry()))
    assert (receipt.transactions, receipt.write_locks) == (1, 2)


def test_a_read_inside_the_transaction_shows_in_the_receipt(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = LibraryWriter._execute

    def read_then_write(writer: LibraryWriter, path: str, script: Sequence[Step]) -> None:
        writer._connection.execute("SELECT count(*) FROM files").fetchone()
        execute(writer, path, script)

    monkeypatch.setattr(LibraryWriter, "_execute", read_then_write)
    receipt = commit(database, entry())[entry().path].receipt
    assert receipt is not None
    assert receipt.selects_in_transaction == 1
