"""Open the library database. Every pragma has a function of its own, with its reason."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from wkmp_assets.db.checked_rows import CheckedConnection
from wkmp_assets.errors import CorruptLibraryError, LibraryDiskError, UnwritableLibraryError, WkmpError

CHECKPOINT_BYTES = 4_000_000
"""Size of the write-ahead log at which it is copied into the database: about 1,000 pages of 4 KiB, SQLite's default.

https://sqlite.org/pragma.html#pragma_wal_autocheckpoint
"""
MAX_WAL_STEPS = 8
"""How many times `CHECKPOINT_BYTES` the log may hold before writers wait until it is copied."""
MAX_WAL_BYTES = MAX_WAL_STEPS * CHECKPOINT_BYTES

_READ_ONLY = "mode=ro"
"""How SQLite's URIs ask for a connection that cannot write: https://sqlite.org/uri.html."""

_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_UNWRITABLE = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})
_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOLFS})


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code (the low byte of the extended one); None without one."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def translate(error: sqlite3.Error, database: Path) -> WkmpError | None:
    """Translate an error that concerns the database file into a `WkmpError`; None for all other errors."""
    code = primary_code(error)
    if code in _CORRUPT:
        return CorruptLibraryError(database, str(error))
    if code in _UNWRITABLE:
        return UnwritableLibraryError(database, str(error))
    if code in _DISK:
        return LibraryDiskError(database, str(error))
    return None


@contextmanager
def translate_errors(database: Path) -> Iterator[None]:
    """Translate SQLite's errors about the file itself (corrupt, read-only, disk full) within the block."""
    try:
        yield
    except sqlite3.Error as error:
        ours = translate(error, database)
        if ours is None:
            raise
        raise ours from error


def _use_wal(connection: sqlite3.Connection) -> None:
    """Let readers (the player) and the import never wait for each other: https://sqlite.org/wal.html."""
    connection.execute("PRAGMA journal_mode = WAL")


def _sync_at_checkpoints(connection: sqlite3.Connection) -> None:
    """Sync at checkpoints only. In WAL mode this cannot corrupt the library.

    A power cut may lose the last files; the next run imports them again.

    https://sqlite.org/pragma.html#pragma_synchronous
    """
    connection.execute("PRAGMA synchronous = NORMAL")


def _enforce_foreign_keys(connection: sqlite3.Connection) -> None:
    """Enforce foreign keys, which SQLite does not by default: https://sqlite.org/foreignkeys.html."""
    connection.execute("PRAGMA foreign_keys = ON")


def _distrust_schema(connection: sqlite3.Connection) -> None:
    """Let the schema of the file call no function or virtual table that has effects outside the database.

    https://sqlite.org/pragma.html#pragma_trusted_schema
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)


def _leave_checkpoints_to_the_writer(connection: sqlite3.Connection) -> None:
    """Turn off automatic checkpoints: they run inside COMMIT and make some transactions ten times as long."""
    connection.execute("PRAGMA wal_autocheckpoint = 0")


def _limit_wal_size(connection: sqlite3.Connection) -> None:
    """Limit the size of the write-ahead log file when SQLite starts it anew.

    Not to 0, because overwriting the file's blocks is cheaper than allocating new ones while the lock is held.
    """
    connection.execute(f"PRAGMA journal_size_limit = {MAX_WAL_BYTES}")


WRITER_PRAGMAS = (
    _distrust_schema,
    _use_wal,
    _sync_at_checkpoints,
    _enforce_foreign_keys,
    _leave_checkpoints_to_the_writer,
    _limit_wal_size,
)


def open_writer(database: Path, *, busy_timeout_ms: int) -> sqlite3.Connection:
    """Open a connection for write transactions. It creates the file when it does not exist.

    Transactions are explicit (`isolation_level=None`): Python begins none by itself.

    Parameters
    ----------
    database : Path
        The library.
    busy_timeout_ms : int
        How long SQLite waits for a lock before it reports BUSY.

    Raises
    ------
    CorruptLibraryError, UnwritableLibraryError
        The file is not a database, or cannot be written.
    """
    with translate_errors(database):
        connection = sqlite3.connect(
            database, timeout=busy_timeout_ms / 1000, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in WRITER_PRAGMAS:
                pragma(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_checkpointer(database: Path, *, busy_timeout_ms: int) -> sqlite3.Connection:
    """Open a connection to an existing library that can checkpoint its write-ahead log, and write no row."""
    uri = f"{database.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout_ms / 1000, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


@contextmanager
def open_reader(database: Path) -> Iterator[CheckedConnection | None]:
    """Open a read-only connection for the block; yield None when there is no library yet.

    Its rows have only values of their columns' kinds.

    Raises
    ------
    CorruptLibraryError
        The file is not a database.
    """
    if not database.exists():
        yield None
        return
    with translate_errors(database):
        # as_uri() escapes `?`, `#` and `%`, which a library's path may contain.
        uri = f"{database.absolute().as_uri()}?{_READ_ONLY}"
        options: dict[str, Any] = {"isolation_level": None, "check_same_thread": False, "factory": CheckedConnection}
        connection: CheckedConnection
        with closing(sqlite3.connect(uri, uri=True, timeout=5.0, **options)) as connection:
            _distrust_schema(connection)
            try:
                yield connection
            finally:
                connection.name_odd_values(database)


def copy_library(database: Path, path: Path) -> bool:
    """Copy a library, as it is at one moment, to a path that does not exist yet; False when there is no library.

    SQLite's backup does it in one step. `VACUUM INTO` fails on a read-only connection to a table with computed columns.

    Raises
    ------
    UnwritableLibraryError, LibraryDiskError
        The copy cannot be written.
    """
    with open_reader(database) as connection:
        if connection is None:
            return False
        with translate_errors(path), closing(sqlite3.connect(path)) as copy:
            connection.backup(copy)
        return True


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Let all reads within the block see one state of the library. In WAL mode this blocks no writer."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")
