"""Every statement of the write transaction: values are bound, identifiers are literals, rows come many at a time.

Conflict clauses fill in missing values, and replace names for which there is better or newer evidence. They never
replace what a person has entered.
"""
# ruff: noqa: S608 - identifiers are literals of this package, or names from the schema, quoted

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from wkmp_assets.db.checked_rows import NEEDED, readable
from wkmp_assets.db.tables import IMAGES_OF_FILES, PASSAGES_OF_FILE, UNDO, WARNINGS, columns_of, quote_name
from wkmp_assets.model.rows import (
    AlbumRow,
    ArtistRow,
    FileImageRow,
    FileRow,
    ImageRow,
    PassageAlbumRow,
    PassageRow,
    PassageSongRow,
    ProvenanceRow,
    SongArtistRow,
    SongFlavor,
    SongRow,
    SongWorkRow,
    UndoRow,
    WarningRow,
    WorkRow,
)
from wkmp_assets.model.statuses import FileStatus

BEGIN = "BEGIN IMMEDIATE"
COMMIT = "COMMIT"
CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"
EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"
ROLLBACK = "ROLLBACK"


def values_of(rows: Sequence[Any]) -> list[Any]:
    """Return the values of rows of one class, flat, in column order."""
    if not rows:
        return []
    # Not `astuple`, which copies deeply and took longer than writing the rows.
    read = attrgetter(*columns_of(type(rows[0])))
    return [value for row in rows for value in read(row)]


def _replace_names(table: str, names: Sequence[str], *, fill_in: Sequence[str] = ()) -> str:
    """Return the conflict clause that replaces names by better evidence, and fills in other missing values.

    It compares and replaces in one statement, so two imports of one song need no order, and none of them reads first.
    Its functions are those of `db/write/names.py`. Written out in SQL, the comparison took longer to compile on a new
    connection than all other statements of a file.
    """
    changes, conditions = [], []
    for name in names:
        stored, new = f"{table}.{name}", f"excluded.{name}"
        # As bytes, because SQLite calls no function with a text that is not UTF-8.
        compared = f"(CAST({stored} AS BLOB), CAST({stored}_evidence AS BLOB), {new}, {new}_evidence)"
        changes += [f"{name} = kept_name{compared}", f"{name}_evidence = kept_evidence{compared}"]
        conditions.append(f"kept_evidence{compared} IS NOT {stored}_evidence")
    changes += [f"{name} = COALESCE({table}.{name}, excluded.{name})" for name in fill_in]
    conditions += [f"({table}.{name} IS NULL AND excluded.{name} IS NOT NULL)" for name in (*names, *fill_in)]
    return (
        f"ON CONFLICT DO UPDATE SET {', '.join(changes)}, updated_at = excluded.updated_at "
        f"WHERE {' OR '.join(conditions)}"
    )


_PASSAGE_OWNED = tuple(name for name in columns_of(PassageRow) if name not in {"guid", "file_id", "created_at"})

_MOVE_IMAGE = (
    "ON CONFLICT (guid) DO UPDATE SET file_path = excluded.file_path, updated_at = excluded.updated_at "
    "WHERE images.file_path IS NOT excluded.file_path"
)
"""The same picture, in another folder of covers."""

_TABLES: dict[type, tuple[str, str]] = {
    SongRow: ("songs", _replace_names("songs", ("title", "artist_name"), fill_in=("work_id",))),
    ArtistRow: ("artists", _replace_names("artists", ("name",))),
    WorkRow: ("works", _replace_names("works", ("title",))),
    AlbumRow: ("albums", _replace_names("albums", ("title", "release_date"))),
    PassageRow: (
        "passages",
        "ON CONFLICT (guid) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _PASSAGE_OWNED),
    ),
    PassageSongRow: ("passage_songs", ""),
    SongWorkRow: ("song_works", "ON CONFLICT DO NOTHING"),
    PassageAlbumRow: ("passage_albums", ""),
    ProvenanceRow: ("import_provenance", ""),
    ImageRow: ("images", _MOVE_IMAGE),
    FileImageRow: (IMAGES_OF_FILES, "ON CONFLICT DO NOTHING"),
    WarningRow: (WARNINGS, "ON CONFLICT DO NOTHING"),
}


