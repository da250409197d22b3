"""Look at a database that is found, before anything in it is used: whose it is, whose program's, and what it would run.

A `wkmp.db` may come with a music folder that somebody else made. The checks compare it with what WKMP makes.
"""

import os
import sqlite3
import stat
from collections.abc import Collection
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import has_table
from wkmp_assets.db.tables import WKMP_SCHEMA_VERSION
from wkmp_assets.errors import UntrustedLibraryError

_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
_ROOT = 0
_MARKS = (frozenset({"files"}), frozenset({"settings", "schema_version"}))
"""Tables of which a WKMP library has at least one set."""
_MADE_FIRST = "_sqlite_migrations"
"""The table that a new library has before all others. It is alone if the disk was full then, or the import killed."""


def check_found_library(database: Path, trusted: Collection[str] = ()) -> None:
    """Check that a database is a WKMP library of this user that runs nothing by itself. Nothing is written.

    A database that does not exist, and an empty file, pass: they become a library.

    Parameters
    ----------
    database : Path
        The library, as the settings name it.
    trusted : collection of str
        Checks that the user has switched off: `owner`, `program`, `triggers`, `newer`.

    Raises
    ------
    UntrustedLibraryError
        It is a link that leads out of its folder, no file, somebody else's, another program's or a newer WKMP's, or
        has triggers or views. The message says what to do.
    CorruptLibraryError, UnwritableLibraryError
        It is no database, or cannot be opened.
    """
    _check_path(database, trusted)
    with open_reader(database) as connection:
        if connection is None:
            return
        if "program" not in trusted:
            _check_program(database, connection)
        if "triggers" not in trusted:
            _check_triggers(database, connection)
        if "newer" not in trusted:
            _check_version(database, connection)


def _check_path(database: Path, trusted: Collection[str]) -> None:
    target = Path(os.path.realpath(database))
    if target.parent != Path(os.path.realpath(database.parent)):
        raise UntrustedLibraryError(
            database,
            f"is a link that leads out of its folder, to {target}",
            f"To use that file, name it: WKMP_DATABASE={target}",
        )
    try:
        status = os.stat(database)  # noqa: PTH116 - a path that may not exist or be entered
    except OSError:
        return
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "a device")
        raise UntrustedLibraryError(
            database, f"is {kind}, not a file", "Move it away, or set WKMP_DATABASE to a file in another place"
        )
    if "owner" not in trusted and status.st_uid not in {os.geteuid(), _ROOT}:
        raise UntrustedLibraryError(
            database,
            f"belongs to another user (id {status.st_uid}; you are {os.geteuid()})",
            "To use it, set WKMP_TRUST_DATABASE=owner",
        )


def _check_program(database: Path, connection: sqlite3.Connection) -> None:
    remedy = "Set WKMP_DATABASE to another file. If it is a WKMP library nevertheless, set WKMP_TRUST_DATABASE=program"
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application:
        raise UntrustedLibraryError(database, f"belongs to another program (application id {application:#x})", remedy)
    tables = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    own = {name for name in tables if not name.startswith("sqlite_")} - {_MADE_FIRST}
    if own and not any(marks <= own for marks in _MARKS):
        raise UntrustedLibraryError(
            database, f"is a database without WKMP's tables (it has {', '.join(sorted(own)[:3])})", remedy
        )


def _check_triggers(database: Path, connection: sqlite3.Connection) -> None:
    query = "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY type, name LIMIT 4"
    found = [f"{row['type']} {row['name']}" for row in connection.execute(query)]
    if found:
        raise UntrustedLibraryError(
            database,
            f"has triggers or views, which WKMP does not make ({', '.join(found[:3])}{', ...' * (len(found) > 3)})",
            "They run with every import. Drop them, or set WKMP_TRUST_DATABASE=triggers if you know them",
        )


def _check_version(database: Path, connection: sqlite3.Connection) -> None:
    if not has_table(connection, "schema_version"):
        return
    version = connection.execute("SELECT max(CAST(version AS INTEGER)) FROM schema_version").fetchone()[0]
    if version is not None and version > WKMP_SCHEMA_VERSION:
        raise UntrustedLibraryError(
            database,
            f"was made by a newer WKMP (schema version {version}; this program knows {WKMP_SCHEMA_VERSION})",
            "Install its wkmp_assets. To try it as it is, set WKMP_TRUST_DATABASE=newer",
        )
