"""Read all rows of some files, for the asset checks to judge.

A library that no import has written to yet has nothing to audit.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wkmp_assets.db.connection import open_reader, snapshot
from wkmp_assets.db.read.select import has_original, has_table
from wkmp_assets.db.tables import quote_name


@dataclass(frozen=True)
class AuditedPassage:
    """One passage, with what belongs to it."""

    guid: str
    start_ticks: int
    end_ticks: int
    fade_in_ticks: int | None
    lead_in_ticks: int | None
    lead_out_ticks: int | None
    fade_out_ticks: int | None
    status: str | None
    run_id: str | None
    """The run that last wrote it; None when only people or other programs wrote it."""
    imported_at: str | None
    songs: int
    """Number of links to songs that the same import wrote. People may have added others."""
    albums: int
    provenance: int
    flavor: str | None = None
    missing: tuple[str, ...] = ()
    """Rows that it refers to, itself or through its songs, and that do not exist."""


@dataclass(frozen=True)
class AuditedFile:
    """One row of `files`, with its passages in order of their start."""

    guid: str
    path: str
    content_hash: str
    status: str | None
    duration_ticks: int | None
    has_original: bool
    """Whether a completely imported file with the same content is among its `matching_hashes`."""
    passages: tuple[AuditedPassage, ...] = ()


@dataclass(frozen=True)
class LibraryAudit:
    """The files that were asked for, as found in the library."""

    by_path: dict[str, AuditedFile] = field(default_factory=dict)
    by_guid: dict[str, AuditedFile] = field(default_factory=dict)
    ownerless: dict[str, int] = field(default_factory=dict)
    """Guid that was asked for -> number of its passages, where there is no such file."""
    failures: frozenset[str] = frozenset()
    """Paths that were asked for and are recorded as failed."""


_FILES = f"""
SELECT f.guid, f.path, f.hash AS content_hash, f.status, f.duration_ticks, {has_original("files")} AS has_original
FROM files AS f
WHERE f.path IN (SELECT value FROM json_each(:paths)) OR f.guid IN (SELECT value FROM json_each(:guids))"""  # noqa: S608 - literals only

_PASSAGES = """
SELECT p.file_id, p.guid, p.start_time_ticks AS start_ticks, p.end_time_ticks AS end_ticks,
       p.fade_in_start_ticks AS fade_in_ticks, p.lead_in_start_ticks AS lead_in_ticks,
       p.lead_out_start_ticks AS lead_out_ticks, p.fade_out_start_ticks AS fade_out_ticks,
       p.musical_flavor_vector AS flavor, p.status, p.import_session_id AS run_id, p.import_timestamp AS imported_at,
       (SELECT count(*) FROM passage_songs AS l
        WHERE l.passage_id = p.guid AND l.created_at IS p.import_timestamp) AS songs,
       (SELECT count(*) FROM passage_albums AS l
        WHERE l.passage_id = p.guid AND l.created_at IS p.import_timestamp) AS albums,
       (SELECT count(*) FROM import_provenance AS l WHERE l.passage_id = p.guid
        AND l.timestamp IS CAST(strftime('%s', p.import_timestamp) AS INTEGER)) AS provenance
