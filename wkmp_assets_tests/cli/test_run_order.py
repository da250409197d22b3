"""Runs in their order: shared ones first, a large file as soon as its work has ended."""

from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.cli.run_order import AHEAD_S, MAX_AHEAD_FILES, RunOrder
from wkmp_assets.orchestration.run_requests.ranges import FileRange


def shared(name: str, work_s: float = 10.0) -> FileRange:
    return FileRange(name, name, (name,), 1, work_s)


def large(name: str, work_s: float = 8.0) -> FileRange:
    return FileRange(name, name, (name,), 1, work_s, is_large=True)


def names(ranges: list[FileRange]) -> str:
    return "".join(files.first for files in ranges)


def take_all(order: RunOrder) -> str:
    taken = []
    while (files := order.take()) is not None:
        taken.append(files)
    return names(taken)


def test_the_next_runs_are_begun_while_one_commits() -> None:
    begun: list[FileRange] = []
    order = RunOrder([shared(name) for name in "abcdefg"], begun.append, lambda _files: False)
    order.take()
    assert names(begun) == "abc"
    order.take()
    assert names(begun) == "abcd"
    assert (take_all(order), names(begun)) == ("cdefg", "abcdefg")


def test_a_large_file_is_begun_after_the_first_run_and_taken_when_its_work_has_ended() -> None:
    begun: list[FileRange] = []
    ended: set[str] = set()
    ranges = [large("X"), *map(shared, "abc"), large("Y", 6.0), *map(shared, "de")]
    order = RunOrder(ranges, begun.append, lambda files: files.first in ended)
    assert order.take() == shared("a")
    assert names(begun) == "abc"
    assert order.take() == shared("b")
    assert names(begun) == "abcYd"
    ended.add("Y")
    assert order.take() == large("Y", 6.0)
    assert names(begun) == "abcYdX"
    assert take_all(order) == "cdeX"


def test_several_large_files_are_begun_when_nothing_else_is_left() -> None:
    begun: list[FileRange] = []
    order = RunOrder([large("X"), large("Y"), large("Z"), large("W")], begun.append, lambda _files: False)
    order.take()
    assert names(begun) == "XYZW"


def test_few_tiny_files_are_begun_ahead_because_a_stop_commits_them() -> None:
    begun: list[FileRange] = []
    many = tuple(str(number) for number in range(MAX_AHEAD_FILES - 1))
    order = RunOrder([FileRange(name, name, many, len(many), 0.1) for name in "abcdef"], begun.append, lambda _: False)
    order.take()
    assert names(begun) == "abc"


@given(ranges=st.lists(st.tuples(st.floats(0, 40), st.booleans()), max_size=20), data=st.data())
def test_every_run_is_taken_once_and_begun_once_before(ranges: list[tuple[float, bool]], data: st.DataObject) -> None:
    every = [
        FileRange(str(number), str(number), (str(number),), 1, work_s, is_large)
        for number, (work_s, is_large) in enumerate(ranges)
    ]
    begun: list[str] = []
    order = RunOrder(every, lambda files: begun.append(files.first), lambda _files: data.draw(st.booleans()))
    taken: list[str] = []
    stop_after = data.draw(st.integers(0, 25))
    while len(taken) < stop_after and (files := order.take()) is not None:
        assert files.first in begun
        taken.append(files.first)
        waiting = [one for one in every if one.first in begun and one.first not in taken]
        assert sum(one.work_s for one in waiting) <= AHEAD_S + 80
    taken += [files.first for files in order.take_rest()]
    assert sorted(taken) == sorted(files.first for files in every)
    assert len(set(begun)) == len(begun)
    assert order.take() is None
