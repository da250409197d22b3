"""Connections: the pragmas of a new one, and the translation of SQLite's errors."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from wkmp_assets.db.connection import open_reader, open_writer, snapshot, translate
from wkmp_assets.db.kept_open import keep_open
from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import CorruptLibraryError, LibraryDiskError, UnwritableLibraryError
from wkmp_assets_tests.support.builders import run_sql

PRAGMAS = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 250}


@pytest.mark.parametrize(("pragma", "expected"), PRAGMAS.items(), ids=PRAGMAS)
def test_a_fresh_writer_has_its_pragmas(database: Path, pragma: str, expected: object) -> None:
    with closing(open_writer(database, busy_timeout_ms=250)) as connection:
        assert connection.execute(f"PRAGMA {pragma}").fetchone()[0] == expected
        connection.execute("CREATE TABLE t (a)")
        assert not connection.in_transaction


@pytest.mark.parametrize("name", ["wkmp.db", "what? 100%#1.db"])
def test_a_reader_cannot_write(tmp_path: Path, name: str) -> None:
    database = tmp_path / name
    run_sql(database, "CREATE TABLE t (a)")
    with open_reader(database) as connection:
        assert connection is not None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("INSERT INTO t VALUES (1)")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_reading_where_no_library_is_creates_none(database: Path) -> None:
    with open_reader(database) as connection, keep_open(database):
        assert connection is None
    assert not database.exists()


def test_a_snapshot_sees_one_state_and_locks_nobody_out(database: Path) -> None:
    with closing(open_writer(database, busy_timeout_ms=0)) as writer, open_reader(database) as reader:
        assert reader is not None
        writer.execute("CREATE TABLE t (a)")
        with snapshot(reader):
            assert reader.execute("SELECT count(*) FROM t").fetchone()[0] == 0
            writer.execute("INSERT INTO t VALUES (1)")
            assert reader.execute("SELECT count(*) FROM t").fetchone()[0] == 0
        assert reader.execute("SELECT count(*) FROM t").fetchone()[0] == 1


def test_a_library_that_is_kept_open_can_be_written(database: Path) -> None:
    run_sql(database, "PRAGMA journal_mode = WAL", "CREATE TABLE t (a)")
    with keep_open(database):
        run_sql(database, "INSERT INTO t VALUES (1)")


def test_a_file_that_is_no_database_is_left_untouched(database: Path) -> None:
    database.write_bytes(b"these are my holiday notes, not a database " * 100)
    before = database.read_bytes()
    with pytest.raises(CorruptLibraryError, match="left untouched"), LibraryWriter(database, LockSettings()):
        pass
    with pytest.raises(CorruptLibraryError), open_reader(database) as connection:  # noqa: PT012 - either may raise
        assert connection is not None
        connection.execute("SELECT * FROM sqlite_master").fetchall()
    assert database.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    public_folder.chmod(0o555)
    writer = LibraryWriter(public_folder / "wkmp.db", LockSettings())
    with unprivileged(), pytest.raises(UnwritableLibraryError, match="WKMP_DATABASE"), writer:
        pass


TRANSLATED = {
    "CORRUPT": (sqlite3.SQLITE_CORRUPT, CorruptLibraryError),
    "CORRUPT_INDEX": (sqlite3.SQLITE_CORRUPT_INDEX, CorruptLibraryError),
    "NOTADB": (sqlite3.SQLITE_NOTADB, CorruptLibraryError),
    "READONLY_DBMOVED": (sqlite3.SQLITE_READONLY_DBMOVED, UnwritableLibraryError),
    "CANTOPEN": (sqlite3.SQLITE_CANTOPEN, UnwritableLibraryError),
    "FULL": (sqlite3.SQLITE_FULL, LibraryDiskError),
    "IOERR_FSYNC": (sqlite3.SQLITE_IOERR_FSYNC, LibraryDiskError),
    "BUSY": (sqlite3.SQLITE_BUSY, None),
    "CONSTRAINT_CHECK": (sqlite3.SQLITE_CONSTRAINT_CHECK, None),
    "none": (None, None),
}


@pytest.mark.parametrize(("code", "expected"), TRANSLATED.values(), ids=TRANSLATED)
def test_errors_about_the_file_are_told_in_our_words(code: int | None, expected: type | None) -> None:
    error = sqlite3.OperationalError("some detail")
    if code is not None:
        error.sqlite_errorcode = code
    ours = translate(error, Path("/music/wkmp.db"))
    assert type(ours) is (expected or type(None))
    assert ours is None or ("/music/wkmp.db" in str(ours) and "some detail" in str(ours))
