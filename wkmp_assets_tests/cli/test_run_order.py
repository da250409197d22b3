"""Runs in their order: shared ones first, a large file as soon as its work has ended."""

from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest
from dagster import DagsterInstance
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.cli import importer as importer_module
from wkmp_assets.cli.import_command import run_until_none_waits
from wkmp_assets.cli.importer import LibraryImporter
from wkmp_assets.cli.run_order import AHEAD_S, MAX_AHEAD_FILES, RunOrder
from wkmp_assets.cli.summary import ImportSummary
from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.model.batch import FileCommit
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.orchestration.run_requests.ranges import FileRange, RunSize, plan_ranges
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import Settings
from wkmp_assets_tests.support.patience import wait_until


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


def test_the_rest_of_a_run_comes_next_and_is_not_begun_again() -> None:
    begun: list[FileRange] = []
    order = RunOrder([*map(shared, "abcdef")], begun.append, lambda _files: False)
    order.take()
    order.give_back(shared("z", 1.0))
    assert take_all(order) == "zbcdef"
    assert names(begun) == "abcdef"


def placed(position: int, size: int = 1, *, is_large: bool = False) -> FileRange:
    keys = tuple(str(number) for number in range(position, position + size))
    return FileRange(keys[0], keys[-1], keys, size, float(size), is_large, position)


def test_a_run_takes_along_what_the_workers_have_measured_too() -> None:
    begun: list[FileRange] = []
    ended = {"0", "2", "3", "5"}
    ranges = [placed(0, 2), placed(2), placed(3, 2), placed(5, 9), placed(14)]
    order = RunOrder(ranges, begun.append, lambda files: files.first in ended)
    first = order.take()
    assert first is not None
    joined = order.join_ended(first, RunSize(5))
    assert joined == FileRange("0", "4", ("0", "1", "2", "3", "4"), 5, 5.0), "the fourth would make it too long"
    second = order.take()
    assert second == placed(5, 9)
    assert order.join_ended(second, RunSize()) == second, "the last one is still with a worker"
    assert [files.first for files in begun] == ["0", "2", "3", "5", "14"]


def test_a_run_does_not_jump_over_partitions_and_a_large_file_stays_alone() -> None:
    order = RunOrder([placed(0), placed(2)], lambda _files: None, lambda _files: True)
    order.take()
    assert order.join_ended(placed(0), RunSize()) == placed(0)
    assert order.join_ended(placed(1, is_large=True), RunSize()) == placed(1, is_large=True)
    assert order.join_ended(placed(1), RunSize()) == placed(1, 2), "nothing but that kept it back"


@pytest.fixture
def broken(settings: Settings) -> list[str]:
    names = [f"{folder}/{number}.mp3" for folder in "ab" for number in range(3)]
    for name in names:
        (settings.library / name).parent.mkdir(exist_ok=True)
        (settings.library / name).write_bytes(b"no audio")
    return names


@pytest.mark.slow
def test_a_run_does_not_wait_for_files_that_take_long(
    settings: Settings, instance: DagsterInstance, broken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer_module, "MAX_WAIT_S", -1.0)
    control = RunControl()
    said = []
    control.on_commit = lambda one: said.append(one.key)
    with closing(LibraryImporter(replace(settings, files_per_run="auto"), instance, control)) as importer:
        ranges = importer.plan(importer.scan().to_import)
        assert [files.keys for files in ranges] == [tuple(broken)]
        first, *others = importer.run(ranges)
        assert first.keys == (broken[0],), "the workers start, so none is measured"
        assert first.size == 1
        absent = FileRange(broken[0], "z", (broken[0], "z"), 2, 1.0)
        assert importer._cut(absent, 1) == [absent], "its run says what is gone"
    assert [key for files in [first, *others] for key in files.keys] == said == broken


@pytest.mark.slow
def test_an_import_joins_the_runs_that_the_workers_are_done_with(
    settings: Settings, instance: DagsterInstance, broken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(LibraryImporter(replace(settings, files_per_run="auto"), instance, RunControl())) as importer:
        ordered = [*importer.scan().to_import]
        ranges = plan_ranges(ordered, ordered, RunSize(1))
        assert len(ranges) == len(broken)

        def wait_for_all(files: FileRange) -> list[FileRange]:
            wait_until(lambda: all(map(importer._has_ended, ranges)), "the workers have looked at all files")
            return [files]

        monkeypatch.setattr(importer, "_wait_for_workers", wait_for_all)
        assert [files.keys for files in importer.run(ranges)] == [tuple(broken)]


@pytest.fixture
def copies(settings: Settings) -> list[str]:
    """Two copies that wait for a third in a later run, and a file between them. None has sound."""
    names = ["Downloads/1.mp3", "Downloads/2.mp3", "M/1.mp3", "Zed/Album/1.mp3"]
    for name in names:
        (settings.library / name).parent.mkdir(parents=True, exist_ok=True)
        (settings.library / name).write_text(f"no audio in {name[-5:]}")
    return names


@pytest.mark.slow
def test_files_that_waited_for_a_better_copy_are_imported_and_no_other_twice(
    settings: Settings, instance: DagsterInstance, copies: list[str]
) -> None:
    summary, control, visits = ImportSummary(), RunControl(), Counter[str]()

    def committed(one: FileCommit) -> None:
        summary.add(one)
        visits[one.key] += 1

    control.on_commit = committed
    with closing(LibraryImporter(replace(settings, files_per_run=3), instance, control)) as importer:
        ranges = importer.plan(importer.scan().to_import)
        runs = run_until_none_waits(importer, ranges, summary.waiting, {})
        assert [files.keys for files in runs][:2] == [tuple(copies[:3]), tuple(copies[3:])]
    assert (summary.results, summary.waiting) == ({"failed": 4}, set())
    assert (visits[copies[0]] > 1, visits[copies[1]], visits[copies[3]]) == (True, 1, 1)
    assert {failure.path: failure.attempts for failure in read_failures(settings.database_path)} == dict.fromkeys(
        copies, 1
    )


def test_a_stop_while_copies_wait_visits_no_other_file_twice(
    settings: Settings, instance: DagsterInstance, copies: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(LibraryImporter(replace(settings, files_per_run=3), instance, RunControl())) as importer:
        importer.scan()
        again = importer.plan([copies[0], copies[2]], only=True)
        monkeypatch.setattr(importer._workers, "find_finished", lambda keys: keys)
        assert [(files.keys, files.size) for files in importer._plan_finished(again)] == [
            ((copies[0],), 1),
            ((copies[2],), 1),
        ]


def test_a_folder_that_stays_in_one_run_is_not_cut(
    settings: Settings, instance: DagsterInstance, broken: list[str]
) -> None:
    with_key = replace(settings, files_per_run="auto", acoustid_api_key=Secret("mine"))
    with closing(LibraryImporter(with_key, instance, RunControl())) as importer:
        (files,) = importer.plan(importer.scan().to_import)
        assert importer._cut(files, 2) == [files]
        assert [part.keys for part in importer._cut(files, 3)] == [tuple(broken[:3]), tuple(broken[3:])]


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
