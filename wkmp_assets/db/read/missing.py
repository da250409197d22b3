"""Read the marks of files that are not on disk."""

from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import has_table


@dataclass(frozen=True)
class MissingFile:
    """One file that is marked as missing."""

    path: str
    missing_since: str
    """UTC, `YYYY-MM-DD HH:MM:SS`: when a scan first found it gone."""


def read_missing(database: Path) -> list[MissingFile]:
    """Read the files that are marked as missing, by path; none when there is no library yet.

    Marks whose file was moved, or removed by another program, are left out.
    """
    query = "SELECT path, missing_since FROM missing_files WHERE path IN (SELECT path FROM files) ORDER BY path"
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "missing_files"):
            return []
        return [MissingFile(**dict(row)) for row in connection.execute(query)]


def read_marks(database: Path) -> tuple[list[str], list[str]]:
    """Read the paths of all marks, and of all failures."""
    with open_reader(database) as connection:
        tables = {
            "missing_files": "SELECT path FROM missing_files",
            "import_failures": "SELECT path FROM import_failures",
        }
        found = [
            [row["path"] for row in connection.execute(query)] if connection and has_table(connection, table) else []
            for table, query in tables.items()
        ]
        return found[0], found[1]
