"""One file, one transaction: all or nothing, one lock, no reads, whatever its size."""
# ruff: noqa: S608 - identifiers from the tables of this module

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.schema import ensure_schema
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import CommitRefusedError, LibraryChangedError, LibraryDiskError
from wkmp_assets.model.batch import FileCommit, Receipt, WriteBatch
from wkmp_assets.model.values import FileState
from wkmp_assets_tests.integration.faults.statement_faults import Moment, disk_full, fault_at
from wkmp_assets_tests.support.builders import (
    LATER,
    column,
    commit,
    dump,
    entry,
    in_a_row,
    meanwhile,
    meanwhile_sql,
    opened,
    prepared,
    problems,
    run_sql,
    seconds,
    song,
)
from wkmp_assets_tests.tools.plan import plan_test

LOCKS = LockSettings(50, 2000)


def receipt_of(commits: dict[str, FileCommit]) -> Receipt:
    """The receipt of the only file."""
    (one,) = commits.values()
    assert one.receipt is not None
    return one.receipt


NAMES = [f"Artist {number}" for number in range(4)]


def create(database: Path) -> None:
    with opened(database) as connection:
        ensure_schema(connection)


@plan_test("TC-U-BW-020-01")
@pytest.mark.parametrize("count", [0, 1, 3, 24, 200])
def test_a_file_costs_one_lock_and_no_reads_however_many_passages_it_has(database: Path, count: int) -> None:
    songs = [song(f"Song {number}", NAMES, ["Opus 1", "Opus 2"]) for number in range(count)]
    receipt = commit(database, entry(bounds=in_a_row(count), songs=songs))["Artist/Album/01.flac"].receipt
    assert receipt is not None
    assert (receipt.write_locks, receipt.transactions) == (1, 1)
    assert (receipt.selects_in_transaction, receipt.retries, receipt.conflicts) == (0, 0, 0)
    counted = {table: column(database, f"SELECT count(*) FROM {table}")[0] for table in receipt.rows}
    assert receipt.rows == counted
    assert receipt.statements < 20


def reimported(database: Path) -> WriteBatch:
    """A batch of every kind of statement: update, delete, relink, insert, a peer, removal of a failure."""
    first = entry(bounds=seconds((0, 20), (30, 50), (60, 80)))
    commit(database, first, entry("Copy.flac", content="b"))
    run_sql(
        database,
        "INSERT INTO import_failures (path, phase, code, message) VALUES ('Artist/Album/01.flac', 'p', 'c', 'm')",
    )
    run_sql(database, "UPDATE files SET status = 'PENDING' WHERE path = 'Copy.flac'")
    new = entry(content="b", bounds=seconds((0, 21), (100, 120)), state=FileState.CHANGED)
    return prepared(database, new, now=LATER)


def test_a_failure_at_any_statement_leaves_the_library_as_it_was(database: Path) -> None:
    """All statements of one batch; `faults` has every kind of batch."""
    batch = reimported(database)
    before = dump(database)
    failures = 0
    while True:
        with fault_at(failures, Moment.BEFORE, disk_full), LibraryWriter(database, LOCKS) as writer:
            try:
                writer.write(batch)
            except LibraryDiskError:
                assert dump(database) == before
                failures += 1
            else:
                break
    assert failures >= 15
    assert column(database, "SELECT count(*) FROM passages WHERE file_id = (SELECT guid FROM files LIMIT 1)") == [2]
    assert problems(database) == []


TABLES = {
    "files": "UPDATE", "songs": "INSERT", "artists": "INSERT", "works": "INSERT", "albums": "INSERT", "passages": "INSERT",  # noqa: E501
    "passage_songs": "INSERT", "song_artists": "INSERT", "song_works": "INSERT", "passage_albums": "INSERT",
    "import_provenance": "INSERT", "import_failures": "DELETE",
}  # fmt: skip


@plan_test("TC-U-BW-040-01")
@pytest.mark.parametrize("action", ["ABORT", "ROLLBACK", "FAIL"])
@pytest.mark.parametrize(("table", "event"), TABLES.items(), ids=TABLES)
def test_a_refusal_at_any_table_leaves_the_library_as_it_was(
    database: Path, table: str, event: str, action: str
) -> None:
    """ROLLBACK: SQLite ends the transaction by itself; FAIL: it keeps what the statement had done so far."""
    reimported(database)
    fresh = song("fresh", ["New"], ["New"])
    changed = entry(content="c", bounds=seconds((200, 230)), songs=[fresh], state=FileState.CHANGED)
    if table == "albums":
        run_sql(database, "DELETE FROM albums")
    batch = prepared(database, changed, now=LATER)
    run_sql(database, f"CREATE TRIGGER no AFTER {event} ON {table} BEGIN SELECT RAISE({action}, 'no'); END")
    before = dump(database)
    with LibraryWriter(database, LOCKS) as writer:
        with pytest.raises(CommitRefusedError, match=r"01\.flac.*nothing was written"):
            writer.write(batch)
        assert dump(database) == before
        run_sql(database, "DROP TRIGGER no")
        receipt = writer.write(batch)
    assert receipt.write_locks == 1


@plan_test("TC-U-BW-040-01")
def test_rows_that_break_the_schema_are_refused_whole(database: Path) -> None:
    create(database)
    good = prepared(database, entry(bounds=in_a_row(3)))
    bad = replace(good.passages[2], lead_in_start_ticks=good.passages[2].end_time_ticks + 1)
    before = dump(database)
    with LibraryWriter(database, LOCKS) as writer, pytest.raises(CommitRefusedError, match="CHECK"):
        writer.write(replace(good, passages=(*good.passages[:2], bad)))
    assert dump(database) == before


