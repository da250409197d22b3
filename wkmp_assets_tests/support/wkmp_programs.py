"""What WKMP's own programs ask of a library, in our words: the columns and conditions are theirs, the text is ours."""

import sqlite3
from collections.abc import Mapping

PLAYER_TABLES = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT, updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE files (guid TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, duration REAL,
  modification_time TIMESTAMP NOT NULL, created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, CHECK (duration IS NULL OR duration > 0));
CREATE TABLE passages (guid TEXT PRIMARY KEY, file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
  start_time_ticks INTEGER NOT NULL DEFAULT 0, fade_in_start_ticks INTEGER, lead_in_start_ticks INTEGER,
  lead_out_start_ticks INTEGER, fade_out_start_ticks INTEGER, end_time_ticks INTEGER NOT NULL, fade_in_curve TEXT,
  fade_out_curve TEXT, title TEXT, user_title TEXT, artist TEXT, album TEXT, musical_flavor_vector TEXT,
  decode_status TEXT DEFAULT 'pending', created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE queue (guid TEXT PRIMARY KEY, file_path TEXT NOT NULL, passage_guid TEXT, play_order INTEGER NOT NULL,
  start_time_ms INTEGER, end_time_ms INTEGER);
INSERT INTO schema_version (version) VALUES (1);
"""
"""The database that the player makes when it finds none: `files.duration` is a column of its own, in seconds."""

PLAYER_TIMING = """
SELECT f.path, p.start_time, p.end_time, p.lead_in_point, p.lead_out_point, p.fade_in_point, p.fade_out_point,
       p.fade_in_curve, p.fade_out_curve, f.duration
FROM passages AS p INNER JOIN files AS f ON f.guid = p.file_id WHERE p.guid = :passage"""
PLAYER_SONGS = """
SELECT song_guid, start_time_ms, end_time_ms FROM passage_songs WHERE passage_guid = :passage ORDER BY start_time_ms"""
PLAYER_QUEUE = """
INSERT INTO queue (guid, file_path, passage_guid, play_order, start_time_ms, end_time_ms)
SELECT lower(hex(randomblob(16))), f.path, p.guid, 10, CAST(p.start_time * 1000 AS INTEGER),
       CAST(p.end_time * 1000 AS INTEGER) FROM passages AS p JOIN files AS f ON f.guid = p.file_id
WHERE p.guid = :passage"""
REVIEW_PASSAGES = """
SELECT p.guid, p.title, p.artist, p.album, p.identity_confidence, p.validation_status, p.flavor_completeness,
       p.import_session_id, p.import_strategy
FROM passages AS p WHERE p.file_id = (SELECT file_id FROM passages WHERE guid = :passage)
ORDER BY p.start_time_ticks"""
REVIEW_PROVENANCE = "SELECT source_type, confidence, timestamp FROM import_provenance WHERE passage_id = :passage"
IMPORTER_FILE = """
SELECT guid, path, hash, modification_time, status FROM files
WHERE guid = (SELECT file_id FROM passages WHERE guid = :passage)"""
IMPORTER_INSERTS = """
INSERT INTO files (guid, path, hash, duration_ticks, modification_time)
VALUES ('of importer', 'theirs.mp3', 'PENDING', NULL, '2026-01-01T00:00:00+00:00')
ON CONFLICT (path) DO UPDATE SET modification_time = excluded.modification_time;
INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, status)
VALUES ('passage of importer', 'of importer', 28224000, 56448000, 'PENDING');
UPDATE passages SET lead_in_start_ticks = 28224000, lead_out_start_ticks = 42336000, status = 'INGEST COMPLETE'
WHERE guid = 'passage of importer';
"""


def ask(library: sqlite3.Connection, statement: str, passage: str) -> list[Mapping[str, object]]:
    """Return the rows that a statement finds for one passage."""
    library.row_factory = sqlite3.Row
    return [dict(row) for row in library.execute(statement, {"passage": passage})]
