"""Confidence, with the numbers of the specification (appendix A, vector 7)."""

import random

import pytest

from wkmp_assets.identify.ranking import rank
from wkmp_assets.identify.scoring import MULTI_TRACK_WEIGHTS, confidence, duration_score, metadata_score, similarity
from wkmp_assets.identify.services.acoustid import FingerprintMatch
from wkmp_assets.model.match_levels import MatchLevel, level_of
from wkmp_assets.model.values import FileTags, PathNames, Song
from wkmp_assets_tests.support.builders import artist, mbid

VECTORS = {
    (0.9, 0.95, 1.0): (0.94, MatchLevel.HIGH),
    (0.7, 0.7, 0.0): (0.63, MatchLevel.LOW),
    (0.3, 0.4, 0.0): (0.33, MatchLevel.NONE),
    (0.3, 0.95, 1.0): (0.76, MatchLevel.MEDIUM),
    (0.85, 0.85, 0.85): (0.85, MatchLevel.HIGH),
    (0.6, 0.6, 0.6): (0.6, MatchLevel.LOW),
    (0.7, 0.7, 0.7): (0.7, MatchLevel.MEDIUM),
}


@pytest.mark.parametrize(("scores", "expected"), VECTORS.items())
def test_confidence_and_level(scores: tuple[float, float, float], expected: tuple[float, MatchLevel]) -> None:
    total = confidence(*scores)
    assert total == pytest.approx(expected[0], abs=1e-12)
    assert level_of(total) is expected[1]


def test_in_a_file_of_several_tracks_metadata_weigh_more() -> None:
    assert confidence(0.85, 0.60, 1.0, MULTI_TRACK_WEIGHTS) == pytest.approx(0.7275, abs=1e-12)


@pytest.mark.parametrize("scores", [(1.5, 0, 0), (0, -0.1, 0), (0, 0, float("nan"))])
def test_a_score_that_is_none_is_an_error(scores: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        confidence(*scores)


def test_texts_are_compared_without_case_and_blanks() -> None:
    assert similarity("  Martha ", "MARTHA") == 1.0
    assert similarity("MARTHA", "MARHTA") == pytest.approx(0.9611, abs=1e-4)  # Winkler's own example
    assert similarity("abc", "xyz") == 0.0


LENGTHS = {(100, 100): 1.0, (105, 100): 1.0, (95, 100): 1.0, (110, 100): 0.5, (89.9, 100): 0.0, (100, None): 0.5}


@pytest.mark.parametrize(("lengths", "expected"), LENGTHS.items())
def test_lengths(lengths: tuple[float, float | None], expected: float) -> None:
    assert duration_score(*lengths) == expected


NAMES = {
    (("Ann", "Song"), ()): 0.8,
    (("Song",), ("Ann", "Best of")): 0.8,
    (("Song",), ("Bob",)): 0.55,
    (("Xyz",), ("Ann",)): 0.55,
    (("Xyz",), ("Song",)): 0.3,  # titles are not compared with folders
    ((), ()): 0.3,
}


@pytest.mark.parametrize(("names", "expected"), NAMES.items())
def test_names_of_file_and_folders_count_where_the_tags_are_silent(
    names: tuple[tuple[str, ...], tuple[str, ...]], expected: float
) -> None:
    silent = FileTags(names=PathNames(*names))
    assert metadata_score(silent, "Song", "Ann", "m", is_whole_file=True) == pytest.approx(expected)
    tagged = FileTags(title="Xyz", artist="Bob", names=PathNames(*names))
    without = FileTags(title="Xyz", artist="Bob")
    assert metadata_score(tagged, "Song", "Ann", "m", is_whole_file=True) == metadata_score(
        without, "Song", "Ann", "m", is_whole_file=True
    )


def test_of_a_file_of_several_tracks_the_name_says_no_title() -> None:
    names = FileTags(names=PathNames(("Song",), ("Ann",)))
    assert metadata_score(names, "Song", "Ann", "m", is_whole_file=False) == pytest.approx(0.55)
    assert metadata_score(names, "Song", "Bob", "m", is_whole_file=False) == 0.3


def test_metadata_are_compared_as_far_as_both_sides_have_them() -> None:
    tags = FileTags(title="Song", artist="Ann")
    assert metadata_score(tags, "song", "ANN", "m", is_whole_file=True) == 1.0
    assert metadata_score(tags, "Song", None, "m", is_whole_file=True) == 1.0
    assert metadata_score(tags, "Xyz", "Ann", "m", is_whole_file=True) == pytest.approx(0.5)
    assert metadata_score(FileTags(), "Song", "Ann", "m", is_whole_file=True) == 0.3
    assert metadata_score(tags, "Xyz", "Ann", "m", is_whole_file=False) == 1.0
    assert metadata_score(FileTags(recording_mbid="m"), "Xyz", "Bob", "m", is_whole_file=True) == 1.0
    assert metadata_score(FileTags(recording_mbid="m"), "Xyz", "Bob", "m", is_whole_file=False) == 0.3


def match(name: str, score: float, title: str = "Song", length_s: float | None = 100) -> FingerprintMatch:
    return FingerprintMatch(mbid(f"acoustid {name}"), score, Song(mbid(name), title, "Ann", (artist("Ann"),)), length_s)


def test_every_candidate_is_scored_and_the_best_wins_not_the_first() -> None:
    found = [match("a", 0.92, "Xylophone"), match("b", 0.90, "Song"), match("c", 0.91, "Song", 300)]
    ranked = rank(found, FileTags(title="Song", artist="Ann"), 100, is_whole_file=True)
    assert ranked[0].song.recording_mbid == mbid("b")
    assert ranked[0].confidence == pytest.approx(0.3 + 0.6 * 0.90 + 0.1)


def test_ties_do_not_depend_on_the_order_of_the_answer() -> None:
    found = [match(name, 0.9) for name in "abcdef"]
    orders = []
    for seed in range(10):
        random.Random(seed).shuffle(found)
        ranked = rank(found, FileTags(title="Song"), 100, is_whole_file=True)
        orders.append([one.song.recording_mbid for one in ranked])
    assert all(order == sorted(order) for order in orders)
