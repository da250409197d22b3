"""Small helpers of everything that reads the library."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice

from wkmp_assets.db.tables import PASSAGES_OF_FILE


def has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Tell whether a library has a table: an older one gets what it lacks with the first write."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, [name]).fetchone() is not None


def select_in(connection: sqlite3.Connection, select: str, values: Iterable[str]) -> Iterator[sqlite3.Row]:
    """Run `select (?, ?, ...)` over any number of values, in portions SQLite can bind."""
    remaining = iter(dict.fromkeys(values))
    while portion := list(islice(remaining, 500)):
        yield from connection.execute(f"{select} ({', '.join('?' * len(portion))})", portion)


def passages_text(connection: sqlite3.Connection, file_guid: str) -> str | None:
    """Return a file's passages with all that people edit, as one text to compare; None when it has none."""
    query = f"SELECT {PASSAGES_OF_FILE} AS passages FROM files WHERE guid = ?"  # noqa: S608 - literals only
    text: str | None = connection.execute(query, [file_guid]).fetchone()["passages"]
    return text
