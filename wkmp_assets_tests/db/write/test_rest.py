"""A library at rest: the last writer leaves nothing in the write-ahead log."""

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from wkmp_assets.db.connection import open_checkpointer
from wkmp_assets.db.kept_open import keep_open
from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.write.gate import WriterGate
from wkmp_assets.db.write.rest import bring_leftovers_to_rest, bring_to_rest
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import UnsavedLibraryError
from wkmp_assets_tests.support.builders import run_sql


@pytest.fixture
def log(database: Path) -> Path:
    """Path of the write-ahead log of a new library."""
    with LibraryWriter(database, LockSettings()):
        pass
    return database.with_name(database.name + "-wal")


def test_a_writer_empties_the_log_while_others_have_the_library_open(database: Path, log: Path) -> None:
    with keep_open(database):
        with LibraryWriter(database, LockSettings()):
            run_sql(database, "INSERT INTO settings (key, value) VALUES ('a', 'b')")
            assert log.stat().st_size > 0
        assert log.stat().st_size == 0


def test_what_empties_the_log_writes_no_row_and_creates_no_library(database: Path, log: Path, tmp_path: Path) -> None:
    with keep_open(database):
        run_sql(database, "INSERT INTO settings (key, value) VALUES ('a', 'b')")
        with closing(open_checkpointer(database, busy_timeout_ms=0)) as connection:
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                connection.execute("DELETE FROM settings")
            assert log.stat().st_size > 0
            bring_to_rest(connection, database, WriterGate(database))
        assert log.stat().st_size == 0
    with pytest.raises(sqlite3.OperationalError):
        open_checkpointer(tmp_path / "nothing.db", busy_timeout_ms=0)


def test_a_writer_leaves_the_log_to_the_one_that_has_the_gate(database: Path, log: Path) -> None:
    with keep_open(database):
        writer = LibraryWriter(database, LockSettings())
        writer.__enter__()
        run_sql(database, "INSERT INTO settings (key, value) VALUES ('a', 'b')")
        with WriterGate(database).hold(limit_ms=0):
            writer.__exit__(None, None, None)
            assert log.stat().st_size > 0
    assert not log.exists() or log.stat().st_size == 0


def test_whatever_holds_up_the_log_fails_nobody(database: Path, log: Path, caplog: pytest.LogCaptureFixture) -> None:
    with keep_open(database):
        writer = LibraryWriter(database, LockSettings())
        writer.__enter__()
        run_sql(database, "INSERT INTO settings (key, value) VALUES ('a', 'b')")
        writer._connection.close()
        writer.__exit__(None, None, None)
    assert "its write-ahead log could not be emptied" in caplog.text
    assert not log.exists() or log.stat().st_size == 0


def test_a_disk_that_refuses_what_the_log_holds_is_an_error(database: Path, log: Path) -> None:
    """A commit does not wait for the disk, so this is the first that is heard of it."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with keep_open(database), closing(open_checkpointer(database, busy_timeout_ms=0)) as connection:
        run_sql(database, "INSERT INTO settings (key, value) VALUES ('a', hex(zeroblob(500000)))")
        assert log.stat().st_size > 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (database.stat().st_size, limits[1]))
        try:
            with pytest.raises(UnsavedLibraryError, match=r"rows of the last imports may be lost\. Check the disk"):
                bring_to_rest(connection, database, WriterGate(database))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_log_of_a_library_that_cannot_be_read_fails_nobody(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    bring_leftovers_to_rest(database)
    database.write_bytes(b"no database, but longer than a header of SQLite" * 100)
    database.with_name(database.name + "-wal").write_bytes(b"x" * 100)
    bring_leftovers_to_rest(database)
    assert "its write-ahead log could not be emptied" in caplog.text
