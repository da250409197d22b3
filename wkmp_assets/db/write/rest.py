"""Bring a library to rest: the database file holds everything, and the write-ahead log is empty."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from wkmp_assets.db.connection import open_checkpointer
from wkmp_assets.db.write import statements as sql
from wkmp_assets.db.write.gate import WriterGate
from wkmp_assets.errors import UnsavedLibraryError

BUSY_TIMEOUT_MS = 100
"""How long the last step waits for a reader or a writer that does not know the gate. Other writers wait for it."""

_REFUSED_BY_THE_DISK = frozenset(
    {
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
    }
)
"""SQLite's extended codes. A commit does not wait for the disk; only when the log is emptied does it answer."""

_LOG = logging.getLogger(__name__)


def bring_to_rest(connection: sqlite3.Connection, database: Path, gate: WriterGate) -> None:
    """Copy the write-ahead log into the database and empty it. While another import writes, leave that to it.

    A log that is in use, or for which there is no room, raises no error: its content is committed, and SQLite reads it
    there.

    Parameters
    ----------
    connection : sqlite3.Connection
        Of a writer or a checkpointer, outside a transaction. Its busy timeout changes, so close it afterwards.
    database : Path
        The library.
    gate : WriterGate
        Of the library.

    Raises
    ------
    UnsavedLibraryError
        The disk fails, or became read-only.
    """
    if not _has_log(database):
        return
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        # Copy most of it without the gate, while others write. The rest then takes no time.
        connection.execute(sql.CHECKPOINT)
        with gate.hold_if_free() as is_free:
            if is_free and connection.execute(sql.EMPTY_LOG).fetchone()[0]:
                _LOG.info("%s is in use; what its write-ahead log holds stays there until the next import", database)
    except (sqlite3.Error, OSError) as error:
        _raise_or_say(database, error)


def bring_leftovers_to_rest(database: Path) -> None:
    """Bring a library to rest that this process does not write to. It is opened only when it has a log.

    Raises
    ------
    UnsavedLibraryError
        As for `bring_to_rest`.
    """
    if not (_has_log(database) and database.exists()):
        return
    try:
        with closing(open_checkpointer(database, busy_timeout_ms=BUSY_TIMEOUT_MS)) as connection:
            bring_to_rest(connection, database, WriterGate(database))
    except sqlite3.Error as error:
        _raise_or_say(database, error)


def _has_log(database: Path) -> bool:
    try:
        return database.with_name(database.name + "-wal").stat().st_size > 0
    except OSError:
        return False


def _raise_or_say(database: Path, error: Exception) -> None:
    if getattr(error, "sqlite_errorcode", None) in _REFUSED_BY_THE_DISK:
        raise UnsavedLibraryError(database, str(error)) from error
    _LOG.warning(
        "%s: its write-ahead log could not be emptied (%s); nothing is lost, the next import tries again",
        database,
        error,
    )