def table_of(row_class: type) -> str:
    """Return the table of a row class."""
    return "song_artists" if row_class is SongArtistRow else _TABLES[row_class][0]


@lru_cache(maxsize=256)
def insert_rows(row_class: type, count: int) -> str:
    """Return the statement that inserts `count` rows of a class, with its conflict clause."""
    names = columns_of(row_class)
    placeholders = f"({', '.join('?' * len(names))})"
    values = ", ".join([placeholders] * count)
    if row_class is SongArtistRow:
        return _insert_song_artists(names, values)
    table, conflict = _TABLES[row_class]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {values} {conflict}"


def _insert_song_artists(names: tuple[str, ...], values: str) -> str:
    """Return the statement that inserts artists of songs without any: more would break the sum of a song's weights."""
    selected = ", ".join(f"new.column{number}" for number in range(1, len(names) + 1))
    return (
        f"INSERT INTO song_artists ({', '.join(names)}) SELECT {selected} FROM (VALUES {values}) AS new "
        "WHERE NOT EXISTS (SELECT 1 FROM song_artists AS old WHERE old.song_id = new.column1)"
    )


def _as_read(column: str) -> str:
    """Return a column as a reader sees it; ids stay bare, so that their index finds the row."""
    return column if column in NEEDED else readable(column)


_FILE_COLUMNS = columns_of(FileRow)
_FILE_CHANGED = tuple(name for name in _FILE_COLUMNS if name not in {"guid", "created_at"})

_NO_OTHER_COPY_IS_COMPLETE = (
    f"(? <> '{FileStatus.INGEST_COMPLETE}' OR NOT EXISTS (SELECT 1 FROM files AS other "
    f"WHERE other.hash = ? AND other.guid <> ? AND other.status = '{FileStatus.INGEST_COMPLETE}'))"
)
"""Guard: of several copies only one may be complete, and another run may have committed its copy first."""

INSERT_FILE = (
    f"INSERT INTO files ({', '.join(_FILE_COLUMNS)}) SELECT {', '.join('?' * len(_FILE_COLUMNS))} "
    f"WHERE {_NO_OTHER_COPY_IS_COMPLETE}"
)

UPDATE_FILE = (
    f"UPDATE files SET {', '.join(f'{name} = ?' for name in _FILE_CHANGED)} "
    f"WHERE {' AND '.join(f'{_as_read(name)} IS ?' for name in _FILE_COLUMNS)} "
    f"AND {PASSAGES_OF_FILE} IS ? AND {_NO_OTHER_COPY_IS_COMPLETE}"
)
"""Compare-and-set: changes nothing when the row or its passages are no longer what was read.

It compares every column that is written, because `updated_at` has whole seconds only. `IS`, because any may be NULL."""

MOVE_ASIDE = (
    "UPDATE files SET path = ?, updated_at = ? "
    f"WHERE guid = ? AND path IS ? AND hash IS ? AND {readable('status')} IS ?"
)
"""Moves a row from the path that another one takes: first to a name that no file has, then to the other's old path."""

UPDATE_COPY = (
    "UPDATE files SET matching_hashes = ?, updated_at = ? "
    f"WHERE guid = ? AND hash IS ? AND {readable('status')} IS ? AND {readable('matching_hashes')} IS ?"
)


@lru_cache(maxsize=64)
def update_song_flavors(count: int) -> str:
    """Return the statement that gives `count` songs their flavors: compare-and-set, with one row of values per song."""
    width = len(columns_of(SongFlavor))
    values = ", ".join([f"({', '.join('?' * width)})"] * count)
    return (
        "UPDATE songs SET flavor_vector = new.column2, flavor_source_blend = new.column3, status = new.column4, "
        f"updated_at = new.column5 FROM (VALUES {values}) AS new WHERE songs.guid = new.column1 "
        f"AND {readable('songs.flavor_vector')} IS new.column6 "
        f"AND {readable('songs.flavor_source_blend')} IS new.column7 AND {readable('songs.status')} IS new.column8"
    )


