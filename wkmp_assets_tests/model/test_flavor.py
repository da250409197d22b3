"""The arithmetic of flavors, on the specification's numbers and on generated flavors."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.model.flavor import (
    Flavor,
    combine,
    distance,
    flavor_json,
    parse_flavor,
    read_flavor,
    round_distribution,
)


def binary(name: str, first: str, probability: float) -> Flavor:
    return {name: {first: probability, f"zz_not_{first}": 1 - probability}}


GENRES = ("ambient", "dnb", "house", "techno", "trance")
RHYTHMS = ("ChaChaCha", "Jive", "Quickstep", "Samba", "Tango", "Waltz")

A: Flavor = {
    **binary("danceability", "danceable", 0.17),
    **binary("gender", "female", 0.90),
    **binary("mood_relaxed", "not_relaxed", 0.74),
    **binary("user.xenophobia", "not_xenophobic", 0.98),
    "genre_electronic": dict(zip(GENRES, (0.11, 0.03, 0.47, 0.02, 0.37), strict=True)),
    "ismir04_rhythm": {**dict(zip(RHYTHMS, (0.02, 0.04, 0.08, 0.07, 0.05, 0.14), strict=True)), "Rumba-Misc": 0.6},
}
B: Flavor = {
    **binary("danceability", "danceable", 0.93),
    **binary("gender", "female", 0.33),
    **binary("mood_relaxed", "not_relaxed", 0.78),
    "genre_electronic": dict(zip(GENRES, (0.11, 0.03, 0.01, 0.82, 0.03), strict=True)),
    "ismir04_rhythm": {**dict(zip(RHYTHMS, (0.02, 0.13, 0.36, 0.07, 0.05, 0.14), strict=True)), "Rumba": 0.23},
    "user.animal_affinity": {"cats": 0.5, "dogs": 0.3, "fish": 0.2},
}


def only(flavor: Flavor, *names: str) -> Flavor:
    return {name: flavor[name] for name in names}


def test_the_worked_example_has_its_distance() -> None:
    assert distance(A, B) == pytest.approx(0.2026475, abs=1e-12)


def test_each_half_of_the_worked_example_has_its_value() -> None:
    binaries = ("danceability", "gender", "mood_relaxed")
    assert distance(only(A, *binaries), only(B, *binaries)) == pytest.approx((0.9041 / 3 + 1) / 2)
    assert distance(only(A, "genre_electronic"), only(B, "genre_electronic")) == pytest.approx((1 + 0.19344) / 2)
    assert distance(only(A, "ismir04_rhythm"), only(B, "ismir04_rhythm")) == pytest.approx((1 + 0.0865 / 6) / 2)


def test_flavors_with_nothing_in_common_are_one_apart() -> None:
    assert distance({}, A) == 1.0
    assert distance({"user.x": {"a": 0.2, "b": 0.3, "c": 0.5}}, {"user.x": {"d": 0.2, "e": 0.3, "f": 0.5}}) == 1.0
    assert distance(binary("x", "a", 0.5), {"x": {"a": 0.5, "b": 0.3, "c": 0.2}}) == 1.0, "binary against complex"


def test_the_weights_are_shares_of_the_running_time() -> None:
    first, second, third = (binary("mood_happy", "happy", p) for p in (1.0, 0.0, 0.0))
    centroid = combine([(287, first), (372, second), (304, third)])
    assert centroid["mood_happy"]["happy"] == pytest.approx(0.298, abs=5e-4)


def test_a_value_that_some_lack_is_the_mean_of_those_that_have_it() -> None:
    a, b, c = binary("danceability", "danceable", 0.2), A | {}, binary("danceability", "danceable", 0.6)
    del b["danceability"]
    centroid = combine([(0.298, a), (0.386, b), (0.316, c)])
    assert centroid["danceability"]["danceable"] == pytest.approx((0.2 * 0.298 + 0.6 * 0.316) / (0.298 + 0.316))
    assert sum(centroid["danceability"].values()) == pytest.approx(1.0, abs=1e-12)


def test_complex_characteristics_are_brought_back_to_the_sum_of_one() -> None:
    parts = [{"x": {"E1": 0.43, "E2": 0.2}}, {"x": {"E1": 0.43, "E3": 0.374}}, {"x": {"E2": 0.29, "E3": 0.374}}]
    assert combine([(1, part) for part in parts])["x"] == pytest.approx(
        {"E1": 0.43 / 1.049, "E2": 0.245 / 1.049, "E3": 0.374 / 1.049}
    )


def test_flavors_without_characteristics_do_not_count() -> None:
    assert combine([(5, {}), (1, A)]) == A
    assert combine([(5, {})]) == {}


BAD = {
    "no object": [],
    "another program's": {"key": "C", "bpm": 120.5, "source": "essentia"},
    "one value": {"x": {"a": 1.0}},
    "none": {"x": {}},
    "negative": {"x": {"a": -0.1, "b": 1.0}},
    "above one": {"x": {"a": 1.1, "b": 0.0}},
    "not a number": {"x": {"a": math.nan, "b": 0.5}},
    "a text": {"x": {"a": "0.5", "b": 0.5}},
    "a truth": {"x": {"a": True, "b": 0.5}},
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_what_is_no_distribution_is_left_out_with_a_warning(value: object) -> None:
    read = read_flavor(value)
    assert read.flavor == {}
    assert read.warnings


def test_the_good_characteristics_beside_a_bad_one_are_used() -> None:
    assert read_flavor({"x": {"a": 2}, **A}).flavor == A


def test_a_sum_off_one_is_a_warning_and_used() -> None:
    read = read_flavor({"x": {"a": 0.5, "b": 0.4}})
    assert read.flavor == {"x": {"a": 0.5, "b": 0.4}}
    assert read.warnings == ("the values of x sum to 0.900000, not 1",)
    assert read_flavor({"x": {"a": 0.50001, "b": 0.5}}).warnings == ()


def test_a_text_that_is_no_json_is_no_flavor() -> None:
    assert parse_flavor('{"x": {"a": 0.5, "b": 0.5}} <html>').warnings == ("it is no JSON",)
    assert parse_flavor("[" * 100_000).flavor == {}
    assert parse_flavor(None).warnings == ()


weights = st.lists(st.floats(0, 1), min_size=2, max_size=12).filter(lambda values: sum(values) > 1e-3)
distributions = weights.map(lambda w: {f"v{i}": value / math.fsum(w) for i, value in enumerate(w)})
flavors = st.dictionaries(st.sampled_from("abcdef"), distributions, max_size=6)


@given(distributions)
def test_rounding_keeps_the_sum(values: dict[str, float]) -> None:
    assert abs(math.fsum(round_distribution(values).values()) - 1) < 1e-9
    assert all(abs(round_distribution(values)[name] - value) < 1.5e-6 for name, value in values.items())


def test_rounding_leaves_other_sums_alone() -> None:
    assert round_distribution({"a": 0.5, "b": 0.4}) == {"a": 0.5, "b": 0.4}


@given(flavors)
def test_a_stored_flavor_is_read_back_and_written_the_same(flavor: Flavor) -> None:
    text = flavor_json(flavor)
    read = parse_flavor(text)
    assert read.warnings == ()
    assert flavor_json(read.flavor) == text
    assert list(json.loads(text)) == sorted(flavor)


@given(flavors, flavors)
def test_distance_is_symmetric_and_from_zero_to_one(one: Flavor, other: Flavor) -> None:
    assert distance(one, other) == distance(other, one)
    assert 0 <= distance(one, other) <= 1 + 1e-12


@given(flavors)
def test_a_flavor_with_both_kinds_is_at_no_distance_from_itself(flavor: Flavor) -> None:
    whole = flavor | {"two": {"x": 0.3, "y": 0.7}, "three": {"x": 0.3, "y": 0.3, "z": 0.4}}
    assert distance(whole, whole) == 0


@pytest.mark.slow
@given(st.lists(st.tuples(st.floats(0.1, 1000), flavors), min_size=1, max_size=5))
def test_a_centroid_of_distributions_is_made_of_distributions(parts: list[tuple[float, Flavor]]) -> None:
    centroid = combine(parts)
    assert set(centroid) == {name for _, flavor in parts for name in flavor}
    assert all(abs(math.fsum(values.values()) - 1) < 1e-9 for values in centroid.values())


@given(flavors, st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_centroid_of_equal_flavors_is_that_flavor(flavor: Flavor, one: float, other: float) -> None:
    centroid = combine([(one, flavor), (other, flavor)])
    for name, values in flavor.items():
        assert centroid[name] == pytest.approx(values)


def test_what_is_rounded_stays_as_it_is_and_sorted() -> None:
    rounded = round_distribution({"b": 1 / 3, "a": 2 / 3})
    assert list(round_distribution(dict(reversed(rounded.items()))).items()) == list(rounded.items())
    assert [type(value) for value in round_distribution({"a": 1, "b": 0}).values()] == [float, float]