FROM passages AS p WHERE p.file_id IN (SELECT value FROM json_each(:guids))
ORDER BY p.start_time_ticks, p.end_time_ticks, p.guid"""
"""An import stamps all its rows with one time, which distinguishes its links from those that people add."""

_MISSING = """
WITH asked AS (SELECT guid, song_id FROM passages WHERE file_id IN (SELECT value FROM json_each(:guids)))
SELECT asked.guid, 'song ' || asked.song_id AS what FROM asked
WHERE asked.song_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM songs WHERE guid = asked.song_id)
UNION SELECT asked.guid, 'song ' || l.song_id FROM asked JOIN passage_songs AS l ON l.passage_id = asked.guid
WHERE NOT EXISTS (SELECT 1 FROM songs WHERE guid = l.song_id)
UNION SELECT asked.guid, 'album ' || l.album_id FROM asked JOIN passage_albums AS l ON l.passage_id = asked.guid
WHERE NOT EXISTS (SELECT 1 FROM albums WHERE guid = l.album_id)
UNION SELECT asked.guid, 'artist ' || s.artist_id FROM asked
JOIN passage_songs AS l ON l.passage_id = asked.guid JOIN song_artists AS s ON s.song_id = l.song_id
WHERE NOT EXISTS (SELECT 1 FROM artists WHERE guid = s.artist_id)
UNION SELECT asked.guid, 'work ' || s.work_id FROM asked
JOIN passage_songs AS l ON l.passage_id = asked.guid JOIN song_works AS s ON s.song_id = l.song_id
WHERE NOT EXISTS (SELECT 1 FROM works WHERE guid = s.work_id)"""


def audit_files(database: Path, paths: Collection[str], guids: Collection[str]) -> LibraryAudit:
    """Read all rows of some files, in one snapshot of the library.

    Parameters
    ----------
    database : Path
        The library.
    paths : collection of str
        Files to read by path.
    guids : collection of str
        Files to read by guid, whatever their path is.
    """
    with open_reader(database) as connection:
        # A library that has this table also has every column that an older one lacks.
        if connection is None or not has_table(connection, "import_failures"):
            return LibraryAudit()
        with snapshot(connection):
            return _audit(connection, paths, guids)


def _audit(connection: sqlite3.Connection, paths: Collection[str], guids: Collection[str]) -> LibraryAudit:
    asked = {"paths": json.dumps(list(paths)), "guids": json.dumps(list(guids))}
    rows = connection.execute(_FILES, asked).fetchall()
    known = {row["guid"] for row in rows}
    passages = _passages(connection, known | set(guids))
    files = [
        AuditedFile(
            row["guid"],
            row["path"],
            row["content_hash"],
            row["status"],
            row["duration_ticks"],
            bool(row["has_original"]),
            tuple(passages.get(row["guid"], ())),
        )
        for row in rows
    ]
    failed = "SELECT path FROM import_failures WHERE path IN (SELECT value FROM json_each(:paths))"
    return LibraryAudit(
        by_path={file.path: file for file in files},
        by_guid={file.guid: file for file in files},
        ownerless={owner: len(found) for owner, found in passages.items() if owner not in known},
        failures=frozenset(row["path"] for row in connection.execute(failed, asked)),
    )


def _passages(connection: sqlite3.Connection, owners: Collection[str]) -> dict[str, list[AuditedPassage]]:
    """Return guid of file -> its passages, even if there is no such file."""
    asked = {"guids": json.dumps(list(owners))}
    missing: dict[str, list[str]] = {}
    for row in connection.execute(_MISSING, asked):
        missing.setdefault(row["guid"], []).append(row["what"])
    passages: dict[str, list[AuditedPassage]] = {}
    for row in connection.execute(_PASSAGES, asked):
        columns = dict(row)
        found = passages.setdefault(columns.pop("file_id"), [])
        found.append(AuditedPassage(**columns, missing=tuple(missing.get(row["guid"], ()))))
    return passages


@dataclass(frozen=True)
class BrokenReference:
    """A row that refers to a row that does not exist."""

    table: str
    rowid: int | None
    refers_to: str
    """The table it refers to, or SQLite's error message when the table cannot be checked."""


def find_broken_references(database: Path) -> Iterator[BrokenReference]:
    """Check every foreign key of the library, including tables of other WKMP programs.

    It reads every row once: 0.6 s for 50,000 files with 60,000 passages. Do not call it in every run: an import of
    50,000 files in runs of 50 would take five minutes longer.
    """
    with open_reader(database) as connection:
        if connection is None:
            return
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (table,) in tables:
            try:
                # Table by table, because a key that an older schema declares wrongly would end the check of all.
                for row in connection.execute(f"PRAGMA foreign_key_check({quote_name(table)})"):
                    yield BrokenReference(row[0], row[1], row[2])
            except sqlite3.OperationalError as error:
                yield BrokenReference(table, None, str(error))
