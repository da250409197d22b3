"""Runs in their order: shared ones first, a large file as soon as its work has ended."""

from contextlib import closing

import pytest
from dagster import DagsterInstance
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.cli import run_order
from wkmp_assets.cli.importer import LibraryImporter
from wkmp_assets.cli.run_order import AHEAD_S, MAX_AHEAD_FILES, RunOrder
from wkmp_assets.orchestration.run_requests.ranges import FileRange
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import Settings


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


def divide(files: FileRange, work_s: float) -> list[FileRange]:
    """Every key is a second of work."""
    step = max(1, int(work_s))
    parts = [files.keys[start : start + step] for start in range(0, len(files.keys), step)]
    return [FileRange(part[0], part[-1], part, len(part), float(len(part)), files.is_large) for part in parts]


@pytest.mark.parametrize(
    ("seconds_per_work_s", "taken"),
    [(0.4, [8, 8, 8, 8]), (1.0, [8, 8, 4, 4, 4, 4]), (2.0, [8, 8, 2, 2, 2, 2, 2, 2, 2, 2]), (50.0, [8, 8, *[2] * 8])],
)
def test_runs_that_take_long_on_this_machine_are_divided_and_never_too_far(
    seconds_per_work_s: float, taken: list[int]
) -> None:
    now, begun = [0.0], []
    ranges = [FileRange(f"{name}0", f"{name}7", tuple(f"{name}{n}" for n in range(8)), 8, 8.0) for name in "abcd"]
    order = RunOrder(ranges, lambda files: begun.extend(files.keys), lambda _files: False, divide, lambda: now[0])
    found = []
    while (files := order.take()) is not None:
        found.append(files)
        now[0] += 100.0 if len(found) == 1 else files.work_s * seconds_per_work_s  # the workers start
    assert [len(files.keys) for files in found] == taken
    every = [key for files in ranges for key in files.keys]
    assert [key for files in found for key in files.keys] == every
    assert sorted(begun) == sorted(every)
    assert len(set(begun)) == len(begun)


@pytest.mark.slow
def test_an_import_divides_the_runs_that_take_long(
    settings: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_order, "MAX_RUN_S", 1e-6)
    monkeypatch.setattr(run_order, "MIN_WORK_S", 0.0)
    names = [f"{number}.mp3" for number in range(6)]
    for name in names:
        (settings.library / name).write_bytes(b"no audio")
    control = RunControl()
    said = []
    control.on_commit = lambda one: said.append(one.key)
    with closing(LibraryImporter(settings, instance, control)) as importer:
        ranges = importer.plan(importer.scan().to_import)
        assert [files.keys for files in ranges] == [tuple(names[:2]), tuple(names[2:4]), tuple(names[4:])]
        assert [files.keys for files in importer.run(ranges)] == [
            tuple(names[:2]),
            tuple(names[2:4]),
            ("4.mp3",),
            ("5.mp3",),
        ]
        absent = FileRange("4.mp3", "absent.mp3", ("4.mp3", "absent.mp3"), 2, 1.0)
        assert importer._divide(absent, 0.1) == [absent], "its run says what is gone"
    assert said == names


def test_a_large_file_is_no_measure_of_the_others() -> None:
    now = [0.0]
    order = RunOrder([large("X"), *map(shared, "abcd")], lambda _files: None, lambda _: True, divide, lambda: now[0])
    taken = ""
    while (files := order.take()) is not None:
        taken += files.first
        now[0] += 1_000.0 if files.is_large else 1.0
    assert taken == "abXcd"


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
