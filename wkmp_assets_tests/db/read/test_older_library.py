"""A WKMP library that no import has written to lacks columns and tables; every reader copes with that."""

import sqlite3
from pathlib import Path

import pytest

from wkmp_assets.db.commit import remove_file
from wkmp_assets.db.read.browsing import open_for_queries, read_covers_of
from wkmp_assets.db.read.counts import (
    Deferred,
    LeadPointCounts,
    LibraryCounts,
    count_lead_points,
    read_counts,
    read_deferred,
)
from wkmp_assets.db.read.file_details import read_file_details
from wkmp_assets.db.read.known_files import read_file_rows, read_hashes_by_size, read_known_files
from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.read.listing import (
    read_file_passages,
    read_missing_passages,
    read_named_passages,
    read_passages,
    read_recording,
    stream_flavors,
)
from wkmp_assets.db.read.outdated_flavors import read_outdated_flavors, read_without_loudness
from wkmp_assets.db.read.overview import read_overview
from wkmp_assets.db.read.removal import read_removable
from wkmp_assets.db.read.undo_runs import read_undoable_runs
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import LibraryChangedError
from wkmp_assets_tests.db.test_schema import create_older
from wkmp_assets_tests.support.builders import NOW, column, commit, entry, problems, rows, run_sql


@pytest.fixture
def older(database: Path) -> Path:
    create_older(database)
    return database


def test_its_rows_are_counted(older: Path) -> None:
    rows = {"passages": 1, "songs": 1, "artists": 0, "albums": 0, "works": 0}
    assert read_counts(older) == LibraryCounts({"PENDING": 2}, rows, 0, without_song=1)
    assert count_lead_points(older) == LeadPointCounts(measured=1)
    assert read_deferred(older) == Deferred()


def test_a_status_that_another_program_left_empty_is_pending(older: Path) -> None:
    run_sql(older, "ALTER TABLE files ADD COLUMN status TEXT", "UPDATE files SET status = 'DONE' WHERE guid = 'F1'")
    counts = read_counts(older)
    assert counts is not None
    assert counts.files_by_status == {"DONE": 1, "PENDING": 1}


def test_a_link_without_a_passage_hides_no_passage_without_song(older: Path) -> None:
    run_sql(
        older,
        "CREATE TABLE passage_songs (passage_id TEXT, song_id TEXT)",
        "INSERT INTO passage_songs VALUES (NULL, 'S1')",
    )
    counts = read_counts(older)
    assert counts is not None
    assert counts.without_song == 1


def test_its_files_and_passages_can_be_read(older: Path) -> None:
    assert [file.path for file in read_known_files(older)] == ["a.mp3", "b.mp3"]
    found = read_file_rows(older, "a.mp3")
    assert found is not None
    assert [passage["guid"] for passage in found["passages"]] == ["P1"]
    assert [passage.path for passage in read_overview(older).longest] == ["a.mp3"]


@pytest.mark.parametrize("table", ["passages", "passage_songs", "passage_albums", "import_provenance", "missing_files"])
def test_a_file_can_be_read_for_removal_without_any_one_table(database: Path, table: str) -> None:
    commit(database, entry())
    run_sql(database, "PRAGMA foreign_keys = OFF", f"DROP TABLE {table}")
    (file,) = read_removable(database, [entry().path])
    assert len(file.passages) == (table != "passages")


def test_a_file_can_be_removed(older: Path) -> None:
    """The writer adds what is missing before the removal."""
    (file,) = read_removable(older, ["a.mp3"])
    assert (file.passages, file.edited, file.links, file.references) == (("P1",), 1, 0, {"play_history": 1, "queue": 1})
    (other,) = read_removable(older, ["b.mp3"])
    assert (other.passages, other.references) == ((), {})
    with LibraryWriter(older, LockSettings()) as writer:
        receipt = remove_file(writer, "a.mp3", "2026-03-01 12:00:00", with_references=True)
    assert receipt.conflicts == 0
    assert column(older, "SELECT path FROM files") == ["b.mp3"]
    assert column(older, "SELECT guid FROM passages") == []
    assert problems(older) == []


def test_a_file_of_unknown_size_may_have_the_content_of_any(older: Path, tmp_path: Path) -> None:
    hashes = frozenset(column(older, "SELECT hash FROM files"))
    assert len(hashes) == 2
    assert read_hashes_by_size(older, [5, 7]) == {5: hashes, 7: hashes}
    commit(new := tmp_path / "new.db", entry())
    ((size, content_hash),) = ((row["file_size_bytes"], row["hash"]) for row in rows(new, "SELECT * FROM files"))
    assert read_hashes_by_size(new, [size, size + 1]) == {size: frozenset({content_hash}), size + 1: frozenset()}
    assert read_hashes_by_size(tmp_path / "none.db", [5]) == {5: frozenset()}


def test_what_people_ask_of_it_has_no_answer_and_raises_nothing(older: Path, tmp_path: Path) -> None:
    for library in (older, tmp_path / "nothing.db"):
        assert list(stream_flavors(library)) == []
        assert read_undoable_runs(library) == []
        assert read_file_details(library, "nowhere.mp3") is None
        assert read_outdated_flavors(library) == frozenset()
        assert read_without_loudness(library) == {}
    assert read_file_rows(tmp_path / "nothing.db", "nowhere.mp3") is None
    assert read_covers_of(older, "F1") == []
    with open_for_queries(older) as connection, pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        connection.execute("ATTACH ? AS other", [str(tmp_path / "other.db")])
    assert not (tmp_path / "other.db").exists()


def test_a_file_that_somebody_else_removed_is_not_removed_again(older: Path) -> None:
    with LibraryWriter(older, LockSettings()) as writer:
        remove_file(writer, "a.mp3", NOW, with_references=True)
        with pytest.raises(LibraryChangedError, match=r"a\.mp3: its row changed"):
            remove_file(writer, "a.mp3", NOW, with_references=True)


def test_a_database_without_songs_lists_nothing(database: Path) -> None:
    run_sql(database, "CREATE TABLE files (guid TEXT PRIMARY KEY)")
    assert read_passages(database) == read_file_passages(database, "a.mp3") == read_recording(database, "M") == []
    assert read_named_passages(database, ["P"]) == {}
    assert read_missing_passages(database) == set()
