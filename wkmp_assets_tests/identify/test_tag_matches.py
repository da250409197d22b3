"""Matches of a file's passages by its tags."""

import numpy as np
import pytest

from wkmp_assets.identify.tag_matches import TITLE_ONLY_SCORE, match_from_tags
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.values import Envelope, FileTags, PassageMatch, PassageSegments, SegmentationParameters, Span
from wkmp_assets_tests.support.builders import RATE_HZ, artist, audio, in_a_row, mbid, release, work

FULL = FileTags("T", "A", "B", 1, 2001, mbid("r"), (artist("A"),), release(), (work("W"),))


def matches(tags: FileTags, count: int) -> tuple[PassageMatch, ...]:
    spans = tuple(Span(*bounds) for bounds in in_a_row(count))
    envelope = Envelope(RATE_HZ, 441, 1, np.zeros(1, dtype=np.float32))
    segments = PassageSegments(audio(), envelope, spans, SegmentationParameters(60, 1, 1))
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
