"""All rows of a library, for comparisons: two imports of the same music must give the same ids."""

import json
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

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
"""Columns with the time and the run of a write."""
_OF_THE_HISTORY = {"_sqlite_migrations", "import_undo"}
"""Tables that tell how the library came about: its schema, and what each run replaced."""
_EVIDENCE = "_evidence"
"""End of the columns with the time of the evidence for a name, which may be the time of a service's answer."""

_NAMED = ("songs", "artists", "works", "albums")
"""Tables of what several files may speak of; their first column is the guid."""
_SPOKEN_OF_ELSEWHERE = """
    WITH elsewhere AS (
        SELECT p.guid FROM passages AS p JOIN files AS f ON f.guid = p.file_id
        WHERE f.path NOT IN (SELECT value FROM json_each(?))),
    heard AS (SELECT song_id FROM passage_songs WHERE passage_id IN elsewhere)
    SELECT song_id FROM heard
    UNION SELECT artist_id FROM song_artists WHERE song_id IN heard
    UNION SELECT work_id FROM song_works WHERE song_id IN heard
    UNION SELECT album_id FROM passage_albums WHERE passage_id IN elsewhere"""


def library_rows(database: Path) -> Rows:
    """Return all rows of a library, without the time and the run that wrote them, and without the age of names."""
    with closing(sqlite3.connect(database)) as connection:
        return _rows(connection)


def rows_of_a_copy(database: Path) -> Rows:
    """Return the rows in a copy of the one file, read without any file beside it."""
    with TemporaryDirectory() as folder:
        copy = Path(shutil.copyfile(database, Path(folder) / database.name))
        with closing(sqlite3.connect(f"{copy.as_uri()}?immutable=1", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return _rows(connection)


@contextmanager
def a_player(database: Path) -> Iterator[sqlite3.Connection]:
    """Have a library open for the block, without a transaction."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, isolation_level=None)) as player:
        assert player.execute("SELECT count(*) FROM files").fetchone()
        yield player


def library_rows_of(database: Path, paths: Collection[str]) -> Rows:
    """Return the rows that a library would have if only some of its files had been imported."""
    with closing(sqlite3.connect(":memory:")) as part:
        _copy_part(database, part, paths)
        return _rows(part)


def make_library_of(database: Path, paths: Collection[str], new: Path) -> None:
    """Create a library with only some of another one's files."""
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
    """Return the files of a library; each must have all its rows, as in one of the references, and no others.

    What describes a song, an artist, a work or an album is only compared when all files that speak of it are there: the
    best evidence for a name may be in a file that is not.
    """
    paths, rows = paths_in(database), library_rows(database)
    if rows or paths:  # before the tables are created, which is one step, the library is empty
        assert any(_are_rows_of(rows, reference, paths) for reference in references)
    return paths


def _are_rows_of(rows: Rows, reference: Path, paths: Collection[str]) -> bool:
    with closing(sqlite3.connect(reference)) as whole:
        spoken_of = {guid for (guid,) in whole.execute(_SPOKEN_OF_ELSEWHERE, [json.dumps(list(paths))])}
    return _without_names(rows, spoken_of) == _without_names(library_rows_of(reference, paths), spoken_of)


def _without_names(rows: Rows, guids: Collection[object]) -> Rows:
    """Return the rows with nothing but the guid of some songs, artists, works and albums."""
    return rows | {
        table: [row[:1] if row[0] in guids else row for row in rows[table]] for table in _NAMED if table in rows
    }


def paths_in(database: Path) -> set[str]:
    """Return the files of a library; none when its tables do not exist yet."""
    with closing(sqlite3.connect(database)) as connection:
        if "files" not in _tables(connection):
            return set()
        return {path for (path,) in connection.execute("SELECT path FROM files")}


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _rows(connection: sqlite3.Connection) -> Rows:
    rows: Rows = {}
    for table in _tables(connection):
        if table in _OF_THE_HISTORY:
            continue
        names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        columns = [name for name in names if name not in _VOLATILE and not name.endswith(_EVIDENCE)]
        query = f'SELECT {", ".join(columns)} FROM "{table}"'  # noqa: S608 - names from the schema
        rows[table] = sorted((_comparable(row) for row in connection.execute(query)), key=repr)
    return rows


def _comparable(row: tuple[object, ...]) -> tuple[object, ...]:
    """Remove the spaces from JSON lists, which only one of SQLite and Python writes."""
    return tuple(
        json.dumps(json.loads(value)) if isinstance(value, str) and value.startswith("[") else value for value in row
    )
