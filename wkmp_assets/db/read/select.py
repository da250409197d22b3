"""Parts of queries that several readers share."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice

from wkmp_assets.db.tables import PASSAGES_OF_FILE
from wkmp_assets.model.statuses import FileStatus


def has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Tell whether the library has a table. An older library gets the tables that it lacks with the first write."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, [name]).fetchone() is not None


def column_list(connection: sqlite3.Connection, table: str, names: Iterable[str]) -> str:
    """Return columns of a table for a SELECT, with NULL for columns that an older library lacks."""
    query = "SELECT name FROM pragma_table_info(?)"
    present = {row["name"] for row in connection.execute(query, [table])}
    return ", ".join(name if name in present else f"NULL AS {name}" for name in names)


def has_original(files: str) -> str:
    """Return the SQL condition that one of the copies that a file `f` lists is complete.

    An original whose content has changed since no longer stands for its copies, hence the comparison of hashes.

    Parameters
    ----------
    files : str
        The table `files`, or a query in parentheses.
    """
    return f"""EXISTS (
        SELECT 1 FROM json_each(CASE WHEN json_valid(f.matching_hashes) THEN f.matching_hashes ELSE '[]' END) AS copy
        JOIN {files} AS original ON original.guid = copy.value
        WHERE original.status = '{FileStatus.INGEST_COMPLETE}' AND original.hash = f.hash)"""  # noqa: S608 - literals only


def select_in(connection: sqlite3.Connection, select: str, values: Iterable[str | int]) -> Iterator[sqlite3.Row]:
    """Run `select (?, ?, ...)` over any number of values, in portions that SQLite can bind."""
    remaining = iter(dict.fromkeys(values))
    while portion := list(islice(remaining, 500)):
        yield from connection.execute(f"{select} ({', '.join('?' * len(portion))})", portion)


def read_passages_text(connection: sqlite3.Connection, file_guid: str) -> bytes | None:
    """Return a file's passages with all columns that people edit, as one text to compare; None without passages."""
    query = f"SELECT {PASSAGES_OF_FILE} AS passages_text FROM files WHERE guid = ?"  # noqa: S608 - literals only
    text: bytes | None = connection.execute(query, [file_guid]).fetchone()["passages_text"]
    return text


def digest_text(text: bytes | None) -> str:
    """Return a digest by which a file's passages are compared; that of no text is empty."""
    return "" if text is None else hashlib.sha256(text).hexdigest()
