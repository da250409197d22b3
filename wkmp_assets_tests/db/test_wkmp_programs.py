"""WKMP's player, review program and old importer work on our library, and we on the database that the player makes."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from wkmp_assets.db.schema import ensure_schema
from wkmp_assets_tests.support.builders import column, commit, entry, opened, problems, rows, run_sql, seconds, song
from wkmp_assets_tests.support.wkmp_programs import (
    IMPORTER_FILE,
    IMPORTER_INSERTS,
    PLAYER_QUEUE,
    PLAYER_SONGS,
    PLAYER_TABLES,
    PLAYER_TIMING,
    REVIEW_PASSAGES,
    REVIEW_PROVENANCE,
    ask,
)

GENERATED = {
    "files": {"duration"},
    "passages": {"start_time", "end_time", "lead_in_point", "lead_out_point", "fade_in_point", "fade_out_point"},
    "passage_songs": {"song_guid", "passage_guid", "start_time_ms", "end_time_ms"},
}


def generated(database: Path, table: str) -> set[str]:
    return set(column(database, "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 2", table))


def second_passage(database: Path) -> str:
    commit(database, entry(path="a.flac", bounds=seconds((0, 20), (23.5, 43.5)), songs=[song("One"), song("Two")]))
    run_sql(database, "UPDATE passages SET fade_in_start_ticks = 24 * 28224000 WHERE start_time_ticks > 0")
    guid: str = column(database, "SELECT guid FROM passages ORDER BY start_time_ticks")[1]
    return guid


def made_by_the_player(database: Path) -> None:
    with closing(sqlite3.connect(database)) as library:
        library.executescript(PLAYER_TABLES)


def test_the_player_gets_seconds_and_milliseconds(database: Path) -> None:
    passage = second_passage(database)
    with opened(database) as library:
        (timing,) = ask(library, PLAYER_TIMING, passage)
        (heard,) = ask(library, PLAYER_SONGS, passage)
    assert timing == {
        "path": "a.flac", "start_time": 23.5, "end_time": 43.5, "lead_in_point": 28.5, "lead_out_point": 38.5,
        "fade_in_point": 24.0, "fade_out_point": None, "fade_in_curve": None, "fade_out_curve": None, "duration": 600.0,
    }  # fmt: skip
    assert heard == {
        "song_guid": column(database, "SELECT song_id FROM passages WHERE guid = ?", passage)[0],
        "start_time_ms": 0,
        "end_time_ms": 20_000,
    }


def test_the_review_program_and_the_old_importer_find_what_they_ask_for(database: Path) -> None:
    passage = second_passage(database)
    with opened(database) as library:
        assert len(ask(library, REVIEW_PASSAGES, passage)) == 2
        assert {row["source_type"] for row in ask(library, REVIEW_PROVENANCE, passage)} >= {"ID3", "Chromaprint"}
        (file,) = ask(library, IMPORTER_FILE, passage)
        modified = datetime.fromisoformat(str(file["modification_time"]))
        assert (modified.tzinfo is not None, "T" in str(file["modification_time"])) == (True, True), "RFC 3339"
        library.executescript(IMPORTER_INSERTS)
        (timing,) = ask(library, PLAYER_TIMING, "passage of importer")
    assert (timing["start_time"], timing["lead_out_point"], timing["duration"]) == (1.0, 1.5, None)
    assert problems(database) == []


def test_a_filled_library_of_before_gets_the_columns(database: Path) -> None:
    passage = second_passage(database)
    with opened(database) as library:
        library.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm006%'")
        for table, names in GENERATED.items():
            for name in names:
                library.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            ask(library, PLAYER_TIMING, passage)
        assert ensure_schema(library)
        assert ask(library, PLAYER_TIMING, passage)[0]["start_time"] == 23.5
    assert {table: generated(database, table) for table in GENERATED} == GENERATED
    assert problems(database) == []


def test_a_column_of_the_players_own_stays_as_it_is(database: Path) -> None:
    made_by_the_player(database)
    run_sql(
        database, "INSERT INTO files (guid, path, hash, duration, modification_time) VALUES ('F', 'x', '', 9.5, '')"
    )
    passage = second_passage(database)
    assert generated(database, "files") == set()
    assert column(database, "SELECT duration FROM files ORDER BY path") == [None, 9.5]
    with opened(database) as library:
        (timing,) = ask(library, PLAYER_TIMING, passage)
        assert (timing["start_time"], timing["end_time"], timing["duration"]) == (23.5, 43.5, None)
        library.execute(PLAYER_QUEUE, {"passage": passage})
    assert rows(database, "SELECT start_time_ms, end_time_ms FROM queue") == [
        {"start_time_ms": 23_500, "end_time_ms": 43_500}
    ]
    assert problems(database) == []
