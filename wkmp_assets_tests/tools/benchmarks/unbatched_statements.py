"""The statements of the replaced system, phase by phase, spread over this project's columns.

`held` is a function the connection must have: it returns its argument and notes the time. SQLite evaluates it with the
write lock taken, which nothing else tells for a statement that commits by itself.
"""

from collections.abc import Sequence
from typing import Any

from wkmp_assets.db.tables import columns_of
from wkmp_assets.db.write.statements import table_of
from wkmp_assets.model.batch import WriteBatch
from wkmp_assets.model.rows import FileRow, PassageRow, SongRow

TABLES = (
    """CREATE TABLE acoustid_cache (
         fingerprint_hash TEXT PRIMARY KEY CHECK (length(fingerprint_hash) = 64), mbid TEXT NOT NULL,
         cached_at TEXT NOT NULL DEFAULT (datetime('now')))""",
    "CREATE INDEX idx_acoustid_cache_cached_at ON acoustid_cache(cached_at)",
    """CREATE TABLE import_sessions (
         session_id TEXT PRIMARY KEY, state TEXT NOT NULL, root_folder TEXT NOT NULL, parameters TEXT NOT NULL,
         progress_current INTEGER NOT NULL, progress_total INTEGER NOT NULL, progress_percentage REAL NOT NULL,
         current_operation TEXT NOT NULL, errors TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT)""",
)
"""Tables that only the replaced system writes; comparisons with the batch writer leave them out."""
OWN_TABLES = frozenset({"acoustid_cache", "import_sessions"})

_BY_SCAN = ("guid", "path", "modification_time", "created_at")
_BY_HASHING = ("hash",)
_BY_FINALISING = ("status", "updated_at")
_BY_METADATA = tuple(name for name in columns_of(FileRow) if name not in {*_BY_SCAN, *_BY_HASHING, *_BY_FINALISING})
_BY_AMPLITUDE = ("lead_in_start_ticks", "lead_out_start_ticks", "import_metadata", "status", "updated_at")
_PASSAGE_RECORDED = tuple(name for name in columns_of(PassageRow) if name not in _BY_AMPLITUDE)
_SONG_RECORDED = (
    "guid", "recording_mbid", "title", "artist_name", "work_id", "created_at", "title_evidence", "artist_name_evidence"
)  # fmt: skip
_BY_FLAVOR = tuple(name for name in columns_of(SongRow) if name not in _SONG_RECORDED)

Statement = tuple[str, list[Any]]


def scan(row: FileRow) -> Statement:
    """Upsert a file that the scan found; a known one loses its hash (trap 7)."""
    sql = (
        _insert("files", (*_BY_SCAN, "hash"), 1)
        + """ ON CONFLICT (path) DO UPDATE SET hash = '', duration_ticks = NULL, format = NULL, sample_rate = NULL,
             channels = NULL, modification_time = excluded.modification_time"""
    )
    return sql, [*_values(row, _BY_SCAN), ""]


def set_hash(row: FileRow) -> Statement:
    """Phase 2."""
    return _update("files", row, _BY_HASHING)


def set_metadata(row: FileRow) -> Statement:
    """Phase 3."""
    return _update("files", row, _BY_METADATA)


def cache_answer(fingerprint_hash: str, mbid: str) -> Statement:
    """Phase 5, once for each passage that AcoustID knew."""
    sql = (
        _insert("acoustid_cache", ("fingerprint_hash", "mbid"), 1)
        + " ON CONFLICT (fingerprint_hash) DO UPDATE SET mbid = excluded.mbid, cached_at = datetime('now')"
    )
    return sql, [fingerprint_hash, mbid]


def insert_song(row: SongRow) -> Statement:
    """Phase 7, once for each song. The replaced system lacked the conflict clause and failed on a shared song."""
    return _insert("songs", _SONG_RECORDED, 1) + " ON CONFLICT DO NOTHING", _values(row, _SONG_RECORDED)


READ_TITLE = "SELECT title FROM songs WHERE guid = ?"
"""Phase 7, after its transaction, once for each identified passage."""


def insert_passages(rows: Sequence[PassageRow]) -> Statement:
    """Phase 7, all passages of a file at once."""
    values = [value for row in rows for value in _values(row, _PASSAGE_RECORDED)]
    return _insert("passages", _PASSAGE_RECORDED, len(rows)), values


def set_lead_points(row: PassageRow) -> Statement:
    """Phase 8, once for each passage."""
    return _update("passages", row, _BY_AMPLITUDE)


def set_flavor(row: SongRow) -> Statement:
    """Phase 9, once for each song: whatever columns of a song recording leaves to it."""
    return _update("songs", row, _BY_FLAVOR)


def finalise(row: FileRow) -> Statement:
    """Phase 10."""
    return _update("files", row, _BY_FINALISING)


def save_session(session_id: str, started_at: str, current: int, total: int) -> Statement:
    """After every file: the run's row, with the state in quotes, as the replaced system stored it."""
    names = (
        "session_id", "state", "root_folder", "parameters", "progress_current", "progress_total", "progress_percentage",
        "current_operation", "errors", "started_at"
    )  # fmt: skip
    values = [session_id, '"PROCESSING"', "/music", "{}", current, total, 100 * current / total, "", "[]", started_at]
    sql = (
        _insert("import_sessions", names, 1)
        + """ ON CONFLICT (session_id) DO UPDATE SET state = excluded.state,
             progress_current = excluded.progress_current, progress_percentage = excluded.progress_percentage"""
    )
    return sql, values


def never_written(batch: WriteBatch) -> list[Any]:
    """Return the rows that the replaced system did not write at all, in an order that foreign keys allow."""
    return [
        *batch.artists, *batch.works, *batch.albums, *batch.passage_songs, *batch.song_artists, *batch.song_works,
        *batch.passage_albums, *batch.provenance
    ]  # fmt: skip


def insert_never_written(row: Any) -> Statement:
    """One of those rows; what another file brought already stays as it is."""
    names = columns_of(type(row))
    return _insert(table_of(type(row)), names, 1) + " ON CONFLICT DO NOTHING", _values(row, names)


def _insert(table: str, names: Sequence[str], count: int) -> str:
    first = ", ".join(["held(?)", *["?"] * (len(names) - 1)])
    others = f", ({', '.join('?' * len(names))})" * (count - 1)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({first}){others}"  # noqa: S608 - literals only


def _update(table: str, row: Any, names: Sequence[str]) -> Statement:
    first, *others = names
    assignments = ", ".join([f"{first} = held(?)", *(f"{name} = ?" for name in others)])
    return f"UPDATE {table} SET {assignments} WHERE guid = ?", [*_values(row, names), row.guid]  # noqa: S608 - the same


def _values(row: Any, names: Sequence[str]) -> list[Any]:
    return [getattr(row, name) for name in names]
