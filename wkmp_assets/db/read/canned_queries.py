"""Questions to a library that many people have, as SQL: `wkmp browse` offers them by name."""

from dataclasses import dataclass

FLAVOR_DISTANCE = "flavor_distance"
"""SQL function: distance of two stored flavors, 0 to 1; NULL without a common characteristic."""
FLAVOR_NEIGHBOURS = "flavor_neighbours"
"""SQL function: the guid of a passage -> a JSON array of pairs of guid and distance of others, the nearest first;
at most `MAX_NEAREST`."""
MAX_NEAREST = 50
"""How many neighbours a query gets."""
FLAVOR_WORDS = "flavor_words"
"""SQL function: a passage's `musical_flavor_vector` and `additional_metadata` in a person's words."""


@dataclass(frozen=True)
class CannedQuery:
    """One question. A column `file_id` holds the guid of the file that a row is about."""

    title: str
    description: str
    sql: str


LIBRARY_QUERIES = {
    "song_list": CannedQuery(
        "Songs",
        "The songs of the library, those with the most passages first.",
        """
SELECT s.title, s.artist_name AS artist, count(p.guid) AS passages, s.recording_mbid, min(p.file_id) AS file_id
FROM songs AS s LEFT JOIN passages AS p ON p.song_id = s.guid
GROUP BY s.guid ORDER BY passages DESC, artist, s.title""",
    ),
    "duplicates": CannedQuery(
        "Duplicates",
        "Files with the same bytes as another file. The imported one of them has the passages.",
        """
SELECT substr(hash, 1, 12) AS same_bytes, path, status, file_size_bytes, guid AS file_id
FROM files WHERE hash IN (
  SELECT hash FROM files WHERE status IN ('INGEST COMPLETE', 'DUPLICATE HASH', 'NO AUDIO')
  GROUP BY hash HAVING count(*) > 1)
ORDER BY hash, status DESC, path""",
    ),
    "without_a_song": CannedQuery(
        "Passages without a song",
        "WKMP never selects these by itself, because nothing has identified them.",
        """
SELECT f.path, coalesce(p.user_title, p.title) AS title, p.artist,
       round(p.start_time_ticks / 28224000.0, 1) AS starts_s, p.file_id
FROM passages AS p JOIN files AS f ON f.guid = p.file_id
WHERE NOT EXISTS (SELECT 1 FROM passage_songs WHERE passage_id = p.guid)
ORDER BY f.path, p.start_time_ticks""",
    ),
    "least_sure": CannedQuery(
        "Identifications to look at",
        "Passages with a song, the least sure first.",
        """
SELECT f.path, p.title, p.artist, p.identity_confidence, p.mbid_source, p.file_id
FROM passages AS p JOIN files AS f ON f.guid = p.file_id
WHERE p.song_id IS NOT NULL ORDER BY p.identity_confidence, f.path""",
    ),
    "warnings": CannedQuery(
        "Warnings",
        "What is doubtful about files.",
        """
SELECT w.kind, f.path, w.message, w.file_id
FROM import_warnings AS w JOIN files AS f ON f.guid = w.file_id ORDER BY w.kind, f.path""",
    ),
    "failures": CannedQuery(
        "Failures",
        "Files that could not be imported, and what to do.",
        "SELECT path, phase, code, message, attempts, failed_at FROM import_failures ORDER BY path",
    ),
    "sound": CannedQuery(
        "How passages sound",
        "Each passage in words: character, moods, tempo, key, loudness.",
        f"""
SELECT title, artist,
       (SELECT {FLAVOR_WORDS}(p.musical_flavor_vector, p.additional_metadata)
        FROM passages AS p WHERE p.guid = sorted.guid) AS sounds,
       file_id
FROM (SELECT guid, coalesce(user_title, title) AS title, artist, file_id
      FROM passages WHERE musical_flavor_vector IS NOT NULL
      ORDER BY artist, title LIMIT -1) AS sorted -- short rows: flavors are read only for those that are shown""",  # noqa: S608 - literals only
    ),
    "neighbours": CannedQuery(
        "Nearest neighbours of a passage",
        "Passages that sound most like one, which you name by its guid.",
        f"""
WITH nearest AS MATERIALIZED (
  SELECT pair.key AS place, pair.value ->> 0 AS guid, pair.value ->> 1 AS distance
  FROM json_each({FLAVOR_NEIGHBOURS}(:passage)) AS pair)
SELECT round(distance, 4) AS distance, coalesce(p.user_title, p.title) AS title, p.artist,
       {FLAVOR_WORDS}(p.musical_flavor_vector, p.additional_metadata) AS sounds, p.file_id
FROM nearest JOIN passages AS p ON p.guid = nearest.guid
ORDER BY nearest.place""",  # noqa: S608 - literals only
    ),
}
"""Name in the address -> question to the library."""

RECEIPT_QUERIES = {
    "receipts": CannedQuery(
        "Receipts",
        "What the last write of each file cost, the latest first.",
        "SELECT * FROM receipts ORDER BY written_at DESC, path",
    ),
    "slowest_transactions": CannedQuery(
        "Slowest transactions",
        "The files whose transaction held the write lock longest.",
        """
SELECT path, hold_ms, wait_ms, statements, retries, conflicts, written_at, run_id, file_id
FROM receipts ORDER BY hold_ms DESC LIMIT 100""",
    ),
}
"""The same for the list of receipts."""
