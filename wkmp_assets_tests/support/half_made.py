"""Libraries as WKMP leaves them: files marked complete, and half-made."""
# ruff: noqa: S608 - literals of this module

from pathlib import Path

from wkmp_assets_tests.support.builders import run_sql

_PASSAGES = ", ".join(
    f"{name} = NULL"
    for name in (
        "artist", "album", "recording_mbid", "musical_flavor_vector", "flavor_source_blend", "flavor_completeness",
        "additional_metadata", "import_metadata", "import_session_id", "import_timestamp", "import_strategy",
        "title_source", "title_confidence", "artist_source", "artist_confidence", "album_source", "album_confidence",
        "mbid_source", "mbid_confidence", "identity_confidence", "validation_status",
    )
)  # fmt: skip


def set_back(database: Path) -> None:
    """Set all rows back to what WKMP's own import writes: songs without names, and nothing that links them."""
    quarter = "(((end_time_ticks - start_time_ticks) / 2822400 + 3) / 4) * 2822400"
    run_sql(
        database,
        "DELETE FROM import_provenance",
        "DELETE FROM passage_songs",
        "DELETE FROM passage_albums",
        "DELETE FROM song_artists",
        "DELETE FROM song_works",
        "DELETE FROM artists",
        "DELETE FROM works",
        "DELETE FROM albums",
        "UPDATE files SET format = 'Unknown'",
        f"UPDATE passages SET {_PASSAGES}, lead_in_start_ticks = start_time_ticks + {quarter}, "
        f"lead_out_start_ticks = end_time_ticks - {quarter}",
        "UPDATE songs SET title = NULL, artist_name = NULL, title_evidence = NULL, artist_name_evidence = NULL, "
        "work_id = NULL, flavor_vector = NULL, flavor_source_blend = NULL, status = 'PENDING'",
    )
