"""Read the `files` rows that decide what happens to a file on disk."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import column_list, has_original, has_table, select_in
from wkmp_assets.model.file_key import is_utf8
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.statuses import FileStatus

_COLUMNS = ("guid", "path", "hash", "status", "modification_time", "file_size_bytes", "matching_hashes")


def read_known_files(database: Path) -> list[KnownFile]:
    """Read every file in the library; none when there is no library yet."""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "files"):
            return []
        return [_known_file(row) for row in connection.execute(_select_known_files(connection))]


def read_known_by_path(database: Path, paths: Sequence[str]) -> dict[str, KnownFile]:
    """Read the files with these paths. Paths that are not UTF-8 are never in the library."""
    return {row.path: row for row in _known_where(database, "f.path", [path for path in paths if is_utf8(path)])}


def read_known_by_hash(database: Path, hashes: Sequence[str]) -> dict[str, list[KnownFile]]:
    """Read the files with these content hashes."""
    found: dict[str, list[KnownFile]] = {}
    for row in _known_where(database, "f.hash", hashes):
        found.setdefault(row.content_hash, []).append(row)
    return found


def read_hashes_by_size(database: Path, sizes: Iterable[int]) -> dict[int, frozenset[str]]:
    """Read the content hashes of the files with these sizes, and of those whose size the library does not know.

    Parameters
    ----------
    database : Path
        The library.
    sizes : iterable of int
        In bytes.

    Returns
    -------
    dict
        Size -> hashes, for every size.
    """
    found: dict[int, set[str]] = {size: set() for size in sizes}
    with open_reader(database) as connection:
        if connection is not None and has_table(connection, "files"):
            files = f"SELECT hash, {column_list(connection, 'files', ['file_size_bytes'])} FROM files"  # noqa: S608
            select = f"SELECT * FROM ({files}) WHERE file_size_bytes IS NULL OR file_size_bytes IN"  # noqa: S608
            for row in select_in(connection, select, found):
                size = row["file_size_bytes"]
                for hashes in found.values() if size is None else (found[size],):
                    hashes.add(row["hash"])
    return {size: frozenset(hashes) for size, hashes in found.items()}


def read_file_rows(database: Path, path: str) -> dict[str, list[dict[str, object]]] | None:
    """Read a file's row and its passages, as dictionaries by table; None without such a file."""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "files") or not is_utf8(path):
            return None
        file = connection.execute("SELECT * FROM files WHERE path = ?", [path]).fetchone()
        if file is None:
            return None
        passages = connection.execute(
            "SELECT * FROM passages WHERE file_id = ? ORDER BY start_time_ticks", [file["guid"]]
        ).fetchall()
        return {"files": [dict(file)], "passages": [dict(passage) for passage in passages]}


def _known_where(database: Path, column: str, values: Sequence[str]) -> list[KnownFile]:
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "files"):
            return []
        select = f"{_select_known_files(connection)} WHERE {column} IN"
        return [_known_file(row) for row in select_in(connection, select, values)]


def _select_known_files(connection: sqlite3.Connection) -> str:
    """Return the query, for a library that may lack some columns."""
    failed = "EXISTS (SELECT 1 FROM import_failures WHERE path = f.path)"
    has_failed = failed if has_table(connection, "import_failures") else "0"
    files = f"(SELECT {column_list(connection, 'files', _COLUMNS)} FROM files)"  # noqa: S608 - literals only
    return f"""
        SELECT f.guid, f.path, f.hash AS content_hash, f.status, COALESCE(f.modification_time, '') AS modified_at,
               f.file_size_bytes AS size_bytes,
               f.status <> '{FileStatus.DUPLICATE_HASH}' OR {has_original(files)} AS original_is_complete,
               {has_failed} AS has_failed
        FROM {files} AS f"""  # noqa: S608 - literals only


def _known_file(row: sqlite3.Row) -> KnownFile:
    fields = dict(row)
    facts = {name: bool(fields[name]) for name in ("original_is_complete", "has_failed")}
    return KnownFile(**{**fields, **facts})
