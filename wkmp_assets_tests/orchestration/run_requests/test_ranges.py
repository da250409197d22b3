"""Range runs cover what is wanted, in order, and never more than they may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.orchestration.run_requests.ranges import plan_ranges

ORDERED = st.lists(st.integers(0, 1000).map(str), unique=True, max_size=60)


@given(ordered=ORDERED, most=st.none() | st.integers(1, 12), data=st.data())
def test_ranges_cover_every_wanted_partition_once_within_the_limit(
    ordered: list[str], most: int | None, data: st.DataObject
) -> None:
    wanted = data.draw(st.lists(st.sampled_from(ordered), max_size=80)) if ordered else []
    ranges = plan_ranges(ordered, wanted, most)
    assert [key for one in ranges for key in one.keys] == sorted(set(wanted), key=ordered.index)
    last = -1
    for one in ranges:
        first, end = ordered.index(one.first), ordered.index(one.last)
        assert last < first <= end
        assert (one.first, one.last) == (one.keys[0], one.keys[-1])
        assert one.size == end - first + 1
        assert most is None or one.size <= most
        last = end
    if most is None:
        assert len(ranges) == min(len(wanted), 1)


@given(count=st.integers(0, 100), most=st.integers(1, 20))
def test_nothing_but_wanted_partitions_takes_as_few_runs_as_possible(count: int, most: int) -> None:
    ordered = [str(number) for number in range(count)]
    assert len(plan_ranges(ordered, ordered, most)) == -(-count // most)


def test_a_partition_that_is_not_registered_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"not registered.*'x'"):
        plan_ranges(["a", "b"], ["a", "x"], 10)


def test_a_folder_that_fits_into_a_run_is_not_divided() -> None:
    ordered = [f"{folder}/{number}" for folder, count in (("A", 3), ("B", 4), ("C", 1)) for number in range(count)]
    assert [one.keys for one in plan_ranges(ordered, ordered, 5)] == [
        ("A/0", "A/1", "A/2"),
        ("B/0", "B/1", "B/2", "B/3", "C/0"),
    ]


def test_a_folder_that_fits_into_no_run_fills_runs() -> None:
    ordered = ["A/0", *(f"B/{number}" for number in range(5)), "C/0"]
    assert [one.keys for one in plan_ranges(ordered, ordered, 3)] == [
        ("A/0", "B/0", "B/1"),
        ("B/2", "B/3", "B/4"),
        ("C/0",),
    ]