def file_update_values(row: FileRow) -> list[Any]:
    """Return the values of the SET part of `UPDATE_FILE`."""
    return [getattr(row, name) for name in _FILE_CHANGED]


@lru_cache(maxsize=64)
def delete_links(table: str, count: int) -> str:
    """Return the statement that deletes the rows of a link table that belong to `count` passages."""
    return f"DELETE FROM {table} WHERE passage_id IN ({', '.join('?' * count)})"


@lru_cache(maxsize=64)
def delete_passages(count: int, references: tuple[tuple[str, str], ...]) -> str:
    """Return the statement that deletes those of `count` passages that nothing refers to.

    Deleting a passage also deletes its play history and its place in the queue (ON DELETE CASCADE). The player may have
    added such a row after the library was read, so the statement itself checks again.
    """
    unreferenced = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM {quote_name(table)} AS r WHERE r.{quote_name(column)} = passages.guid)"
        for table, column in references
    )
    return f"DELETE FROM passages WHERE guid IN ({', '.join('?' * count)}){unreferenced}"


@lru_cache(maxsize=64)
def delete_references(table: str, column: str) -> str:
    """Return the statement that deletes the rows of a table whose column holds a value of a JSON list."""
    return f"DELETE FROM {quote_name(table)} WHERE {quote_name(column)} IN (SELECT value FROM json_each(?))"


@lru_cache(maxsize=64)
def delete_file(references: tuple[tuple[str, str], ...]) -> str:
    """Return the statement that deletes a file, unless one of some columns refers to it."""
    unreferenced = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM {quote_name(table)} AS r WHERE r.{quote_name(column)} = files.guid)"
        for table, column in references
    )
    return f"DELETE FROM files WHERE guid = ?{unreferenced}"


DELETE_FILE_IMAGES = f"DELETE FROM {IMAGES_OF_FILES} WHERE file_id = ? AND image_id IN (SELECT value FROM json_each(?))"
DELETE_UNUSED_IMAGES = (
    "DELETE FROM images WHERE guid IN (SELECT value FROM json_each(?)) "
    f"AND NOT EXISTS (SELECT 1 FROM {IMAGES_OF_FILES} AS used WHERE used.image_id = images.guid)"
)
DELETE_PASSAGE_IMAGES = (
    "DELETE FROM images WHERE image_type = 'passage' AND entity_id IN (SELECT value FROM json_each(?))"
)


UNMARK = "DELETE FROM missing_files WHERE path IN (SELECT value FROM json_each(?))"
MARK = (
    "INSERT INTO missing_files (path, missing_since) "
    "SELECT gone.value, ? FROM json_each(?) AS gone JOIN files ON files.path = gone.value "
    "WHERE true ON CONFLICT DO NOTHING"
)
"""Only for files that the library still has under that path: another import may have found them elsewhere."""
FORGET_FAILURES = "DELETE FROM import_failures WHERE path IN (SELECT value FROM json_each(?))"

DELETE_WARNINGS = f"DELETE FROM {WARNINGS} WHERE file_id = ?"

REMEMBER = (
    f"INSERT INTO {UNDO} ({', '.join(columns_of(UndoRow))}, after) "
    f"SELECT {', '.join('?' * len(columns_of(UndoRow)))}, text_digest({PASSAGES_OF_FILE}) FROM files WHERE guid = ? "
    "ON CONFLICT (run_id, file) DO UPDATE SET after = excluded.after"
)
"""A run that writes a file twice keeps what was there before the first time."""
FORGET_RUNS = f"DELETE FROM {UNDO} WHERE at < ?"

DELETE_FAILURE = "DELETE FROM import_failures WHERE path = ?"
INSERT_FAILURE = """
INSERT INTO import_failures (path, phase, code, message, failed_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (path) DO UPDATE SET phase = excluded.phase, code = excluded.code, message = excluded.message,
  failed_at = excluded.failed_at, attempts = import_failures.attempts + 1"""
