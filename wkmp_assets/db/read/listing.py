"""Read the passages of a library as people know them: by file, number, names and song."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from wkmp_assets.db.connection import open_reader
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


@contextmanager
def open_listed(database: Path) -> Iterator[sqlite3.Connection | None]:
    """Open a library whose passages can be listed; None when there is none yet, or it has no songs."""
    with open_reader(database) as connection:
        yield connection if connection is not None and has_table(connection, "songs") else None


def read_passages(database: Path, within: str = "") -> list[ListedPassage]:
    """Read the passages below a folder, by path and start; none when there is no library yet.

    Parameters
    ----------
    database : Path
        The library.
    within : str
        A folder below its root, or the path of one file; `""` for all.
    """
    with open_listed(database) as connection:
        return [] if connection is None else _read(connection, *within_files(within))


def read_file_passages(database: Path, path: str) -> list[ListedPassage]:
    """Read the passages of the file of a path, by start."""
    with open_listed(database) as connection:
        return [] if connection is None else _read(connection, "path = ?", [path])


def read_named_passages(database: Path, passages: Collection[str]) -> dict[str, ListedPassage]:
    """Read some passages by their guids, without those that the library does not have."""
    with open_listed(database) as connection:
        if connection is None:
            return {}
        query = "SELECT file_id FROM passages WHERE guid IN"
        files = json.dumps(sorted({row["file_id"] for row in select_in(connection, query, passages)}))
        found = _read(connection, "guid IN (SELECT value FROM json_each(?))", [files])
    wanted = frozenset(passages)
    return {one.passage: one for one in found if one.passage in wanted}


def read_recording(database: Path, recording: str) -> list[ListedPassage]:
    """Read the passages of a recording by its MBID, by path and start."""
    with open_listed(database) as connection:
        if connection is None:
            return []
        files = f"""guid IN (
            SELECT p.file_id FROM (SELECT {column_list(connection, "passages", _PASSAGES)} FROM passages) AS p
            LEFT JOIN (SELECT {column_list(connection, "songs", _SONGS)} FROM songs) AS s ON s.guid = p.song_id
            WHERE COALESCE(p.recording_mbid, s.recording_mbid) = ?)"""  # noqa: S608 - literals only
        found = _read(connection, files, [recording])
    return [one for one in found if one.recording_mbid == recording]


def read_missing_passages(database: Path) -> set[str]:
    """Read the guids of the passages whose files the last scan did not find."""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "missing_files") or not has_table(connection, "passages"):
            return set()
        query = """
            SELECT p.guid FROM missing_files AS m JOIN files AS f ON f.path = m.path
            JOIN passages AS p ON p.file_id = f.guid"""
        return {row["guid"] for row in connection.execute(query)}


def select_names(connection: sqlite3.Connection, within: str = "") -> Iterator[tuple[str | None, ...]]:
    """Yield guid, title, artist, album and path of each passage below a folder."""
    files, parameters = within_files(within)
    query = f"SELECT p.guid AS passage, {_NAMES}, f.path {_from(connection, files)}"
    yield from map(tuple, connection.execute(query, parameters))


def within_files(within: str) -> tuple[str, list[str]]:
    """Return the SQL condition that a file lies in a folder or is the one of that path, and its parameters."""
    if is_within("", within):
        return "TRUE", []
    # `0` follows `/`, so the index on paths finds what is below the folder.
    return "(path = ? OR path > ? AND path < ?)", [within, f"{within}/", f"{within}0"]


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


_NAMES = """COALESCE(p.user_title, p.title, s.title) AS title, COALESCE(p.artist, s.artist_name) AS artist, p.album"""


def _from(connection: sqlite3.Connection, files: str) -> str:
    """Return the tables of a query, with the files that fulfil a condition, for a library that may lack columns."""
    return f"""
        FROM (SELECT {column_list(connection, "files", _FILES)} FROM files WHERE {files}) AS f
        JOIN (SELECT {column_list(connection, "passages", _PASSAGES)} FROM passages) AS p ON p.file_id = f.guid
        LEFT JOIN (SELECT {column_list(connection, "songs", _SONGS)} FROM songs) AS s ON s.guid = p.song_id"""  # noqa: S608 - literals only


def _read(connection: sqlite3.Connection, files: str, parameters: Sequence[str]) -> list[ListedPassage]:
    """Read the passages of the files that fulfil a condition."""
    is_missing = "f.path IN (SELECT path FROM missing_files)" if has_table(connection, "missing_files") else "0"
    query = f"""
        SELECT p.guid AS passage, f.guid AS file_id, f.path, p.start_time_ticks, p.end_time_ticks,
               p.lead_in_start_ticks, p.lead_out_start_ticks, {_NAMES}, f.track_number, f.year, f.format,
               s.guid AS song, COALESCE(p.recording_mbid, s.recording_mbid) AS recording_mbid,
               p.identity_confidence AS confidence, {is_missing} AS is_missing
        {_from(connection, files)}
        ORDER BY f.path, p.start_time_ticks, p.guid"""
    found = []
    for _, rows in groupby(connection.execute(query, parameters), key=itemgetter("file_id")):
        of_file = list(rows)
        found += [_listed(row, number, len(of_file)) for number, row in enumerate(of_file, 1)]
    return found


def _listed(row: sqlite3.Row, number: int, passages: int) -> ListedPassage:
    start, end = row["start_time_ticks"] or 0, row["end_time_ticks"] or 0
    lead_in, lead_out = row["lead_in_start_ticks"], row["lead_out_start_ticks"]
    return ListedPassage(
        passage=row["passage"],
        path=row["path"],
        number=number,
        passages=passages,
        start_s=to_seconds(start),
        end_s=to_seconds(end),
        lead_in_s=None if lead_in is None else to_seconds(lead_in),
        lead_out_s=None if lead_out is None else to_seconds(lead_out),
        title=row["title"],
        artist=row["artist"],
        album=row["album"],
        track_number=row["track_number"],
        year=row["year"],
        format=row["format"],
        song=row["song"],
        recording_mbid=row["recording_mbid"],
        confidence=row["confidence"],
        is_missing=bool(row["is_missing"]),
        start_ticks=start,
        end_ticks=end,
    )
