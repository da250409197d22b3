"""What the tags and the name of a file say about whether it is one piece."""

from dataclasses import replace
from pathlib import Path

import pytest

from wkmp_assets.audio.piece_claim import drop_sheets_of_albums, judge_claim
from wkmp_assets.model.boundary_evidence import BoundarySource, PieceClaim, SheetTrack, TrackSheet
from wkmp_assets.model.values import FileTags, TagDetails
from wkmp_assets_tests.support.builders import mbid

ID = mbid("r")
CLAIMS = {
    "an id": (FileTags(recording_mbid=ID), "a.mp3", PieceClaim.RECORDING),
    "an id and the album's title": (FileTags("B", album="B", recording_mbid=ID), "a.mp3", PieceClaim.RECORDING),
    "title and number": (FileTags("T", album="B", track_number=12), "a.mp3", PieceClaim.TRACK),
    "the album's title and a number": (FileTags("B", album="b", track_number=1), "a.mp3", PieceClaim.NAME),
    "the album's title": (FileTags("B", album="B"), "a.mp3", PieceClaim.NONE),
    "title": (FileTags("T", "A"), "a.mp3", PieceClaim.NAME),
    "no title": (FileTags(artist="A", album="B"), "01 a.mp3", PieceClaim.NONE),
    "a number without a title": (FileTags(artist="A", album="B", track_number=1), "a.mp3", PieceClaim.NAME),
    "a number of a side": (FileTags(artist="A", album="B", track_number=1), "Side A.mp3", PieceClaim.NONE),
    "various artists": (FileTags("T", "Various Artists", "B", 1), "a.mp3", PieceClaim.NONE),
    "a side": (FileTags("Side A", "A"), "a.mp3", PieceClaim.NONE),
    "a numbered name": (FileTags(), "07 - Song.mp3", PieceClaim.NAME),
    "a numbered name of a disc": (FileTags(), "1-07 Song.mp3", PieceClaim.NAME),
    "a number after artist and album": (FileTags(), "Artist - Album - 03 - Song.mp3", PieceClaim.NAME),
    "a number after the artist": (FileTags(), "Artist - 03. Song.mp3", PieceClaim.NAME),
    "a place on a record": (FileTags(), "A2 Song.mp3", PieceClaim.NAME),
    "a number in brackets": (FileTags(), "[03] Song.mp3", PieceClaim.NAME),
    "a track": (FileTags(), "Track 03.mp3", PieceClaim.NAME),
    "a track of a ripper": (FileTags(), "AudioTrack03.wav", PieceClaim.NAME),
    "two tracks": (FileTags(), "Tracks 03-04.mp3", PieceClaim.NONE),
    "a year of an album": (FileTags(), "Artist - 1979 - Album.mp3", PieceClaim.NONE),
    "two names": (FileTags(), "Artist - Album.mp3", PieceClaim.NONE),
    "a number of a disc": (FileTags(), "Artist - Album - CD 1.mp3", PieceClaim.NONE),
    "a number alone": (FileTags(), "1979.mp3", PieceClaim.NONE),
    "a numbered side": (FileTags(), "01 Side A.wav", PieceClaim.NONE),
    "a name": (FileTags(), "Song.mp3", PieceClaim.NONE),
    "an audiobook": (FileTags("T", album="T"), "a.M4B", PieceClaim.SPEECH),
    "spoken word": (FileTags("T", details=TagDetails(genres=("rock", "spoken word"))), "a.mp3", PieceClaim.SPEECH),
    "music": (FileTags("T", details=TagDetails(genres=("rock",))), "a.mp3", PieceClaim.NAME),
}


SHEET = TrackSheet(BoundarySource.CUE_TAG, "The CUE sheet", (SheetTrack(0, title="Óne"), SheetTrack(9, title="Two")))


@pytest.mark.parametrize(
    ("sheet", "tags", "is_dropped"),
    [
        (SHEET, FileTags("Any", album="B", track_number=2, recording_mbid=ID), True),
        (SHEET, FileTags("ÓNE", album="B", track_number=1), True),
        (SHEET, FileTags("Any", album="B", track_number=1), False),
        (SHEET, FileTags("One", album="B"), False),
        (SHEET, FileTags("B", album="b", track_number=1, recording_mbid=ID), False),
        (SHEET, FileTags(album="B", recording_mbid=ID), False),
        (replace(SHEET, source=BoundarySource.CUE_FILE), FileTags("Óne", album="B", track_number=1), False),
        (replace(SHEET, tracks=SHEET.tracks[:1]), FileTags("Óne", album="B", track_number=1), False),
    ],
)
def test_a_track_does_not_follow_the_sheet_of_its_album(sheet: TrackSheet, tags: FileTags, *, is_dropped: bool) -> None:
    kept, warnings = drop_sheets_of_albums([sheet], tags)
    assert kept == (() if is_dropped else (sheet,))
    assert [warning.text.startswith("The CUE sheet was not used: ") for warning in warnings] == [True] * is_dropped


@pytest.mark.parametrize(("tags", "name", "claim"), CLAIMS.values(), ids=CLAIMS)
def test_tags_and_name_claim(tags: FileTags, name: str, claim: PieceClaim) -> None:
    assert judge_claim(tags, Path(name)) is claim
