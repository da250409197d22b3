"""Playlists of passages that sound alike."""

from dataclasses import replace

import pytest

from wkmp_assets.model.flavor import Flavor, distance
from wkmp_assets.model.flavor_table import smooth
from wkmp_assets.model.likeness import Heard, choose_playlist, find_shared
from wkmp_assets_tests.support.rankings import rank


def heard(name: str, bright: float, song: str | None = None) -> Heard:
    return Heard(name, song or name, 60.0, {"user.brightness": {"bright": bright, "dark": 1 - bright}})


SEED = heard("seed", 0.0)


def test_the_nearest_come_first_and_what_cannot_be_compared_not_at_all() -> None:
    other = Heard("other", "other", 60.0, {"mood": {"a": 1.0, "b": 0.0}})
    ranked = rank(SEED.flavor, [heard("far", 1.0), other, heard("near", 0.1)])
    assert [one.passage for _, one in ranked] == ["near", "far"]


def test_a_playlist_lasts_as_long_as_asked_and_has_each_song_once() -> None:
    others = [heard("same", 0.0, song="seed"), heard("a", 0.2), heard("b", 0.4), heard("c", 0.6)]
    assert [one.passage for one in choose_playlist(SEED, others, 150)] == ["seed", "a", "b"]
    assert len(list(choose_playlist(SEED, others, 9000))) == 4, "all there is"


def test_a_smooth_playlist_goes_on_with_the_nearest() -> None:
    chosen = [heard("first", 0.5), heard("a", 0.1), heard("b", 0.7), heard("c", 0.9)]
    assert [one.passage for one in smooth(chosen)] == ["first", "b", "c", "a"]
    assert smooth([]) == []


def test_values_that_are_likely_in_both_are_shared() -> None:
    assert find_shared(heard("a", 0.8).flavor, heard("b", 0.6).flavor) == [("user.brightness", "bright")]
    assert find_shared(heard("a", 0.8).flavor, heard("b", 0.4).flavor) == []


def classes(probability: float) -> Flavor:
    return {f"class_{number}": {"is": probability, "not": 1 - probability} for number in range(18)}


def classed(one: Heard, probability: float) -> Heard:
    return replace(one, flavor=one.flavor | classes(probability))


@pytest.mark.parametrize("theirs", [0.5, 0.9], ids=["equal classes", "other classes"])
def test_the_nearest_are_not_decided_by_which_classes_exist(theirs: float) -> None:
    """Equal classes made the only other passage with classes the nearest, other ones the furthest."""
    seed = classed(heard("seed", 0.5), 0.5)
    others = [heard(f"{number:02}", number / 40) for number in range(20)]
    mixed = [classed(one, theirs) if one.passage == "10" else one for one in others]
    order = [one.passage for _, one in rank(seed.flavor, others)]
    assert [one.passage for _, one in rank(seed.flavor, mixed)] == order
    assert [one.passage for one in smooth([seed, *mixed])] == [one.passage for one in smooth([seed, *others])]


def test_the_distance_is_that_of_wkmp_where_all_passages_have_the_same_characteristics() -> None:
    seed, other = classed(heard("seed", 0.5), 0.5), classed(heard("other", 0.2), 0.9)
    (ranked,) = rank(seed.flavor, [other])
    assert ranked == (distance(seed.flavor, other.flavor), other)
