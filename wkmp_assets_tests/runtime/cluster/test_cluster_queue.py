"""Who gets which file, and what a lost worker costs. Here every worker is a thread."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from wkmp_assets.errors import ClusterError, FileNotSeenError, UndecodableAudioError, WorkerLostError
from wkmp_assets.model.outcomes import Failed, Skipped, SkipReason
from wkmp_assets.runtime.cluster.executor import TaskExecutor, TaskFuture
from wkmp_assets.runtime.cluster.queue import ClusterQueue
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_process import WorkerLimits

HERE = threading.local()


class Threads(TaskExecutor):
    """Every worker is a thread."""

    def __init__(self, *names: str) -> None:
        self._slots = dict.fromkeys(names, 1)
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._in_hand: list[TaskFuture] = []
        self._refused: dict[str, str] = {}
        self.ended: list[str] = []
        self.most_in_hand = 0

    def open(self) -> None:
        for name in self._slots:
            self._pools.setdefault(name, ThreadPoolExecutor(1))

    @property
    def slots(self) -> Mapping[str, int]:
        return self._slots

    @property
    def refused(self) -> Mapping[str, str]:
        return self._refused

    def _free(self, avoid: frozenset[str]) -> list[str]:
        loads = {name: sum(one.worker == name and not one.done() for one in self._in_hand) for name in self._slots}
        return sorted((name for name in loads if name not in avoid and loads[name] < 2), key=lambda name: loads[name])

    def can_take(self, avoid: frozenset[str] = frozenset()) -> bool:
        return bool(self._free(avoid))

    def submit(self, function: Callable[..., Any], *arguments: Any, avoid: frozenset[str] = frozenset()) -> TaskFuture:
        task = TaskFuture(self._free(avoid)[0])
        self._in_hand.append(task)
        self.most_in_hand = max(self.most_in_hand, sum(not one.done() for one in self._in_hand))
        self._pools[task.worker].submit(self._run, task, function, arguments)
        return task

    def _run(self, task: TaskFuture, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if task.done():  # its worker was ended
            return
        task.started_at, HERE.worker = time.monotonic(), task.worker
        self.on_change()
        try:
            value = function(*arguments)
        except BaseException as error:  # noqa: BLE001 - handed over
            if not task.done():
                task.set_exception(error)
        else:
            if not task.done():
                task.set_result(value)

    def end(self, task: TaskFuture) -> None:
        self.ended.append(task.worker)
        self._pools[task.worker] = ThreadPoolExecutor(1)
        for one in self._in_hand:
            if one.worker == task.worker and not one.done():
                one.set_exception(WorkerLostError(one.worker))

    def close(self) -> None:
        for one in self._in_hand:
            one.cancel()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        self._pools.clear()

    def come(self, name: str) -> None:
        self._slots = {**self._slots, name: 1}
        self.open()
        self.on_change()

    def lose(self, name: str) -> None:
        self._slots = {one: slots for one, slots in self._slots.items() if one != name}

    def refuse(self, name: str, why: str) -> None:
        self._slots, self._refused = {}, {name: why}


@pytest.fixture
def control() -> RunControl:
    return RunControl()


@pytest.fixture
def engine() -> Iterator[Threads]:
    engine = Threads("a", "b")
    yield engine
    engine.close()


@pytest.fixture
def pool(engine: Threads, control: RunControl) -> Iterator[WorkerPool]:
    pool = make_pool(engine, control)
    yield pool
    pool.shut_down()


def make_pool(engine: Threads, control: RunControl, file_s: int = 600, max_wait_s: float = 0.05) -> WorkerPool:
    return WorkerPool(1, control, queue=ClusterQueue(control, WorkerLimits(file_s=file_s), engine, max_wait_s))


def times_ten(number: int) -> int:
    return number * 10


class Sometimes:
    """Raises an error the first times it is called for a file."""

    def __init__(self, error: Exception, count: int) -> None:
        self.error, self.left = error, count
        self.seen_by: list[str] = []

    def __call__(self, number: int) -> int:
        if number != 1:
            return number * 10
        self.seen_by.append(HERE.worker)
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return number * 10


TASKS = {f"k{number}": (number,) for number in range(20)}
TENS = {key: number * 10 for key, (number,) in TASKS.items()}


def test_every_file_gets_its_result_and_each_slot_has_two(pool: WorkerPool, engine: Threads) -> None:
    assert dict(pool.map_files("phase", times_ten, TASKS)) == TENS
    assert engine.most_in_hand == 4
    assert pool.far_slots == 2


def test_what_was_begun_is_taken_over(pool: WorkerPool, control: RunControl) -> None:
    done: list[str] = []
    control.on_work = done.append
    pool.begin("phase", times_ten, TASKS)
    assert dict(pool.map_files("phase", times_ten, TASKS)) == TENS
    assert sorted(done) == sorted(TASKS)


def test_a_file_whose_worker_is_lost_is_tried_again(pool: WorkerPool) -> None:
    assert dict(pool.map_files("phase", Sometimes(WorkerLostError("a"), 1), TASKS)) == TENS


@pytest.mark.parametrize(
    ("error", "code"), [(WorkerLostError("a"), "WORKER_CRASHED"), (MemoryError(), "OUT_OF_MEMORY")]
)
def test_a_file_that_costs_two_workers_fails_by_name(
    pool: WorkerPool, engine: Threads, error: Exception, code: str
) -> None:
    crash = Sometimes(error, 99)
    found = dict(pool.map_files("segments", crash, TASKS))
    failed = found.pop("k1")
    assert isinstance(failed, Failed)
    assert (failed.phase, failed.code) == ("segments", code)
    assert failed.message.startswith("k1: ")
    assert found == {key: value for key, value in TENS.items() if key != "k1"}
    assert len(crash.seen_by) == 2
    assert len(engine.ended) == (2 if code == "OUT_OF_MEMORY" else 0)


def test_a_file_that_one_worker_does_not_see_is_tried_on_another(pool: WorkerPool) -> None:
    unseen = Sometimes(FileNotSeenError("/mnt/music/1: No such file or directory"), 1)
    assert dict(pool.map_files("phase", unseen, TASKS)) == TENS
    assert len(set(unseen.seen_by)) == 2


def test_a_file_that_no_worker_sees_fails_by_name(pool: WorkerPool) -> None:
    unseen = Sometimes(FileNotSeenError("/mnt/music/1: No such file or directory"), 99)
    failed = dict(pool.map_files("phase", unseen, TASKS))["k1"]
    assert isinstance(failed, Failed)
    assert failed.code == "READ_ERROR"
    assert failed.message.startswith("k1: no worker sees it (a: /mnt/music/1: No such file or directory; b: ")
    assert sorted(unseen.seen_by) == ["a", "b"]


def see_nothing_on_a(number: int) -> int:
    if HERE.worker == "a":
        raise FileNotSeenError(f"/mnt/music/{number}: No such file or directory")
    return number * 10


def test_files_wait_for_a_worker_that_sees_them(control: RunControl) -> None:
    engine = Threads("a")
    pool = make_pool(engine, control, max_wait_s=3600)
    threading.Timer(0.05, engine.come, ["late"]).start()
    assert dict(pool.map_files("phase", see_nothing_on_a, TASKS)) == TENS
    pool.shut_down()
    engine.close()


def test_without_a_worker_that_sees_them_files_fail_in_the_end(control: RunControl) -> None:
    engine = Threads("a")
    pool = make_pool(engine, control)
    found = dict(pool.map_files("phase", see_nothing_on_a, {"k1": (1,)}))
    assert found["k1"].message.startswith("k1: no worker sees it (a: /mnt/music/1: No such file or directory)")
    pool.shut_down()
    engine.close()


def test_files_wait_for_a_worker_that_starts_again(engine: Threads, control: RunControl) -> None:
    pool = make_pool(engine, control, max_wait_s=3600)

    def see_until_lost(number: int) -> int:
        if number == 9 and HERE.worker == "b":
            engine.lose("b")
            threading.Timer(0.05, engine.come, ["c"]).start()
        return see_nothing_on_a(number)

    assert dict(pool.map_files("phase", see_until_lost, TASKS)) == TENS
    pool.shut_down()


def test_a_file_that_waits_for_one_worker_holds_no_other_back(engine: Threads, control: RunControl) -> None:
    pool, others, taken = make_pool(engine, control), threading.Event(), threading.Event()

    def wait_on_b(number: int) -> int:
        if HERE.worker == "b":
            taken.set()
            others.wait(60)
        else:
            taken.wait(60)
        if HERE.worker == "a" and number == 5:
            raise FileNotSeenError("/mnt/music/5: No such file or directory")
        return number * 10

    found: dict[str, Any] = {}
    for key, value in pool.map_files("phase", wait_on_b, TASKS):
        found[key] = value
        if len(found) == len(TASKS) - 3:  # two that the one has in hand, and the one that waits for it
            others.set()
    assert found == TENS
    pool.shut_down()


def test_a_file_that_hangs_ends_its_worker_and_no_other_file(engine: Threads, control: RunControl) -> None:
    pool, go = make_pool(engine, control, file_s=0), threading.Event()

    def hang(number: int) -> int:
        if number == 1:
            go.wait(60)
        return number * 10

    queue = pool._queue
    assert isinstance(queue, ClusterQueue)
    queue._limits = SecondsFor(1)  # type: ignore[assignment]  # it has what is asked of limits
    try:
        found = dict(pool.map_files("segments", hang, TASKS))
    finally:
        go.set()
        pool.shut_down()
    failed = found.pop("k1")
    assert isinstance(failed, Failed)
    assert (failed.phase, failed.code) == ("segments", "TOOK_TOO_LONG")
    assert found == {key: value for key, value in TENS.items() if key != "k1"}
    assert len(engine.ended) == 1


class SecondsFor:
    """Limits that end one file at once, and give the others an hour."""

    memory_mb = 1024

    def __init__(self, number: int) -> None:
        self._number = number

    def seconds_for(self, arguments: tuple[Any, ...]) -> float:
        return 0.05 if arguments == (self._number,) else 3600


def test_errors_of_a_file_are_its_failure_and_others_are_raised(pool: WorkerPool) -> None:
    bad = Sometimes(UndecodableAudioError("a/b.mp3", "no decoder gets any sound out of it"), 1)
    failed = dict(pool.map_files("phase", bad, TASKS))["k1"]
    assert isinstance(failed, Failed)
    assert failed.code == "DECODE_ERROR"
    with pytest.raises(ZeroDivisionError):
        dict(pool.map_files("phase", Sometimes(ZeroDivisionError(), 1), TASKS))


def test_a_lost_cluster_ends_the_work_with_a_sentence_and_the_next_goes_on(pool: WorkerPool) -> None:
    lost = ClusterError("the scheduler at tcp://nas:8786 is gone", "start it again, then import again")
    with pytest.raises(ClusterError, match=r"is gone\. Files that were committed are in the library; start it again"):
        dict(pool.map_files("phase", Sometimes(lost, 1), TASKS))
    assert dict(pool.map_files("phase", times_ten, TASKS)) == TENS


@pytest.mark.slow
def test_without_workers_the_import_waits_and_then_says_so(control: RunControl) -> None:
    engine = Threads()
    pool = make_pool(engine, control)
    with pytest.raises(ClusterError, match="has had no worker"):
        dict(pool.map_files("phase", times_ten, TASKS))
    engine.refuse("tcp://nas:1", "it has PyAV 17.0 instead of 18.1")
    with pytest.raises(ClusterError, match=r"tcp://nas:1 is not used: it has PyAV 17\.0 instead of 18\.1"):
        dict(pool.map_files("phase", times_ten, TASKS))
    pool.shut_down()


def test_a_worker_that_comes_late_is_used(control: RunControl) -> None:
    engine = Threads()
    pool = make_pool(engine, control, max_wait_s=3600)
    threading.Timer(0.05, engine.come, ["late"]).start()
    assert dict(pool.map_files("phase", times_ten, TASKS)) == TENS
    pool.shut_down()
    engine.close()


@pytest.mark.slow
def test_a_stop_keeps_what_is_finished_and_gives_up_what_hangs(engine: Threads, control: RunControl) -> None:
    pool, go = make_pool(engine, control), threading.Event()

    def hang(number: int) -> int:
        if number == 0:
            return 0
        control.request_stop()
        go.wait(60)
        return number * 10

    try:
        found = dict(pool.map_files("phase", hang, TASKS))
    finally:
        go.set()
        pool.shut_down()
    assert found.pop("k0") == 0
    assert set(found.values()) == {Skipped(SkipReason.INTERRUPTED)}
