"""A large library that is read only: an imported one, multiplied by its own rows. No file of it is on disk."""

import json
import random
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

NAMES = frozenset({"title", "artist", "album", "name", "artist_name"})
_SINGLE = frozenset({"schema_version", "settings", "import_failures", "_sqlite_migrations"})
"""Tables that describe the library, not one of its files."""


def multiply_library(database: Path, passages: int, seed: int = 0) -> int:
    """Add copies of all rows to a library until it has that many passages; return how many it has then.

    Every copy has its own guids, MBIDs, hashes, paths, names with its number, and flavors a little beside the first.

    Parameters
    ----------
    database : Path
        A library whose files were imported. Its schema stays as it is.
    passages : int
        How many at least.
    seed : int
        Of the changes to flavors.
    """
    chance = random.Random(seed)
    with closing(sqlite3.connect(database)) as library, library:
        library.execute("PRAGMA foreign_keys = OFF")
        rows = {table: _rows(library, table) for table in _tables(library)}
        first = len(rows["passages"][1])
        ids = {value for _, some in rows.values() for row in some for value in row.values() if _is_guid(value)}
        copies = -(-passages // first) - 1
        for copy in range(1, copies + 1):
            new = {one: str(uuid.uuid5(uuid.UUID(one), str(copy))) for one in ids}
            for table, (columns, some) in rows.items():
                insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names of the schema
                library.executemany(insert, ([*_copied(table, row, copy, new, chance).values()] for row in some))
    return first * (copies + 1)


def _tables(library: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    return [name for (name,) in library.execute(query) if name not in _SINGLE]


def _rows(library: sqlite3.Connection, table: str) -> tuple[list[str], Sequence[dict[str, Any]]]:
    """Return the stored columns of a table, without computed ones, and all its rows."""
    columns = [name for (name,) in library.execute("SELECT name FROM pragma_table_info(?)", [table])]
    rows = library.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - names of the schema
    return columns, [dict(zip(columns, row, strict=True)) for row in rows]


def _is_guid(value: object) -> bool:
    return isinstance(value, str) and len(value) == 36 and value.count("-") == 4


def _copied(
    table: str, row: Mapping[str, Any], copy: int, new: Mapping[str, str], chance: random.Random
) -> dict[str, Any]:
    changed = {name: new.get(value, value) if isinstance(value, str) else value for name, value in row.items()}
    for name, value in changed.items():
        if not isinstance(value, str):
            continue
        if name in NAMES:
            changed[name] = f"{value} {copy:05}"
        elif name in {"path", "file_path"}:
            changed[name] = f"Copy {copy:05}/{value}"
        elif name == "hash":
            changed[name] = f"{copy:08x}{value[8:]}"
        elif (table, name) == ("passages", "musical_flavor_vector"):
            changed[name] = _beside(value, chance)
        elif name == "matching_hashes":
            changed[name] = json.dumps([new.get(one, one) for one in json.loads(value)])
    return changed


def _beside(flavor: str, chance: random.Random) -> str:
    """Return a flavor a little beside another; every characteristic stays a distribution."""
    changed = {}
    for name, values in json.loads(flavor).items():
        parts = {value: number * chance.uniform(0.5, 1.5) + 1e-6 for value, number in values.items()}
        total = sum(parts.values())
        changed[name] = {value: round(number / total, 6) for value, number in parts.items()}
    return json.dumps(changed, separators=(",", ":"))
