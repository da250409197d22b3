"""Read the files that WKMP marked complete but left half-made.

WKMP writes neither the strategy of an import nor what only this import finds: links to songs, artists, flavors. So a
file is WKMP's until an import of ours has written a passage of it. Afterwards, passages that WKMP made may stay beside
ours, because people use them. Those are judged alone, by what a passage with a song has in any case.
"""

# ruff: noqa: S608 - literals of this module, and names from the schema

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import column_list, has_table
from wkmp_assets.db.tables import IMPORT_STRATEGY
from wkmp_assets.model.statuses import FINISHED, FileStatus, PassageStatus
from wkmp_assets.model.ticks import TICKS_PER_SECOND, to_seconds

LACKS = ("passages", "format", "lead points", "links to songs", "names of songs", "artists", "flavors")
"""What a file may lack, in the order in which people read it."""
_FALLBACK_TICKS = 6 * TICKS_PER_SECOND // 10
"""Four times the 0.1 s to which WKMP rounds a quarter of a passage, and half as much for the last, shorter window."""

_FILES = ("guid", "path", "status", "format")
_PASSAGES = (
    "guid", "file_id", "start_time_ticks", "end_time_ticks", "lead_in_start_ticks", "lead_out_start_ticks", "song_id",
    "musical_flavor_vector", "import_strategy", "status",
)  # fmt: skip


@dataclass(frozen=True)
class IncompleteFile:
    """A file that another program marked complete, and that lacks something."""

    path: str
    lacks: tuple[str, ...]
    """Of `LACKS`, in that order."""
    cannot_because: str = ""
    """Why it cannot be completed now; empty when it can."""


def read_incomplete(database: Path, paths: Sequence[str] | None = None) -> list[IncompleteFile]:
    """Read the files that WKMP left half-made, by path; none when there is no library yet.

    Parameters
    ----------
    database : Path
        The library.
    paths : sequence of str, optional
        Only these files. None for all.
    """
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "files") or not has_table(connection, "passages"):
            return []
        rows = connection.execute(_select(connection)).fetchall()
    wanted = None if paths is None else set(paths)
    return [
        IncompleteFile(row["path"], lacks, _why_not(row, lacks))
        for row in rows
        if (lacks := tuple(name for name in LACKS if row[f"no {name}"]))
        if wanted is None or row["path"] in wanted
    ]


def _select(connection: sqlite3.Connection) -> str:
    """Return the query, for a library that may lack tables and columns."""
    passages = f"(SELECT {column_list(connection, 'passages', _PASSAGES)} FROM passages)"
    songs = f"SELECT 1 FROM (SELECT {column_list(connection, 'songs', ('guid', 'title'))} FROM songs)"
    is_named = (
        f"EXISTS ({songs} WHERE guid = p.song_id AND title IS NOT NULL)" if has_table(connection, "songs") else "1"
    )
    failure = "(SELECT code FROM import_failures WHERE path = f.path)"
    missing = "(SELECT path FROM missing_files WHERE path = f.path)"
    lacks = f"p.musical_flavor_vector IS NULL OR {_LEAD_POINTS_ARE_MISSING}"
    finished = ", ".join(f"'{status}'" for status in sorted(FINISHED))
    return f"""
        SELECT f.path, {failure if has_table(connection, "import_failures") else "NULL"} AS failure,
               {missing if has_table(connection, "missing_files") else "NULL"} AS missing,
               count(p.guid) = 0 AS "no passages",
               NOT is_kept AND (f.format IS NULL OR f.format = 'Unknown') AS "no format",
               max(p.guid IS NOT NULL AND ({_LEAD_POINTS_ARE_MISSING})) AS "no lead points",
               max(p.song_id IS NOT NULL AND NOT {_exists(connection, "passage_songs", "passage_id = p.guid")}
                 AND (NOT is_kept OR {_exists(connection, "songs", "guid = p.song_id")})) AS "no links to songs",
               max(p.song_id IS NOT NULL AND NOT is_kept AND NOT {is_named}) AS "no names of songs",
               max(p.song_id IS NOT NULL AND NOT is_kept
                 AND NOT {_exists(connection, "song_artists", "song_id = p.song_id")}) AS "no artists",
               max(p.guid IS NOT NULL AND p.musical_flavor_vector IS NULL) AS "no flavors",
               f.status, is_kept, min(p.start_time_ticks) FILTER (WHERE {lacks}) AS start_ticks,
               max(p.end_time_ticks) FILTER (WHERE {lacks}) AS end_ticks, count(p.guid) FILTER (WHERE {lacks}) AS count
        FROM (
          SELECT *, status <> '{FileStatus.INGEST_COMPLETE}' OR EXISTS (SELECT 1 FROM {passages} AS ours
            WHERE ours.file_id = all_files.guid AND ours.import_strategy = '{IMPORT_STRATEGY}') AS is_kept
          FROM (SELECT {column_list(connection, "files", _FILES)} FROM files) AS all_files
        ) AS f
        LEFT JOIN {passages} AS p ON p.file_id = f.guid
        WHERE f.status IN ({finished}) AND p.import_strategy IS NOT '{IMPORT_STRATEGY}'
          AND (NOT is_kept OR p.status = '{PassageStatus.INGEST_COMPLETE}')
        GROUP BY f.guid ORDER BY f.path"""


def _exists(connection: sqlite3.Connection, table: str, condition: str) -> str:
    """Return the condition that a table has such a row; no row is in a table that the library lacks."""
    return f"EXISTS (SELECT 1 FROM {table} WHERE {condition})" if has_table(connection, table) else "0"


_LEAD_POINTS_ARE_MISSING = f"""
p.lead_in_start_ticks IS NULL OR p.lead_out_start_ticks IS NULL OR (
  abs(4 * (p.lead_in_start_ticks - p.start_time_ticks) - (p.end_time_ticks - p.start_time_ticks)) <= {_FALLBACK_TICKS}
  AND abs(4 * (p.end_time_ticks - p.lead_out_start_ticks) - (p.end_time_ticks - p.start_time_ticks))
    <= {_FALLBACK_TICKS})"""
"""WKMP's thresholds are never reached, so it takes a quarter of the passage at each end."""


def _why_not(row: sqlite3.Row, lacks: Sequence[str]) -> str:
    if row["missing"] is not None:
        return "it is not on disk"
    if row["failure"] is not None:
        return f"it cannot be imported ({row['failure']}); wkmp failures FOLDER says why and what to do"
    return _why_kept(row) if row["is_kept"] and "links to songs" not in lacks else ""


def _why_kept(row: sqlite3.Row) -> str:
    place = f"from {to_seconds(row['start_ticks']):.1f} s to {to_seconds(row['end_ticks']):.1f} s"
    what = "a passage that WKMP made" if row["count"] == 1 else f"{row['count']} passages that WKMP made"
    said, them = f"people use {what}, {place}, and", "it" if row["count"] == 1 else "them"
    if row["status"] == FileStatus.DUPLICATE_HASH:
        return f"{said} the file is a copy of another; remove {them} in the player"
    return (
        f"{said} the import finds other boundaries; remove {them} in the player, or change silence_threshold_dB and "
        f"silence_min_duration_ticks until the import finds {them}: wkmp import FOLDER --complete"
    )
