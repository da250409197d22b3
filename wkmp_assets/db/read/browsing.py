"""Read a library for `wkmp browse`: with any query that a person types, and by the guids of its files."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import column_list, has_table, select_in
from wkmp_assets.db.tables import IMAGES_OF_FILES
from wkmp_assets.errors import GoneLibraryError

_FILES = ("guid", "path", "title", "artist", "album", "status", "created_at")


@contextmanager
def open_for_queries(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection for queries that a person types: it reads, attaches nothing, and shows no setting's value.

    Among the settings is the AcoustID key. A query finds NULL in place of it.

    Raises
    ------
    GoneLibraryError
        There is no such file.
    CorruptLibraryError
        It is no database.
    """
    with open_reader(database) as connection:
        if connection is None:
            raise GoneLibraryError(database)
        connection.set_authorizer(_judge)
        yield connection


def _judge(action: int, table: str | None, column: str | None, _database: str | None, _by: str | None) -> int:
    if action == sqlite3.SQLITE_ATTACH:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and (table, column) == ("settings", "value"):
        return sqlite3.SQLITE_IGNORE
    return sqlite3.SQLITE_OK


@dataclass(frozen=True)
class ListedFile:
    """One file of a library, in short."""

    guid: str
    path: str
    title: str | None
    artist: str | None
    album: str | None
    status: str | None
    created_at: str | None
    """UTC."""


def read_newest_files(database: Path, count: int) -> list[ListedFile]:
    """Read the files that came last into a library, the newest first."""
    with open_for_queries(database) as connection:
        query = f"""
            SELECT {column_list(connection, "files", _FILES)} FROM files
            WHERE status IS NOT 'DUPLICATE HASH' ORDER BY created_at DESC, path LIMIT ?"""  # noqa: S608 - literals only
        return [ListedFile(**dict(row)) for row in connection.execute(query, [count])]


def read_path_of(database: Path, file: str) -> str | None:
    """Return the path of a file below the library's root, by its guid; None when the library has no such file."""
    with open_for_queries(database) as connection:
        row = connection.execute("SELECT path FROM files WHERE guid = ?", [file]).fetchone()
    return None if row is None else row["path"]


def read_guids(database: Path, paths: Collection[str]) -> dict[str, str]:
    """Read path -> guid of some files."""
    with open_for_queries(database) as connection:
        rows = select_in(connection, "SELECT path, guid FROM files WHERE path IN", paths)
        return {row["path"]: row["guid"] for row in rows}


def read_covers_of(database: Path, file: str) -> list[str]:
    """Return the paths of the covers that the import keeps for a file."""
    query = f"""
        SELECT i.file_path FROM {IMAGES_OF_FILES} AS l JOIN images AS i ON i.guid = l.image_id
        WHERE l.file_id = ? ORDER BY i.priority, i.file_path"""  # noqa: S608 - literals only
    with open_for_queries(database) as connection:
        if not has_table(connection, IMAGES_OF_FILES):
            return []
        return [row["file_path"] for row in connection.execute(query, [file])]
