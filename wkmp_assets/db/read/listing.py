"""Read the passages of a library as people know them: by file, number, names and song."""

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.db.read.select import column_list, has_table, select_in
from wkmp_assets.model.file_key import is_within
from wkmp_assets.model.ticks import to_seconds

_FILES = ("guid", "path", "format", "track_number", "year")
_PASSAGES = (
    "guid", "file_id", "start_time_ticks", "end_time_ticks", "lead_in_start_ticks", "lead_out_start_ticks", "title",
    "user_title", "artist", "album", "recording_mbid", "song_id", "identity_confidence",
)  # fmt: skip
_SONGS = ("guid", "title", "artist_name", "recording_mbid")


@dataclass(frozen=True)
class ListedPassage:
    """One passage: a stretch of a file, with its names and its song. Times are seconds from the start of the file."""

    passage: str
    """Its guid."""
    path: str
    """Of the file, below the root of the library."""
    number: int
    """Of the passage in its file, from 1."""
    passages: int
    """How many the file has."""
    start_s: float
    end_s: float
    lead_in_s: float | None
    lead_out_s: float | None
    title: str | None
    """A person's own title, else that of the import, else that of the song."""
    artist: str | None
    album: str | None
    track_number: int | None
    year: int | None
    format: str | None
    song: str | None
    """Guid of its song; None while nothing has identified it."""
    recording_mbid: str | None
    confidence: float | None
    """How sure the song is, 0..1."""
    is_missing: bool
    """Whether the last scan did not find the file."""
    start_ticks: int
    """The exact place, in units of 1/28,224,000 s."""
    end_ticks: int

    @property
    def length_s(self) -> float:
        """Seconds from start to end."""
        return self.end_s - self.start_s

    @property
    def name(self) -> str:
        """Title and artist in one line; without a title the name of the file, and the number where it has several."""
        number = f" ({self.number})" if self.passages > 1 else ""
        return f"{self.title or Path(self.path).stem + number}{f' - {self.artist}' if self.artist else ''}"


def read_passages(database: Path, within: str = "") -> list[ListedPassage]:
    """Read the passages below a folder, by path and start; none when there is no library yet.

    Parameters
    ----------
    database : Path
        The library.
    within : str
        A folder below its root, or the path of one file; `""` for all.
    """
    missing = {file.path for file in read_missing(database)}
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "songs"):
            return []
        rows = connection.execute(_select(connection)).fetchall()
    inside = [row for row in rows if row["path"] == within or is_within(row["path"], within)]
    return [_listed(row, is_missing=row["path"] in missing) for row in inside]


def stream_flavors(database: Path, passages: Collection[str] | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield the guid of every passage that has a flavor, and the stored text as it is; or only of some passages."""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "songs"):
            return
        query = f"SELECT guid, CAST(flavor AS BLOB) AS flavor_bytes FROM ({_select_flavors(connection)})"  # noqa: S608 - literals only
        if passages is None:
            yield from map(tuple, connection.execute(query))
        else:
            yield from map(tuple, select_in(connection, f"{query} WHERE guid IN", passages))


def _select_flavors(connection: sqlite3.Connection) -> str:
    flavors = f"SELECT {column_list(connection, 'passages', ['guid', 'musical_flavor_vector'])} FROM passages"  # noqa: S608 - literals only
    return f"SELECT guid, musical_flavor_vector AS flavor FROM ({flavors}) WHERE musical_flavor_vector IS NOT NULL"  # noqa: S608 - literals only


def _select(connection: sqlite3.Connection) -> str:
    """Return the query, for a library that may lack some columns."""
    return f"""
        SELECT p.guid AS passage, f.path,
               row_number() OVER (PARTITION BY f.guid ORDER BY p.start_time_ticks, p.guid) AS number,
               count(*) OVER (PARTITION BY f.guid) AS passages,
               p.start_time_ticks, p.end_time_ticks, p.lead_in_start_ticks, p.lead_out_start_ticks,
               COALESCE(p.user_title, p.title, s.title) AS title, COALESCE(p.artist, s.artist_name) AS artist, p.album,
               f.track_number, f.year, f.format, s.guid AS song,
               COALESCE(p.recording_mbid, s.recording_mbid) AS recording_mbid, p.identity_confidence AS confidence
        FROM (SELECT {column_list(connection, "passages", _PASSAGES)} FROM passages) AS p
        JOIN (SELECT {column_list(connection, "files", _FILES)} FROM files) AS f ON f.guid = p.file_id
        LEFT JOIN (SELECT {column_list(connection, "songs", _SONGS)} FROM songs) AS s
               ON s.guid = p.song_id
        ORDER BY f.path, number"""  # noqa: S608 - literals only


def _listed(row: sqlite3.Row, *, is_missing: bool) -> ListedPassage:
    fields = dict(row)
    times = ("start_time_ticks", "end_time_ticks", "lead_in_start_ticks", "lead_out_start_ticks")
    ticks = [fields.pop(name) for name in times]
    start_s, end_s, lead_in_s, lead_out_s = (None if one is None else to_seconds(one) for one in ticks)
    return ListedPassage(
        **fields,
        start_s=start_s or 0.0,
        end_s=end_s or 0.0,
        lead_in_s=lead_in_s,
        lead_out_s=lead_out_s,
        is_missing=is_missing,
        start_ticks=ticks[0] or 0,
        end_ticks=ticks[1] or 0,
    )
