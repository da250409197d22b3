"""A file imported again: passages people or players refer to are never deleted."""
# ruff: noqa: S608 - identifiers from the tables of this module

from pathlib import Path

import pytest

from wkmp_assets.model.values import FileState
from wkmp_assets_tests.support.builders import (
    LATER,
    Bounds,
    column,
    commit,
    entry,
    in_a_row,
    problems,
    run_sql,
    seconds,
)

PATH = entry().path
REFERENCES = {
    "play history by foreign key": "CREATE TABLE play_history (id TEXT, what TEXT REFERENCES passages(guid) ON DELETE CASCADE)",  # noqa: E501
    "queue by column name": "CREATE TABLE queue (id TEXT, passage_guid TEXT)",
    "timeslots by column name": "CREATE TABLE timeslot_passages (id TEXT, passage_id TEXT)",
    "a table with an odd name": 'CREATE TABLE "likes ""and"" dislikes" (id TEXT, passage_id TEXT)',
}


def change(database: Path, bounds: Bounds, content: str = "new") -> tuple[str, ...]:
    """Import other content under the same path; return the warnings."""
    commits = commit(database, entry(content=content, bounds=bounds, state=FileState.CHANGED), now=LATER)
    batch = commits[PATH].batch
    assert batch is not None
    assert problems(database) == []
    return tuple(warning.text for warning in batch.warnings)


def guids(database: Path) -> list[str]:
    return column(database, "SELECT guid FROM passages ORDER BY start_time_ticks")


def test_passages_that_overlap_keep_their_guid(database: Path) -> None:
    commit(database, entry(bounds=seconds((0, 20), (30, 50), (60, 80))))
    before = guids(database)
    assert change(database, seconds((1, 21), (30, 49), (61, 80))) == ()
    assert guids(database) == before
    ends = column(database, "SELECT end_time_ticks / 28224000 FROM passages ORDER BY start_time_ticks")
    assert ends == [21, 49, 80]
    assert column(database, "SELECT count(*) FROM passage_songs") == [3]


def test_passages_without_a_partner_go(database: Path) -> None:
    commit(database, entry(bounds=seconds((0, 20), (30, 50), (60, 80))))
    first, second, third = guids(database)
    assert change(database, seconds((0, 20), (100, 120))) == ()
    assert first in guids(database)
    assert not {second, third} & set(guids(database))
    for table in ("passage_songs", "passage_albums", "import_provenance"):
        assert set(column(database, f"SELECT passage_id FROM {table}")) == set(guids(database))


@pytest.mark.parametrize("table", REFERENCES.values(), ids=REFERENCES)
def test_a_passage_something_refers_to_is_kept_with_a_warning(database: Path, table: str) -> None:
    commit(database, entry(bounds=seconds((0, 20), (30, 50))))
    used, unused = guids(database)
    name = table.split("TABLE ")[1].split(" (id")[0]
    run_sql(database, table, f"INSERT INTO {name} VALUES ('1', '{used}')")
    (warning,) = change(database, seconds((100, 120)))
    assert "the passage from 0.0 s to 20.0 s" in warning
    assert used in guids(database)
    assert unused not in guids(database)
    assert column(database, f"SELECT count(*) FROM {name}") == [1]


EDITS = {
    "user title": "user_title = 'mine'",
    "fade in": "fade_in_start_ticks = start_time_ticks",
    "fade out": "fade_out_start_ticks = end_time_ticks",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_passage_a_person_edited_is_kept_with_a_warning(database: Path, edit: str) -> None:
    commit(database, entry())
    (edited,) = guids(database)
    run_sql(database, f"UPDATE passages SET {edit}")
    (warning,) = change(database, seconds((100, 120)))
    assert "the passage from 0.0 s to 20.0 s" in warning
    assert edited in guids(database)


def test_fades_outside_the_new_boundaries_are_not_broken(database: Path) -> None:
    commit(database, entry(bounds=seconds((0, 20))))
    run_sql(database, "UPDATE passages SET fade_in_start_ticks = 0")
    (warning,) = change(database, seconds((2, 21)))
    assert "keeps its old boundaries" in warning
    assert column(database, "SELECT start_time_ticks FROM passages") == [0]
    assert column(
        database,
        "SELECT p.end_time_ticks = l.end_time_ticks FROM passages p JOIN passage_songs l ON l.passage_id = p.guid",
    ) == [1]
    assert "change them in the player, then import it again with force" in warning
    run_sql(database, "UPDATE passages SET fade_in_start_ticks = NULL")
    assert change(database, seconds((2, 21))) == ()


def test_a_file_that_lost_its_music_becomes_no_audio_without_passages(database: Path) -> None:
    commit(database, entry())
    change(database, [])
    assert column(database, "SELECT status FROM files") == ["NO AUDIO"]
    assert guids(database) == []


def test_history_survives_any_number_of_changes(database: Path) -> None:
    commit(database, entry(bounds=in_a_row(4)))
    run_sql(
        database,
        REFERENCES["play history by foreign key"],
        "INSERT INTO play_history SELECT guid, guid FROM passages",
    )
    played = set(guids(database))
    for number, bounds in enumerate((seconds((5, 70)), in_a_row(4), [], in_a_row(2))):
        change(database, bounds, f"content {number}")
        assert played <= set(guids(database))
    assert len(column(database, "SELECT what FROM play_history")) == 4
