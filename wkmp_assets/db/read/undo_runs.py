"""Read the runs that can be undone."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import has_table
from wkmp_assets.db.tables import UNDO


@dataclass(frozen=True)
class UndoableRun:
    """A run whose changes can be undone."""

    run_id: str
    command: str
    at: str
    """When it wrote its last file: UTC, `YYYY-MM-DD HH:MM:SS`."""
    files: int
    """How many files it changed that were in the library before."""
    example: str
    """Path of one of them."""


def read_undoable_runs(database: Path) -> list[UndoableRun]:
    """Read the runs that can be undone, the latest first; none when there is no library yet."""
    query = f"""
        SELECT run_id, command, max(at) AS at, count(*) AS files, min(path) AS example FROM {UNDO}
        GROUP BY run_id ORDER BY max(at) DESC, max(rowid) DESC"""  # noqa: S608 - literals only
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, UNDO):
            return []
        return [UndoableRun(**dict(row)) for row in connection.execute(query)]


def has_older(database: Path, at: str) -> bool:
    """Tell whether anything is kept that is older than a time: UTC, `YYYY-MM-DD HH:MM:SS`."""
    query = f"SELECT EXISTS (SELECT 1 FROM {UNDO} WHERE at < ?)"  # noqa: S608 - literals only
    with open_reader(database) as connection:
        return (
            connection is not None
            and has_table(connection, UNDO)
            and bool(connection.execute(query, [at]).fetchone()[0])
        )


@dataclass(frozen=True)
class RememberedFile:
    """A file as a run left it, and what was there before."""

    guid: str
    path: str
    before: bytes
    after: str
    """Digest of its passages after the run."""


def read_remembered_files(connection: sqlite3.Connection, run_id: str) -> list[RememberedFile]:
    """Read the files that a run changed, by path."""
    query = f"SELECT file AS guid, path, before, after FROM {UNDO} WHERE run_id = ? ORDER BY path"  # noqa: S608 - literals only
    return [RememberedFile(**dict(row)) for row in connection.execute(query, [run_id])]
