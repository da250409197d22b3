"""Read what is doubtful about the files of a library."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import has_table
from wkmp_assets.db.tables import WARNINGS
from wkmp_assets.model.file_warnings import FileWarning, order_kinds, parse_kind


@dataclass(frozen=True)
class ListedWarning:
    """One doubt about one file of a library."""

    path: str
    kind: str
    message: str


@dataclass(frozen=True)
class WarningCounts:
    """How many files of a library have warnings."""

    files: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    """Kind -> number of files, the most serious kind first. A file may have several kinds."""


def read_warnings(database: Path) -> list[ListedWarning]:
    """Read all warnings of a library, by path, then the most serious first; none when there is no library yet."""
    query = f"SELECT f.path, w.kind, w.message FROM {WARNINGS} AS w JOIN files AS f ON f.guid = w.file_id"  # noqa: S608 - literals only
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, WARNINGS):
            return []
        found = [ListedWarning(**dict(row)) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (one.path, order_kinds(one.kind), one.message))


def count_warnings(connection: sqlite3.Connection) -> WarningCounts:
    """Count the files with warnings in an open library."""
    if not has_table(connection, WARNINGS):
        return WarningCounts()
    of_files = f"FROM {WARNINGS} WHERE file_id IN (SELECT guid FROM files)"  # noqa: S608 - literals only
    (files,) = connection.execute(f"SELECT count(DISTINCT file_id) {of_files}").fetchone()
    by_kind = dict(
        tuple(row) for row in connection.execute(f"SELECT kind, count(DISTINCT file_id) {of_files} GROUP BY kind")
    )
    return WarningCounts(int(files), {kind: by_kind[kind] for kind in sorted(by_kind, key=order_kinds)})


def read_warnings_of(connection: sqlite3.Connection, file_guid: str) -> tuple[FileWarning, ...]:
    """Read the warnings of one file."""
    if not has_table(connection, WARNINGS):
        return ()
    rows = connection.execute(f"SELECT kind, message FROM {WARNINGS} WHERE file_id = ?", [file_guid])  # noqa: S608 - literals only
    return tuple(FileWarning(parse_kind(row["kind"]), row["message"]) for row in rows)
