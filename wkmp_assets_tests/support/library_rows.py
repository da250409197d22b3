"""Everything a library holds, as rows to compare: two imports of the same music must agree to the last id."""

import json
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

Rows = dict[str, list[tuple[object, ...]]]

_VOLATILE = {
    "created_at",
    "updated_at",
    "import_timestamp",
    "import_session_id",
    "import_metadata",
    "timestamp",
    "applied_at",
    "missing_since",
}
"""When and by which run a row was written."""


def library_rows(database: Path) -> Rows:
    """Everything a library holds, except when and by which run it was written."""
    with closing(sqlite3.connect(database)) as connection:
        return _rows(connection)


def library_rows_of(database: Path, paths: Collection[str]) -> Rows:
    """What a library would hold if only some of its files had been imported, and nothing of the others."""
    with closing(sqlite3.connect(":memory:")) as part:
        _copy_part(database, part, paths)
        return _rows(part)


def make_library_of(database: Path, paths: Collection[str], new: Path) -> None:
    """Make a library that holds only some of another one's files."""
    with closing(sqlite3.connect(new)) as part:
        _copy_part(database, part, paths)
        part.execute("PRAGMA journal_mode = WAL")


def _copy_part(database: Path, part: sqlite3.Connection, paths: Collection[str]) -> None:
    with closing(sqlite3.connect(database)) as whole:
        whole.backup(part)
    part.execute("PRAGMA foreign_keys = ON")
    with part:
        part.execute("DELETE FROM files WHERE path NOT IN (SELECT value FROM json_each(?))", [json.dumps(list(paths))])
        part.execute("DELETE FROM songs WHERE guid NOT IN (SELECT song_id FROM passage_songs)")
        part.execute("DELETE FROM artists WHERE guid NOT IN (SELECT artist_id FROM song_artists)")
        part.execute("DELETE FROM works WHERE guid NOT IN (SELECT work_id FROM song_works)")
        part.execute("DELETE FROM albums WHERE guid NOT IN (SELECT album_id FROM passage_albums)")
        part.execute(
            "UPDATE files SET matching_hashes = (SELECT CASE WHEN count(*) THEN json_group_array(value) END "
            "FROM json_each(matching_hashes) WHERE value IN (SELECT guid FROM files))"
        )


def whole_files(database: Path, *references: Path) -> set[str]:
    """Return the files a library knows; each must be there wholly, as in one of the references, and nothing else."""
    paths, rows = paths_in(database), library_rows(database)
    if rows or paths:  # there is nothing at all before the tables are made, which is one step as well
        assert rows in [library_rows_of(reference, paths) for reference in references]
    return paths


def paths_in(database: Path) -> set[str]:
    """The files a library knows; none when its tables do not exist yet."""
    with closing(sqlite3.connect(database)) as connection:
        if "files" not in _tables(connection):
            return set()
        return {path for (path,) in connection.execute("SELECT path FROM files")}


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _rows(connection: sqlite3.Connection) -> Rows:
    rows: Rows = {}
    for table in _tables(connection):
        if table == "_sqlite_migrations":
            continue
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")') if row[1] not in _VOLATILE]
        query = f'SELECT {", ".join(columns)} FROM "{table}"'  # noqa: S608 - names from the schema
        rows[table] = sorted((_comparable(row) for row in connection.execute(query)), key=repr)
    return rows


def _comparable(row: tuple[object, ...]) -> tuple[object, ...]:
    """JSON lists without the spaces that only one of SQLite and Python writes."""
    return tuple(
        json.dumps(json.loads(value)) if isinstance(value, str) and value.startswith("[") else value for value in row
    )
