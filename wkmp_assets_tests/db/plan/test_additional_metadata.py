"""What the tags say beside names is kept with the passage, beside what people and other programs keep there."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.db.plan.additional_metadata import SOURCES_KEY, TAGS_KEY
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.values import FileState, FileTags, TagDetails
from wkmp_assets_tests.support.builders import LATER, column, commit, entry, in_a_row, mbid, opened, song
from wkmp_assets_tests.support.paths import ROOT

DETAILS = TagDetails(
    track_count=12,
    track_side="A1",
    disc_number=1,
    disc_count=2,
    album_artist="Ann",
    is_compilation=False,
    date="2003-04-01",
    original_date="1999",
    genres=("rock", "synth-pop"),
    composers=("Bob", "Cyd"),
    isrcs=("USRC17607839",),
    bpm=120.5,
    key="Am",
    artist_mbids=(mbid("a"), mbid("b")),
    album_artist_mbids=(mbid("a"),),
    release_mbid=mbid("c"),
    release_group_mbid=mbid("d"),
    release_track_mbid=mbid("f"),
    work_mbids=(mbid("e"),),
)
OF_THE_RELEASE = {
    "disc_number": 1,
    "disc_count": 2,
    "album_artist": "Ann",
    "is_compilation": False,
    "date": "2003-04-01",
    "original_date": "1999",
    "genres": ["rock", "synth-pop"],
    "composers": ["Bob", "Cyd"],
    "album_artist_mbids": [mbid("a")],
    "release_mbid": mbid("c"),
    "release_group_mbid": mbid("d"),
}
OF_ONE_RECORDING = {
    "track_count": 12,
    "track_side": "A1",
    "isrcs": ["USRC17607839"],
    "bpm": 120.5,
    "key": "Am",
    "artist_mbids": [mbid("a"), mbid("b")],
    "work_mbids": [mbid("e")],
    "release_track_mbid": mbid("f"),
}


def tagged(details: TagDetails = DETAILS, count: int = 1, **known: Any) -> FileEntry:
    songs = [song(f"Song {number}") for number in range(count)]
    tags = FileTags(title="Song 0", recording_mbid=songs[0].recording_mbid, details=details)
    return entry(bounds=in_a_row(count), songs=songs, tags=replace(tags, **known), state=FileState.CHANGED)


def kept(database: Path) -> list[Any]:
    stored = column(database, "SELECT additional_metadata FROM passages ORDER BY start_time_ticks")
    return [json.loads(one) if one else None for one in stored]


def note_down(database: Path, text: str) -> None:
    with opened(database) as connection:
        connection.execute("UPDATE passages SET additional_metadata = ?", [text])


def test_every_detail_of_a_file_is_kept_with_its_passage(database: Path) -> None:
    commit(database, tagged())
    assert kept(database) == [{TAGS_KEY: OF_THE_RELEASE | OF_ONE_RECORDING}]
    assert set(OF_THE_RELEASE | OF_ONE_RECORDING) == {field.name for field in fields(TagDetails)}


def test_what_the_tags_do_not_say_is_absent(database: Path) -> None:
    commit(database, tagged(TagDetails(genres=("rock",))))
    assert kept(database) == [{TAGS_KEY: {"genres": ["rock"]}}]
    commit(database, tagged(TagDetails()))
    assert kept(database) == [{TAGS_KEY: {"genres": ["rock"]}}]


def test_a_file_without_details_leaves_the_column_empty(database: Path) -> None:
    commit(database, tagged(TagDetails()))
    assert kept(database) == [None]


def test_of_several_passages_only_the_named_one_has_what_means_a_recording(database: Path) -> None:
    commit(database, tagged(count=3))
    assert kept(database) == [{TAGS_KEY: OF_THE_RELEASE | OF_ONE_RECORDING}, *[{TAGS_KEY: OF_THE_RELEASE}] * 2]


def test_the_title_names_a_passage_where_no_recording_does(database: Path) -> None:
    commit(database, tagged(count=2, recording_mbid=None))
    assert kept(database) == [{TAGS_KEY: OF_THE_RELEASE | OF_ONE_RECORDING}, {TAGS_KEY: OF_THE_RELEASE}]


def test_a_correction_in_the_tags_replaces_what_they_said_and_nothing_else(database: Path) -> None:
    commit(database, tagged())
    note = {"danceability": 0.5, "tags": ["mine"], TAGS_KEY: {"genres": ["pop"]}}
    note_down(database, json.dumps(note))
    commit(database, tagged(TagDetails(genres=("rock",), bpm=99.0)), now=LATER)
    assert kept(database) == [{"danceability": 0.5, "tags": ["mine"], TAGS_KEY: {"genres": ["rock"], "bpm": 99.0}}]


def test_the_kind_of_tag_of_each_field_is_kept(database: Path) -> None:
    sources = {"title": "APEv2", "artist": "APEv2", "genre": "ID3v1"}
    commit(database, tagged(TagDetails(), count=2, field_sources=sources))
    assert kept(database) == [{SOURCES_KEY: {"APEv2": ["title", "artist"], "ID3v1": ["genre"]}}] * 2
    commit(database, tagged(TagDetails()), now=LATER)
    assert kept(database)[0] == {SOURCES_KEY: {"APEv2": ["title", "artist"], "ID3v1": ["genre"]}}


@pytest.mark.parametrize("text", ["my notes", "[1]", "7", '"x"', "{", "[" * 5_000])
def test_what_is_no_json_object_is_left_alone(database: Path, text: str) -> None:
    commit(database, tagged())
    note_down(database, text)
    commit(database, tagged(), now=LATER)
    assert column(database, "SELECT additional_metadata FROM passages") == [text]


def test_the_reference_names_every_detail() -> None:
    page = (ROOT / "docs/reference/library_tables.md").read_text()
    section = page.partition("## Additional metadata")[2].partition("\n## ")[0]
    assert {field.name for field in fields(TagDetails)} == {
        line.split("`")[1] for line in section.splitlines() if line.startswith("| `")
    }
