"""Ranking by arrays gives what ranking by flavors gives."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wkmp_assets.model.flavor import Flavor
from wkmp_assets.model.flavor_table import MIN_BATCH, FlavorTable, smooth
from wkmp_assets.model.likeness import Heard, rank_few
from wkmp_assets_tests.support.rankings import rank, smooth_plainly

NUMBERS = st.sampled_from([0.0, 1.0, 0.5, 0.1, 0.100001, 1 / 3]) | st.floats(0, 1)
VALUES = st.dictionaries(st.sampled_from("abcd"), NUMBERS, min_size=2, max_size=4)
FLAVORS = st.dictionaries(st.sampled_from(["user.energy", "mood", "genre", "foreign é"]), VALUES, max_size=4)


@given(like=FLAVORS, flavors=st.lists(FLAVORS, max_size=12), kept=st.integers(0, 12))
@example(like={"mood": {"a": 0.5, "b": 0.5}}, flavors=[{"mood": {"a": 0.5, "b": 0.5, "c": 0.0}}, {}], kept=1)
def test_arrays_rank_as_flavors_do(like: Flavor, flavors: list[Flavor], kept: int) -> None:
    """Equal distances, to the last bit, in the same order, whether a flavor was in the table already or is added."""
    passages = [Heard(f"{number:02}", "song", 1.0, flavor) for number, flavor in enumerate(flavors)]
    digests = [(one.passage.encode(), one.flavor) for one in passages]
    first = FlavorTable().updated([], [*digests[:kept], (b"gone", like)])
    table = first.updated([digest for digest, _ in digests], digests[kept:])
    assert b"gone" not in table
    assert rank(like, passages, table) == rank_few(like, passages)


@given(flavors=st.lists(FLAVORS, max_size=12))
@example(flavors=[{"mood": {"a": place, "b": 1 - place}} for place in (0.5, 0.3, 0.3 + 1e-12, 0.3, 0.7)])
@example(flavors=[{"mood": {"a": place, "b": 1 - place}} for place in (0.3, 0.5 + 4e-9, 0.1 - 3e-9)])
def test_arrays_order_a_smooth_playlist_as_flavors_do(flavors: list[Flavor]) -> None:
    """The last example: of two flavors, 32 bits take the farther one for the nearer."""
    passages = [Heard(f"{number * 7 % 13:02}", "song", 1.0, flavor) for number, flavor in enumerate(flavors)]
    assert smooth(passages) == smooth_plainly(passages)


@pytest.mark.parametrize(("place", "other"), [(0.1, 0.3), (0.3, 0.1)])
def test_flavors_nearer_together_than_the_numbers_of_arrays_keep_their_order_over_many_batches(
    place: float, other: float
) -> None:
    """32 bits cannot tell these apart, so the exact flavors decide. One distance of arrays is too short, one long."""
    count = 3 * MIN_BATCH
    passages = []
    for number in range(count):
        value = place + number * 37 % count * 1e-10
        passages.append(Heard(f"{number:05}", "song", 1.0, {"mood": {"a": value, "b": 1 - value}}))
    table = FlavorTable().updated([], [(one.passage.encode(), one.flavor) for one in passages])
    like = {"mood": {"a": other, "b": 1 - other}}
    assert rank(like, passages, table) == rank_few(like, passages)
