"""A library as WKMP itself makes it: its tables without CHECKs, and files that are complete in name only."""

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import mutagen

from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets_tests.support.builders import mbid

_TABLES = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT, updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE files (guid TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, duration_ticks INTEGER,
  modification_time TIMESTAMP NOT NULL, created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, format TEXT, status TEXT DEFAULT 'PENDING');
CREATE TABLE passages (guid TEXT PRIMARY KEY, file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
  start_time_ticks INTEGER NOT NULL DEFAULT 0, fade_in_start_ticks INTEGER, lead_in_start_ticks INTEGER,
  lead_out_start_ticks INTEGER, fade_out_start_ticks INTEGER, end_time_ticks INTEGER NOT NULL, title TEXT,
  user_title TEXT, song_id TEXT, status TEXT DEFAULT 'PENDING');
CREATE TABLE songs (guid TEXT PRIMARY KEY, recording_mbid TEXT NOT NULL UNIQUE, title TEXT,
  base_probability REAL DEFAULT 1.0, lyrics TEXT, status TEXT DEFAULT 'PENDING');
CREATE TABLE albums (guid TEXT PRIMARY KEY, album_mbid TEXT NOT NULL UNIQUE, title TEXT NOT NULL, release_date TEXT);
CREATE TABLE passage_albums (passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE,
  album_id TEXT NOT NULL REFERENCES albums(guid) ON DELETE CASCADE, PRIMARY KEY (passage_id, album_id));
CREATE TABLE play_history (guid TEXT PRIMARY KEY, passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE);
INSERT INTO schema_version (version) VALUES (1), (2), (3), (4);
"""


def make_wkmp_library(database: Path, music: Path, paths: Iterable[str]) -> None:
    """Make the library of some files: each one passage with a song, an album, a play, and what a person entered.

    Parameters
    ----------
    database : Path
        Does not exist yet.
    music : Path
        The root of the library.
    paths : iterable of str
        Relative to the root.
    """
    with closing(sqlite3.connect(database)) as library, library:
        library.executescript(_TABLES)
        for path in paths:
            _insert(library, music / path, path)


def _insert(library: sqlite3.Connection, file: Path, path: str) -> None:
    file_id, passage, song, album, play = (mbid(f"{kind} of {path}") for kind in ("file", "p", "song", "album", "play"))
    ticks = int(mutagen.File(file).info.length * TICKS_PER_SECOND)
    modified = datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat().replace("+00:00", "Z")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    library.execute(
        "INSERT INTO files (guid, path, hash, duration_ticks, modification_time, format, status) "
        "VALUES (?, ?, ?, ?, ?, 'Unknown', 'INGEST COMPLETE')",
        [file_id, path, digest, ticks, modified],
    )
    library.execute(
        "INSERT INTO songs VALUES (?, ?, ?, 0.25, 'la la', 'FLAVOR READY')", [song, mbid(f"recording {path}"), path]
    )
    library.execute("INSERT INTO albums VALUES (?, ?, 'Old Times', '1999')", [album, mbid(f"release {path}")])
    # The lead points are a quarter of the passage from its ends.
    library.execute(
        "INSERT INTO passages VALUES (?, ?, 0, 9, ?, ?, NULL, ?, ?, 'as I call it', ?, 'INGEST COMPLETE')",
        [passage, file_id, ticks // 4, ticks - ticks // 4, ticks, path, song],
    )
    library.execute("INSERT INTO passage_albums VALUES (?, ?)", [passage, album])
    library.execute("INSERT INTO play_history VALUES (?, ?)", [play, passage])
