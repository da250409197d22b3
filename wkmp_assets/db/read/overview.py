"""Read all passages of a library, for the library report."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.checked_rows import readable
from wkmp_assets.db.connection import open_reader, snapshot
from wkmp_assets.db.read.select import column_list, has_table

MAX_FLAVORS = 1500
"""Number of flavors read for the map. More points could not be distinguished on a screen."""
MAX_EXTREMES = 5

_COLUMNS = (
    "guid", "file_id", "start_time_ticks", "end_time_ticks", "lead_in_start_ticks", "lead_out_start_ticks",
    "title", "user_title", "artist", "recording_mbid", "identity_confidence", "musical_flavor_vector",
)  # fmt: skip


@dataclass(frozen=True)
class PassageNumbers:
    """One passage without its names."""

    length_ticks: int
    lead_in_ticks: int | None
    """From its start to its lead-in point."""
    lead_out_ticks: int | None
    """From its lead-out point to its end."""
    confidence: float | None
    has_song: bool


@dataclass(frozen=True)
class NamedPassage:
    """One passage with its names."""

    path: str
    start_ticks: int
    length_ticks: int
    title: str | None
    artist: str | None
    flavor: str | None = None
    """`passages.musical_flavor_vector`, as stored."""


@dataclass(frozen=True)
class LibraryOverview:
    """All passages as numbers, and some with their names."""

    passages: tuple[PassageNumbers, ...] = ()
    longest: tuple[NamedPassage, ...] = ()
    shortest: tuple[NamedPassage, ...] = ()
    flavored: tuple[NamedPassage, ...] = ()
    """The first `MAX_FLAVORS` by guid. Guids begin like a hash of their file, so this is a fair sample."""
    flavored_total: int = 0


def read_overview(database: Path) -> LibraryOverview:
    """Read the passages of a library in one snapshot; none when there is no library yet."""
    with open_reader(database) as connection:
        if connection is None:
            return LibraryOverview()
        with snapshot(connection):
            return _read(connection) if has_table(connection, "passages") else LibraryOverview()


def _read(connection: sqlite3.Connection) -> LibraryOverview:
    # SQLite takes bytes and text for 0 when it subtracts.
    passages = f"""(
        SELECT * FROM (SELECT {column_list(connection, "passages", _COLUMNS)} FROM passages)
        WHERE typeof(start_time_ticks) = 'integer' AND typeof(end_time_ticks) = 'integer')"""  # noqa: S608 - literals only
    flavored = "WHERE p.musical_flavor_vector IS NOT NULL"
    (total,) = connection.execute(f"SELECT count(*) FROM {passages} AS p {flavored}").fetchone()  # noqa: S608 - literals only
    return LibraryOverview(
        passages=tuple(_numbers(connection, passages)),
        longest=tuple(_named(connection, passages, "ORDER BY length_ticks DESC, p.guid", MAX_EXTREMES)),
        shortest=tuple(_named(connection, passages, "ORDER BY length_ticks, p.guid", MAX_EXTREMES)),
        flavored=tuple(_named(connection, passages, f"{flavored} ORDER BY p.guid", MAX_FLAVORS)),
        flavored_total=total,
    )


def _numbers(connection: sqlite3.Connection, passages: str) -> Iterator[PassageNumbers]:
    query = f"""
        SELECT end_time_ticks - start_time_ticks, {readable("lead_in_start_ticks")} - start_time_ticks,
               end_time_ticks - {readable("lead_out_start_ticks")}, identity_confidence, recording_mbid IS NOT NULL
        FROM {passages}"""  # noqa: S608 - literals only
    for length, lead_in, lead_out, confidence, has_song in connection.execute(query):
        yield PassageNumbers(length, lead_in, lead_out, confidence, bool(has_song))


def _named(connection: sqlite3.Connection, passages: str, which: str, most: int) -> Iterator[NamedPassage]:
    query = f"""
        SELECT f.path, p.start_time_ticks AS start_ticks, p.end_time_ticks - p.start_time_ticks AS length_ticks,
               COALESCE(p.user_title, p.title) AS title, p.artist, p.musical_flavor_vector AS flavor
        FROM {passages} AS p JOIN files AS f ON f.guid = p.file_id {which} LIMIT ?"""  # noqa: S608 - literals only
    for row in connection.execute(query, [most]):
        yield NamedPassage(**dict(row))