def test_a_library_that_changes_between_reading_and_writing_is_read_again(database: Path) -> None:
    commit(database, entry())
    changes = ("UPDATE files SET updated_at = '2030-01-01 00:00:00'", "UPDATE files SET matching_hashes = '[]'")
    with meanwhile_sql(database, *changes) as batches:
        receipt = receipt_of(commit(database, entry(state=FileState.CHANGED, content="new"), now=LATER))
    assert receipt.conflicts == 2
    assert receipt.write_locks == receipt.transactions == len(batches) == 3
    assert column(database, "SELECT updated_at FROM files") == ["2026-03-02 12:00:00"]


def test_a_file_that_another_run_inserts_first_is_not_inserted_twice(database: Path) -> None:
    create(database)
    others = iter([entry(content="other")])

    def insert_other() -> None:
        for other in others:
            commit(database, other)

    with meanwhile(insert_other):
        receipt = receipt_of(commit(database, entry(state=FileState.NEW)))
    assert receipt.conflicts == 1
    assert column(database, "SELECT hash FROM files") == [entry().identity.content_hash]
    assert problems(database) == []


def test_a_song_that_another_run_inserts_with_its_own_guid_is_linked_by_that_guid(database: Path) -> None:
    """The link uses the guid that the transaction finds, not what was read before."""
    create(database)
    one = entry()
    recording = one.passages[0].match.song
    assert recording is not None
    insert = f"INSERT INTO songs (guid, recording_mbid) VALUES ('theirs', '{recording.recording_mbid}')"
    with meanwhile_sql(database, insert):
        receipt = receipt_of(commit(database, one))
    assert receipt.conflicts == 1
    assert column(database, "SELECT song_id FROM passage_songs") == ["theirs"]
    assert column(database, "SELECT song_id FROM passages") == ["theirs"]


def test_a_library_that_never_stands_still_is_given_up(database: Path) -> None:
    commit(database, entry())
    changes = (f"UPDATE files SET updated_at = 'change {number}'" for number in range(50))
    with (
        meanwhile_sql(database, *changes) as batches,
        pytest.raises(LibraryChangedError, match="nothing was written"),
    ):
        commit(database, entry(state=FileState.CHANGED, content="new"), now=LATER)
    assert len(batches) == 9, "one try, and eight more"
    assert column(database, "SELECT hash FROM files") == [entry().identity.content_hash]


def test_the_file_after_one_that_was_given_up_does_not_pay_for_it(database: Path) -> None:
    create(database)
    with LibraryWriter(database, LOCKS) as writer:
        batch = prepared(database, entry())
        commit(database, entry(content="other"))
        with pytest.raises(LibraryChangedError, match=r"01\.flac"):
            writer.write(batch)
        receipt = writer.write(prepared(database, entry("b.flac", content="b")))
    assert (receipt.write_locks, receipt.transactions, receipt.conflicts) == (1, 1, 0)


def test_two_writers_that_both_believe_to_be_first_leave_one_original(database: Path) -> None:
    """The guard of the second one fails at its INSERT; planned again, that file is the duplicate."""
    create(database)
    batch_a = prepared(database, entry("a.flac"))
    with LibraryWriter(database, LOCKS) as first:
        others = iter([batch_a])

        def write_first() -> None:
            for batch in others:
                first.write(batch)

        with meanwhile(write_first):
            receipt = receipt_of(commit(database, entry("b.flac")))
    assert receipt.conflicts == 1
    assert column(database, "SELECT status FROM files ORDER BY path") == ["INGEST COMPLETE", "DUPLICATE HASH"]
    guid_a, guid_b = column(database, "SELECT guid FROM files ORDER BY path")
    assert column(database, "SELECT matching_hashes FROM files ORDER BY path") == [
        f'["{guid_b}"]',
        f'["{guid_a}"]',
    ]
    assert column(database, "SELECT DISTINCT file_id FROM passages") == [guid_a]


@pytest.mark.parametrize("state", [FileState.TOUCHED, FileState.MOVED])
def test_two_complete_copies_in_an_older_library_do_not_block_each_other(database: Path, state: FileState) -> None:
    commit(database, entry("a.flac"), entry("b.flac", content="b"))
    run_sql(database, "UPDATE files SET hash = (SELECT hash FROM files WHERE path = 'a.flac')")
    path = "a.flac" if state is FileState.TOUCHED else "c.flac"
    one = replace(entry("a.flac", state=state, moved_from="a.flac"), path=path, audio=None, tags=None, passages=())
    receipt = commit(database, one, now=LATER)[path].receipt
    assert receipt is not None
    assert receipt.conflicts == 0
    assert column(database, "SELECT status FROM files") == ["INGEST COMPLETE"] * 2


def test_rows_of_an_older_library_may_lack_their_time_and_hash(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(
            "CREATE TABLE files (guid TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, hash TEXT, modification_time TIMESTAMP NOT NULL);"  # noqa: E501
            "INSERT INTO files VALUES ('F1', 'Artist/Album/01.flac', NULL, '2020-01-01T00:00:00Z')"
        )
    receipt = commit(database, entry(state=FileState.CHANGED))["Artist/Album/01.flac"].receipt
    assert receipt is not None
    assert receipt.conflicts == 0
    assert column(database, "SELECT guid || ' ' || status FROM files") == ["F1 INGEST COMPLETE"]
