"""Range runs cover what is wanted, in order, and never more than they may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.orchestration.run_requests.ranges import RunSize, find_stretches, plan_ranges

ORDERED = st.lists(st.integers(0, 1000).map(str), unique=True, max_size=60)


@given(ordered=ORDERED, most=st.none() | st.integers(1, 12), only=st.booleans(), data=st.data())
def test_ranges_cover_every_wanted_partition_once_within_the_limit(
    ordered: list[str], most: int | None, only: bool, data: st.DataObject
) -> None:
    wanted = data.draw(st.lists(st.sampled_from(ordered), max_size=80)) if ordered else []
    ranges = plan_ranges(ordered, wanted, RunSize(most), only=only)
    assert [key for one in ranges for key in one.keys] == sorted(set(wanted), key=ordered.index)
    last = -1
    for one in ranges:
        first, end = ordered.index(one.first), ordered.index(one.last)
        assert last < first <= end
        assert (one.first, one.last) == (one.keys[0], one.keys[-1])
        assert one.size == end - first + 1
        assert most is None or one.size <= most
        assert one.position == first
        assert not only or one.size == len(one.keys)
        last = end
    stretches = list(find_stretches(ordered, ranges))
    carried = [key for one in ranges for key in ordered[ordered.index(one.first) : ordered.index(one.last) + 1]]
    assert [key for stretch in stretches for key in stretch] == carried
    assert all("".join(stretch) in "".join(ordered) for stretch in stretches)
    if most is None and not only:
        assert len(ranges) == min(len(wanted), 1)


@given(count=st.integers(0, 100), most=st.integers(1, 20))
def test_nothing_but_wanted_partitions_takes_as_few_runs_as_possible(count: int, most: int) -> None:
    ordered = [str(number) for number in range(count)]
    assert len(plan_ranges(ordered, ordered, RunSize(most))) == -(-count // most)


def test_a_partition_that_is_not_registered_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"not registered.*'x'"):
        plan_ranges(["a", "b"], ["a", "x"], RunSize(10))


def test_a_folder_that_fits_into_a_run_is_not_divided() -> None:
    ordered = [f"{folder}/{number}" for folder, count in (("A", 3), ("B", 4), ("C", 1)) for number in range(count)]
    assert [one.keys for one in plan_ranges(ordered, ordered, RunSize(5))] == [
        ("A/0", "A/1", "A/2"),
        ("B/0", "B/1", "B/2", "B/3", "C/0"),
    ]


def test_a_folder_that_fits_into_no_run_fills_runs() -> None:
    ordered = ["A/0", *(f"B/{number}" for number in range(5)), "C/0"]
    assert [one.keys for one in plan_ranges(ordered, ordered, RunSize(3))] == [
        ("A/0", "B/0", "B/1"),
        ("B/2", "B/3", "B/4"),
        ("C/0",),
    ]


def in_folders(*counts: int) -> list[str]:
    return [f"{folder}/{number:03}" for folder, count in enumerate(counts) for number in range(count)]


@given(
    counts=st.lists(st.integers(1, 30), max_size=8),
    work_s=st.lists(st.floats(0.05, 30), min_size=1, max_size=40),
    first_s=st.floats(0.5, 10),
    most=st.none() | st.integers(1, 20),
)
def test_ranges_are_cut_by_work(counts: list[int], work_s: list[float], first_s: float, most: int | None) -> None:
    ordered = in_folders(*counts)
    work = {key: work_s[number % len(work_s)] for number, key in enumerate(ordered)}
    size = RunSize(most, work_s=10, first_work_s=first_s)
    ranges = plan_ranges(ordered, ordered, size, work)
    assert [key for one in ranges for key in one.keys] == ordered
    for one in ranges:
        assert one.work_s == pytest.approx(sum(work[key] for key in one.keys))
        assert one.is_large == (one.work_s > 5 and len(one.keys) == 1 and work[one.first] > 5)
        assert one.is_large or all(work[key] <= 5 for key in one.keys)
        assert one.is_large or one.work_s < 15
    small = [one for one in ranges if not one.is_large]
    for number, one in enumerate(small):
        assert one.work_s < size.work_of_run(number) + 5


def test_the_first_runs_are_short() -> None:
    ordered = in_folders(60)
    size = RunSize(work_s=8, first_work_s=1)
    assert [len(one.keys) for one in plan_ranges(ordered, ordered, size, dict.fromkeys(ordered, 0.5))] == [
        2, 6, 16, 16, 16, 4,
    ]  # fmt: skip


def test_nobody_waits_for_the_image_of_an_album() -> None:
    ordered = ["A/1", "A/2", "A/image", "A/3", "B/1"]
    work = dict.fromkeys(ordered, 0.5) | {"A/image": 9.0}
    size = RunSize(work_s=10)
    found = plan_ranges(ordered, ordered, size, work)
    assert [(one.keys, one.is_large) for one in found] == [
        (("A/1", "A/2"), False),
        (("A/image",), True),
        (("A/3", "B/1"), False),
    ]


def test_a_folder_whose_files_ask_the_services_together_is_one_run_whatever_its_work() -> None:
    ordered = in_folders(2, 40, 2)
    work = dict.fromkeys(ordered, 1.0)
    assert [len(one.keys) for one in plan_ranges(ordered, ordered, RunSize(50, 10, whole_folder=50), work)] == [42, 2]
    assert [len(one.keys) for one in plan_ranges(ordered, ordered, RunSize(30, 10, whole_folder=50), work)] == [
        10,
        10,
        10,
        10,
        4,
    ]
