"""Read all that a library knows about one file: its passages, their songs and albums, and why each was named so."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.file_warnings import read_warnings_of
from wkmp_assets.db.read.listing import ListedPassage, read_file_passages
from wkmp_assets.db.read.select import column_list, has_table
from wkmp_assets.model.flavor import Flavor, parse_flavor
from wkmp_assets.model.json_text import parse_object
from wkmp_assets.model.ticks import to_seconds

_NAMED = ("title", "artist", "album", "mbid")
_FILES = ("guid", "path", "hash", "duration_ticks", "format", "sample_rate", "channels", "file_size_bytes", "status")


@dataclass(frozen=True)
class Evidence:
    """What one source says about a passage."""

    source: str
    confidence: float | None
    said: dict[str, Any]


@dataclass(frozen=True)
class PassageDetails:
    """One passage of a file."""

    listed: ListedPassage
    named_by: dict[str, str]
    """`title`, `artist`, `album` and `mbid` -> where each came from."""
    evidence: tuple[Evidence, ...]
    artists: tuple[str, ...]
    """Of its song."""
    works: tuple[str, ...]
    albums: tuple[str, ...]
    flavor: Flavor
    additional: dict[str, Any]
    """`measured`, `file_tags`, `tag_sources`, and what people noted."""


@dataclass(frozen=True)
class FileDetails:
    """One file of a library."""

    path: str
    status: str | None
    content_hash: str | None
    format: str | None
    sample_rate: int | None
    channels: int | None
    size_bytes: int | None
    length_s: float | None
    warnings: tuple[tuple[str, str], ...] = ()
    """Kind and message."""
    passages: tuple[PassageDetails, ...] = field(default=())


def read_file_details(database: Path, path: str) -> FileDetails | None:
    """Read one file; None when the library does not have it."""
    listed = read_file_passages(database, path)
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "files"):
            return None
        query = f"SELECT {column_list(connection, 'files', _FILES)} FROM files WHERE path = ?"  # noqa: S608 - literals only
        row = connection.execute(query, [path]).fetchone()
        if row is None:
            return None
        warnings = tuple((str(one.kind), one.text) for one in read_warnings_of(connection, row["guid"]))
        passages = tuple(_details(connection, one) for one in listed)
    return FileDetails(
        path=path,
        status=row["status"],
        content_hash=row["hash"],
        format=row["format"],
        sample_rate=row["sample_rate"],
        channels=row["channels"],
        size_bytes=row["file_size_bytes"],
        length_s=None if row["duration_ticks"] is None else to_seconds(row["duration_ticks"]),
        warnings=warnings,
        passages=passages,
    )


def _details(connection: sqlite3.Connection, listed: ListedPassage) -> PassageDetails:
    sources = [f"{name}_source" for name in _NAMED]
    columns = column_list(connection, "passages", [*sources, "musical_flavor_vector", "additional_metadata"])
    row = connection.execute(f"SELECT {columns} FROM passages WHERE guid = ?", [listed.passage]).fetchone()  # noqa: S608 - literals only
    return PassageDetails(
        listed=listed,
        named_by={name: row[f"{name}_source"] for name in _NAMED if row[f"{name}_source"]},
        evidence=tuple(_evidence(connection, listed.passage)),
        artists=_names(connection, "artists", "name", "song_artists", "artist_id", "song_id", listed.song),
        works=_names(connection, "works", "title", "song_works", "work_id", "song_id", listed.song),
        albums=_names(connection, "albums", "title", "passage_albums", "album_id", "passage_id", listed.passage),
        flavor=parse_flavor(row["musical_flavor_vector"]).flavor,
        additional=_object(row["additional_metadata"]),
    )


def _evidence(connection: sqlite3.Connection, passage: str) -> Iterator[Evidence]:
    if not has_table(connection, "import_provenance"):
        return
    query = """
        SELECT source_type, confidence, data_extracted FROM import_provenance
        WHERE passage_id = ? AND source_type <> 'Chromaprint' ORDER BY confidence DESC, source_type"""
    for row in connection.execute(query, [passage]):
        yield Evidence(row["source_type"], row["confidence"], _object(row["data_extracted"]))


def _names(
    connection: sqlite3.Connection, table: str, name: str, links: str, to: str, of: str, guid: str | None
) -> tuple[str, ...]:
    if guid is None or not has_table(connection, links):
        return ()
    query = (
        f"SELECT t.{name} AS name FROM {links} AS l JOIN {table} AS t ON t.guid = l.{to} WHERE l.{of} = ? ORDER BY 1"  # noqa: S608 - literals only
    )
    return tuple(row["name"] for row in connection.execute(query, [guid]))


def _object(text: str | None) -> dict[str, Any]:
    return parse_object(text) or {}
