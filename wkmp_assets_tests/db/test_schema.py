"""A new file gets the whole schema; a WKMP database gets what it lacks and keeps what it has."""
# ruff: noqa: S608 - identifiers from the tables of this module

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.schema import ensure_schema, read_statements
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets_tests.support.builders import column, opened, problems, rows, run_sql
from wkmp_assets_tests.support.patience import PATIENCE_S

OLDER_WKMP = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE files (guid TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, hash TEXT, duration_ticks INTEGER,
  modification_time TIMESTAMP NOT NULL);
CREATE TABLE passages (guid TEXT PRIMARY KEY, file_id TEXT NOT NULL REFERENCES files(guid) ON DELETE CASCADE,
  start_time_ticks INTEGER NOT NULL, fade_in_start_ticks INTEGER, lead_in_start_ticks INTEGER,
  lead_out_start_ticks INTEGER, fade_out_start_ticks INTEGER, end_time_ticks INTEGER NOT NULL, user_title TEXT,
  start_ticks INTEGER);
CREATE INDEX idx_passages_file_id ON passages(file_id);
CREATE TABLE songs (guid TEXT PRIMARY KEY, recording_mbid TEXT NOT NULL UNIQUE, lyrics TEXT);
CREATE TABLE play_history (guid TEXT PRIMARY KEY, passage_id TEXT NOT NULL REFERENCES passages(guid) ON DELETE CASCADE);
CREATE TABLE queue (guid TEXT PRIMARY KEY, passage_guid TEXT);
INSERT INTO settings VALUES ('volume', '0.5'), ('lead_in_threshold_dB', NULL);
INSERT INTO schema_version (version) VALUES (1), (2), (3);
INSERT INTO files VALUES ('F1', 'a.mp3', 'not even a hash', -5, '2020-01-01T00:00:00Z'), ('F2', 'b.mp3', NULL, NULL, '');
INSERT INTO passages VALUES ('P1', 'F1', 0, 1, 2, 3, 4, 5, 'mine', 7);
INSERT INTO songs VALUES ('S1', 'no uuid', 'la la');
INSERT INTO play_history VALUES ('H1', 'P1');
INSERT INTO queue VALUES ('Q1', 'P1');
"""  # noqa: E501
"""A WKMP database with fewer columns, no CHECKs, rows that CHECKs would refuse, and tables of other programs."""


def create_older(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(OLDER_WKMP)


def complete(database: Path) -> bool:
    with opened(database) as connection:
        return ensure_schema(connection)


def definitions(database: Path) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%_sqlite_migrations%'"
    return {row["name"]: " ".join(row["sql"].split()) for row in rows(database, query)}


def reference(folder: Path) -> Path:
    path = folder / "reference.db"
    run_sql(path, *read_statements())
    return path


def columns(database: Path, table: str) -> set[str]:
    return set(column(database, "SELECT name FROM pragma_table_xinfo(?)", table))


def tables(database: Path) -> list[str]:
    return column(database, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'")


def test_a_new_library_has_every_table_check_and_index_of_the_schema(database: Path, tmp_path: Path) -> None:
    assert complete(database)
    assert definitions(database) == definitions(reference(tmp_path))
    assert len([name for name in definitions(database) if name.startswith("idx_")]) > 20
    assert column(database, "SELECT version FROM schema_version ORDER BY version") == [1, 2, 3, 4]
    assert problems(database) == []


def test_the_statements_are_all_of_the_schema_file() -> None:
    kinds = {" ".join(statement.split()[:2]) for statement in read_statements()}
    assert kinds == {"CREATE TABLE", "CREATE INDEX", "ALTER TABLE"}
    assert all(sqlite3.complete_statement(statement) for statement in read_statements())


REFUSED = {
    "negative duration": "INSERT INTO files (guid, path, hash, modification_time, duration_ticks) VALUES ('x', 'x', '', '', 0)",  # noqa: E501
    "invented status": "INSERT INTO files (guid, path, hash, modification_time, status) VALUES ('x', 'x', '', '', 'FAILED')",  # noqa: E501
    "passage that ends before it starts": "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks) VALUES ('p', 'f', 5, 5)",  # noqa: E501
    "lead-in outside": "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, lead_in_start_ticks) VALUES ('p', 'f', 5, 9, 4)",  # noqa: E501
    "lead points crossed": "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, lead_in_start_ticks, "  # noqa: E501
    "lead_out_start_ticks) VALUES ('p', 'f', 5, 9, 8, 7)",
    "weight above one": "INSERT INTO song_artists (song_id, artist_id, weight) VALUES ('s', 'a', 1.1)",
    "song without recording": "INSERT INTO songs (guid) VALUES ('s')",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_a_new_library_refuses(database: Path, statement: str) -> None:
    complete(database)
    with opened(database) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


@pytest.mark.parametrize("older", [False, True], ids=["new", "older"])
def test_the_second_time_nothing_is_written(database: Path, older: bool) -> None:
    if older:
        create_older(database)
    complete(database)
    before = database.read_bytes()
    with opened(database) as observer:
        version = observer.execute("PRAGMA data_version").fetchone()[0]
        assert complete(database) is False
        assert observer.execute("PRAGMA data_version").fetchone()[0] == version
    assert database.read_bytes() == before


def test_an_older_library_keeps_every_row_and_table(database: Path) -> None:
    create_older(database)
    held = {table: rows(database, f"SELECT * FROM {table}") for table in tables(database)}
    complete(database)
    for table, before in held.items():
        names = list(before[0])
        after = rows(database, f"SELECT {', '.join(names)} FROM {table}")
        assert after == before, table


def test_an_older_library_gains_what_it_lacks(database: Path, tmp_path: Path) -> None:
    create_older(database)
    old_tables = set(tables(database))
    complete(database)
    new = reference(tmp_path)
    assert set(tables(database)) == old_tables | set(tables(new))
    for table in tables(new):
        assert columns(database, table) >= columns(new, table), table
    indexes = {name for name in definitions(new) if name.startswith("idx_")}
    assert indexes <= set(definitions(database))


def test_an_older_library_is_left_to_its_own_migrations(database: Path) -> None:
    create_older(database)
    complete(database)
    assert column(database, "SELECT version FROM schema_version ORDER BY version") == [1, 2, 3]


def test_columns_added_later_get_the_defaults_of_the_schema(database: Path) -> None:
    create_older(database)
    complete(database)
    assert column(database, "SELECT status FROM files") == ["PENDING", "PENDING"]
    assert rows(database, "SELECT base_probability, min_cooldown FROM songs") == [
        {"base_probability": 1.0, "min_cooldown": 604800}
    ]


def _create_when_told(database: Path, barrier: Any, results: Any) -> None:
    barrier.wait()
    try:
        with LibraryWriter(database, LockSettings()):
            results.put("created")
    except Exception as error:  # noqa: BLE001 - told to the parent process
        results.put(repr(error))


@pytest.mark.slow
@pytest.mark.parametrize("older", [pytest.param(False, marks=pytest.mark.long), True], ids=["new", "older"])
@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.long)])
def test_several_processes_may_create_a_library_at_once(database: Path, older: bool, count: int) -> None:
    if older:
        create_older(database)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(count), context.Queue()
    processes = [context.Process(target=_create_when_told, args=(database, barrier, results)) for _ in range(count)]
    for process in processes:
        process.start()
    outcomes = [results.get(timeout=PATIENCE_S) for _ in processes]
    for process in processes:
        process.join()
    results.close()
    results.join_thread()
    assert outcomes == ["created"] * count
    assert problems(database) == []
    assert complete(database) is False
