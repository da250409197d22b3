"""Where passages lie on the map."""

import random

import numpy as np
import pytest

from wkmp_assets.model.flavor import Flavor, distance
from wkmp_assets.report.flavor_map import map_flavors


def flavor(high: float, *tempo: float) -> Flavor:
    total = sum(tempo)
    return {
        "user.energy": {"high": high, "low": 1 - high},
        "user.tempo": {str(number): value / total for number, value in enumerate(tempo)},
    }


def some(count: int, seed: int = 1) -> list[Flavor]:
    source = random.Random(seed)
    return [flavor(source.random(), *(source.random() + 0.01 for _ in range(4))) for _ in range(count)]


def test_neighbours_are_the_nearest_by_the_distance_of_flavors() -> None:
    flavors = some(40)
    found = map_flavors(flavors)
    assert found is not None
    for number, near in enumerate(found.neighbours):
        others = sorted((distance(flavors[number], one), other) for other, one in enumerate(flavors) if other != number)
        assert near.tolist() == [other for _, other in others[:3]]


def test_distances_on_the_map_are_distances_of_flavors_where_two_axes_can_show_them() -> None:
    """One binary and no more than one other free dimension: nothing is lost."""
    flavors = [flavor(high, tempo, 1 - tempo, 0.5) for high, tempo in ((0.1, 0.2), (0.9, 0.3), (0.4, 0.9), (0.5, 0.5))]
    found = map_flavors(flavors)
    assert found is not None
    assert found.share_shown == pytest.approx(1)
    ratios = [
        float(np.sum((found.positions[one] - found.positions[other]) ** 2)) / distance(flavors[one], flavors[other])
        for one in range(4)
        for other in range(one)
    ]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))


def test_the_same_library_looks_the_same() -> None:
    one, other = map_flavors(some(30)), map_flavors(some(30))
    assert one is not None
    assert other is not None
    assert np.array_equal(one.positions, other.positions)
    assert one.positions.min() == 0.0
    assert one.positions.max() == 1.0


def test_a_characteristic_that_some_lack_places_them_in_its_middle() -> None:
    whole = some(20)
    partly = [*whole, {"user.energy": whole[0]["user.energy"]}]
    found = map_flavors(partly)
    assert found is not None
    assert np.isfinite(found.positions).all()


@pytest.mark.parametrize("flavors", [[], some(2), some(1) * 5], ids=["none", "two", "all the same"])
def test_there_is_no_map_where_there_is_nothing_to_tell_apart(flavors: list[Flavor]) -> None:
    assert map_flavors(flavors) is None
