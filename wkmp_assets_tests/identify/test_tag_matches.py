"""Matches of a file's passages by its tags."""

from typing import Any

import numpy as np
import pytest

from wkmp_assets.identify.tag_matches import TITLE_ONLY_SCORE, match_from_tags
from wkmp_assets.model.boundary_evidence import BoundarySource, SheetTrack
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.values import Envelope, FileTags, PassageMatch, PassageSegments, SegmentationParameters, Span
from wkmp_assets_tests.support.builders import RATE_HZ, artist, audio, in_a_row, mbid, release, work

FULL = FileTags("T", "A", "B", 1, 2001, mbid("r"), (artist("A"),), release(), (work("W"),))


def matches(tags: FileTags, count: int, **decided: Any) -> tuple[PassageMatch, ...]:
    spans = tuple(Span(*bounds) for bounds in in_a_row(count))
    envelope = Envelope(RATE_HZ, 441, 1, np.zeros(1, dtype=np.float32))
    segments = PassageSegments(audio(), envelope, spans, SegmentationParameters(60, 1, 1), **decided)
    found = match_from_tags(tags, segments)
    assert [match.span for match in found] == list(spans)
    return found


def test_a_recording_id_identifies_the_one_passage() -> None:
    (match,) = matches(FULL, 1)
    assert (match.level, match.score, match.source) == (MatchLevel.HIGH, 1.0, "ID3")
    assert (match.title, match.artist, match.album, match.release) == ("T", "A", "B", FULL.release)
    assert match.song is not None
    assert (match.song.recording_mbid, match.song.title, match.song.artist_name) == (mbid("r"), "T", "A")
    assert (match.song.artists, match.song.works) == (FULL.artists, FULL.works)


@pytest.mark.parametrize("tags", [FileTags(title="T"), FileTags(artist="A")], ids=["title", "artist"])
def test_a_name_without_a_recording_is_a_low_match_without_song(tags: FileTags) -> None:
    (match,) = matches(tags, 1)
    assert (match.level, match.score, match.source, match.song) == (
        MatchLevel.LOW,
        TITLE_ONLY_SCORE,
        "ID3",
        None,
    )
    assert (match.title, match.artist) == (tags.title, tags.artist)


def test_no_tags_are_no_match() -> None:
    (match,) = matches(FileTags(), 1)
    assert (match.level, match.score, match.source, match.song) == (MatchLevel.NONE, 0.0, None, None)


def test_an_album_without_title_and_artist_is_kept() -> None:
    (match,) = matches(FileTags(album="B", release=release()), 1)
    assert match.level is MatchLevel.NONE
    assert (match.album, match.release) == ("B", release())


def test_the_pieces_of_a_file_of_several_tracks_share_artist_and_album_only() -> None:
    for match in matches(FULL, 3):
        assert (match.level, match.title, match.song) == (MatchLevel.NONE, None, None)
        assert (match.artist, match.album, match.release, match.source) == ("A", "B", FULL.release, "ID3")


def test_pieces_without_tags_have_no_source() -> None:
    assert {match.source for match in matches(FileTags(title="T"), 2)} == {None}


def test_a_file_without_passages_has_no_matches() -> None:
    assert matches(FULL, 0) == ()


def test_the_main_passage_keeps_the_name_beside_a_hidden_track() -> None:
    main, hidden = matches(FULL, 2, main_passage=0)
    assert (main.level, main.title) == (MatchLevel.HIGH, "T")
    assert main.song is not None
    assert main.song.recording_mbid == mbid("r")
    assert (hidden.level, hidden.title, hidden.song) == (MatchLevel.NONE, None, None)
    assert (hidden.artist, hidden.album, hidden.release) == ("A", "B", FULL.release)


ONE = SheetTrack(0, 1, "One", "Band", "Live", "USABC1234567", mbid("one"), mbid("live"))
TWO = SheetTrack(1, 2, "Two", "Guest", "Live")
BY_SHEET: dict[str, Any] = {"decided_by": BoundarySource.CUE_FILE, "tracks": (ONE, TWO)}


def test_the_tracks_of_a_sheet_name_their_passages() -> None:
    one, two = matches(FileTags("Live at Home", "Band", artists=(artist("Band"),)), 2, **BY_SHEET)
    assert (one.source, one.title, one.artist, one.album) == ("CUE", "One", "Band", "Live")
    assert (one.level, one.score, one.track) == (MatchLevel.HIGH, 1.0, ONE)
    assert one.song is not None
    assert (one.song.recording_mbid, one.song.artists) == (mbid("one"), (artist("Band"),))
    assert one.release is not None
    assert (one.release.mbid, one.release.title) == (mbid("live"), "Live")
    assert (two.source, two.title, two.artist, two.album) == ("CUE", "Two", "Guest", "Live")
    assert (two.level, two.score, two.song) == (MatchLevel.LOW, TITLE_ONLY_SCORE, None)


def test_the_ids_of_a_files_tags_name_no_track_of_its_sheet() -> None:
    one, two = matches(FULL, 2, decided_by=BoundarySource.CHAPTERS, tracks=(SheetTrack(0, 1, "One"), TWO))
    assert (one.source, one.title, one.artist, one.album, one.song) == ("Chapters", "One", "A", "B", None)
    assert (two.artist, two.album, two.release) == ("Guest", "B", FULL.release)


def test_a_track_without_a_title_takes_none_from_the_file() -> None:
    (one,) = matches(FULL, 1, decided_by=BoundarySource.CUE_BLOCK, tracks=(SheetTrack(0, 1),))
    assert (one.level, one.title, one.song, one.artist, one.source) == (MatchLevel.NONE, None, None, "A", "ID3")


def test_a_sheet_of_one_track_adds_what_the_tags_lack() -> None:
    only: dict[str, Any] = {"decided_by": BoundarySource.CUE_FILE, "tracks": (ONE,), "main_passage": 0}
    (tagged,) = matches(FULL, 1, **only)
    assert (tagged.source, tagged.title, tagged.artist, tagged.album) == ("ID3", "T", "A", "B")
    assert tagged.song is not None
    assert tagged.song.recording_mbid == mbid("r")
    (bare,) = matches(FileTags(), 1, **only)
    assert (bare.source, bare.title, bare.artist, bare.album) == ("CUE", "One", "Band", "Live")
    assert bare.song is not None
    assert bare.song.recording_mbid == mbid("one")


def test_music_before_the_first_track_has_no_title() -> None:
    hidden, _ = matches(FULL, 2, **BY_SHEET | {"tracks": (None, ONE)})
    assert (hidden.level, hidden.title, hidden.song, hidden.artist) == (MatchLevel.NONE, None, None, "A")
