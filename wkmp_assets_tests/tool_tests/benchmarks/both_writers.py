"""One run of each writer over the same files, and the rows of their libraries."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets_tests.support.builders import opened
from wkmp_assets_tests.tools.benchmarks.unbatched_statements import OWN_TABLES
from wkmp_assets_tests.tools.benchmarks.unbatched_writer import UnbatchedWriter, create_library
from wkmp_assets_tests.tools.benchmarks.writer_figures import FileFigures
from wkmp_assets_tests.tools.benchmarks.writer_processes import STAMP, batch_writer, unbatched_writer


def write_unbatched(database: Path, entries: Sequence[FileEntry]) -> list[FileFigures]:
    """Scan, then write file by file."""
    create_library(database)
    with UnbatchedWriter(database, STAMP, len(entries)) as scanner:
        scanner.scan(entries)
    with unbatched_writer(database, len(entries)) as write:
        return [write(one) for one in entries]


def write_batched(database: Path, entries: Iterable[FileEntry]) -> list[FileFigures]:
    with batch_writer(database) as write:
        return [write(one) for one in entries]


def contents(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows, except those of the baseline's tables, of the migrations, and of the evidence for names.

    The baseline keeps the evidence of the first file, the batch writer the newest.
    """
    with opened(database) as connection:
        connection.row_factory = None
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: sorted(connection.execute(f"SELECT {_columns(connection, name)} FROM {name}").fetchall(), key=repr)  # noqa: S608 - from the schema
            for name in names
            if name not in OWN_TABLES | {"_sqlite_migrations", "schema_version"}
        }


def _columns(connection: sqlite3.Connection, table: str) -> str:
    names = [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", [table])]
    return ", ".join(name for name in names if not name.endswith("_evidence"))
