"""Real worker processes that crash, raise, and are interrupted."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from wkmp_assets.errors import UndecodableAudioError
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_queue import KEPT_MEMORY, ONE_THREAD
from wkmp_assets_tests.support.kept_workers import kept_workers
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until

pytestmark = pytest.mark.slow

WORKERS = 2


def work(number: int) -> int:
    return number * 10


def do(what: str, number: int, started: Path | None = None, go: Path | None = None) -> int:
    """Work, raise or die in a worker; tells when it starts, and waits until it may go on."""
    if started is not None:
        started.touch()
    while go is not None and not go.exists():
        time.sleep(0.01)
    if what == "die":
        os._exit(3)
    if what == "bad file":
        raise UndecodableAudioError("a/b.mp3", "no decoder gets any sound out of it")
    if what == "bug":
        raise ZeroDivisionError("a mistake in our code")
    return number * 10


def die_in_company(folder: Path) -> int:
    """Die at the first attempt, while another file is at work; succeed at the second."""
    mark = folder / "died"
    if not mark.exists():
        mark.touch()
        os._exit(3)
    return 7


@pytest.fixture
def control() -> RunControl:
    return RunControl()


@pytest.fixture
def pool(control: RunControl) -> Iterator[WorkerPool]:
    pool = WorkerPool(WORKERS, control)
    yield pool
    pool.shut_down()


@pytest.fixture
def kept_pool(control: RunControl) -> Iterator[WorkerPool]:
    """A pool whose workers are left to the next test, for tests that are about something else."""
    with kept_workers():
        pool = WorkerPool(WORKERS, control)
        yield pool
        pool.shut_down()


def workers_of(pool: WorkerPool) -> list[psutil.Process]:
    """Return the running workers of a pool. This process may have workers of other pools."""
    executor = pool._queue.executor
    assert executor is not None
    return [psutil.Process(pid) for pid in executor._processes]


def wait_until_broken(pool: WorkerPool) -> None:
    """Wait until the pool's thread has noticed that a worker is gone."""
    executor = pool._queue.executor
    assert executor is not None
    wait_until(lambda: executor._flags.broken is not None, "the pool notices that a worker is gone")


def threads_of_linear_algebra() -> set[int]:
    import numpy as np
    from threadpoolctl import threadpool_info

    square = np.ones((500, 500), np.float32)
    assert (square @ square)[0, 0] == 500
    return {library["num_threads"] for library in threadpool_info()}


def test_a_worker_s_linear_algebra_has_one_thread(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ONE_THREAD:
        monkeypatch.delenv(name)  # the tests themselves have the setting
    assert dict(pool.map_files("phase", threads_of_linear_algebra, {"k": ()})) == {"k": {1}}


def settings_of_malloc() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("MALLOC_")}


def test_a_worker_keeps_the_memory_that_it_will_need_again(kept_pool: WorkerPool) -> None:
    assert dict(kept_pool.map_files("phase", settings_of_malloc, {"k": ()})) == {"k": KEPT_MEMORY}


def test_every_file_gets_its_result(kept_pool: WorkerPool, control: RunControl) -> None:
    reported: list[tuple[str, str]] = []
    control.on_file = lambda phase, key: reported.append((phase, key))
    tasks = {f"k{number}": (number,) for number in range(20)}
    assert dict(kept_pool.map_files("phase", work, tasks)) == {f"k{number}": number * 10 for number in range(20)}
    assert sorted(reported) == sorted(("phase", key) for key in tasks)


def test_no_files_are_no_work(pool: WorkerPool) -> None:
    assert list(pool.map_files("phase", work, {})) == []


def test_a_bad_file_fails_alone(kept_pool: WorkerPool) -> None:
    found = dict(kept_pool.map_files("segments", do, {"a": ("work", 1), "b": ("bad file", 2), "c": ("work", 3)}))
    assert (found["a"], found["c"]) == (10, 30)
    assert (found["b"].phase, found["b"].code) == ("segments", "DECODE_ERROR")
    assert found["b"].message.startswith("a/b.mp3: no decoder gets any sound")


def test_a_programming_error_is_not_charged_to_a_file(pool: WorkerPool) -> None:
    with pytest.raises(ZeroDivisionError):
        list(pool.map_files("phase", do, {"a": ("work", 1), "b": ("bug", 2)}))


@pytest.mark.parametrize(
    "deaths", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)]
)
def test_a_crash_is_charged_to_the_file_that_caused_it(pool: WorkerPool, deaths: int) -> None:
    tasks = {
        f"k{number}": ("die" if number % 4 == 1 and number < 4 * deaths else "work", number) for number in range(12)
    }
    found = dict(pool.map_files("segments", do, tasks))
    assert set(found) == set(tasks)
    for key, (what, number) in tasks.items():
        if what == "die":
            assert isinstance(found[key], Failed)
            assert (found[key].phase, found[key].code) == ("segments", "WORKER_CRASHED")
            assert found[key].message.startswith(f"{key}: ")
        else:
            assert found[key] == number * 10


def test_a_file_that_works_when_tried_alone_is_innocent(pool: WorkerPool, tmp_path: Path) -> None:
    assert dict(pool.map_files("phase", die_in_company, {"a": (tmp_path,)})) == {"a": 7}


def test_a_worker_that_dies_while_a_result_is_looked_at_stops_nobody(pool: WorkerPool, tmp_path: Path) -> None:
    started, go = tmp_path / "started", tmp_path / "go"
    tasks: dict[str, tuple[Any, ...]] = {"quick": ("work", 1), "dies": ("die", 2, started, go)}
    tasks |= {f"k{number}": ("work", number) for number in range(3, 9)}
    found: dict[str, Any] = {}
    for key, value in pool.map_files("phase", do, tasks):
        if not found:
            while not started.exists():
                time.sleep(0.01)
            victims = workers_of(pool)
            go.touch()
            psutil.wait_procs(victims, timeout=PATIENCE_S)
        found[key] = value
    assert {key: found[key] for key in tasks if key != "dies"} == {
        key: task[1] * 10 for key, task in tasks.items() if key != "dies"
    }
    assert found["dies"].code == "WORKER_CRASHED"


def test_a_stop_finishes_what_is_in_hand_and_interrupts_the_rest(
    pool: WorkerPool, control: RunControl, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    tasks = {f"k{number}": ("work", number, tmp_path / f"started {number}", go) for number in range(10)}

    def stop() -> None:
        while len(list(tmp_path.glob("started*"))) < WORKERS:
            time.sleep(0.01)
        control.request_stop()
        go.touch()

    stopper = threading.Thread(target=stop)
    stopper.start()
    found = dict(pool.map_files("phase", do, tasks))
    stopper.join()
    finished = [key for key, value in found.items() if not isinstance(value, Skipped)]
    assert set(found) == set(tasks)
    assert WORKERS <= len(finished) <= WORKERS + 1
    assert all(found[key] == tasks[key][1] * 10 for key in finished)
    assert all(found[key] == Skipped(SkipReason.INTERRUPTED) for key in tasks if key not in finished)


def test_a_stop_does_not_wait_for_a_file_that_hangs_and_keeps_what_is_finished(
    tmp_path: Path, control: RunControl
) -> None:
    log, never = tmp_path / "log", tmp_path / "never"
    pool = WorkerPool(1, control)
    finished: list[str] = []
    control.on_work = finished.append
    try:
        tasks = {
            "quick": (tmp_path, log, "quick"),
            "hangs": (tmp_path, log, "hangs", never),
            "late": (tmp_path, log, ""),
        }
        pool.begin("phase", note, tasks)
        wait_until(lambda: log.exists() and len(log.read_text().split()) == 2, "the second is begun")
        assert (pool.has_ended(["quick"]), pool.has_ended(tasks)) == (True, False)
        control.request_stop()
        while not pool.has_ended(tasks):
            pool.wait_for_news(PATIENCE_S)
        assert (pool.find_finished(tasks), finished) == (["quick"], ["quick"])
        interrupted = Skipped(SkipReason.INTERRUPTED)
        assert dict(pool.map_files("phase", note, tasks)) == {
            "quick": "quick",
            "hangs": interrupted,
            "late": interrupted,
        }
        assert pool.find_finished(tasks) == []
    finally:
        pool.shut_down()


def test_a_stop_before_the_start_starts_nothing(pool: WorkerPool, control: RunControl) -> None:
    control.request_stop()
    assert dict(pool.map_files("phase", work, {"a": (1,), "b": (2,)})) == dict.fromkeys(
        "ab", Skipped(SkipReason.INTERRUPTED)
    )


def test_a_phase_computes_what_has_values_and_passes_the_rest_on(kept_pool: WorkerPool) -> None:
    failed, skipped = Failed("p", "C", "m"), Skipped(SkipReason.DUPLICATE)
    upstream: list[dict[str, Outcome[Any]]] = [
        {"a": Result("work", "h"), "b": failed, "c": Result("work", "h"), "d": Result("bad file", "h")},
        {"a": Result(1, "h"), "b": Result(2, "h"), "c": skipped, "d": Result(4, "h")},
    ]
    found = kept_pool.compute("phase", ["d", "c", "b", "a"], upstream, do, lambda _key, what, number: (what, number))
    assert list(found) == ["d", "c", "b", "a"]
    assert (found["a"], found["b"], found["c"]) == (Result(10, "h"), failed, skipped)
    assert isinstance(found["d"], Failed)


def test_no_worker_is_left_after_the_end(pool: WorkerPool) -> None:
    list(pool.map_files("phase", work, {"a": (1,), "b": (2,)}))
    workers = workers_of(pool)
    assert workers
    pool.shut_down()
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
    assert not alive


def note(_file: Path, log: Path, name: str, go: Path | None = None) -> str:
    """Work on a file, and write down when it is begun."""
    with log.open("a") as lines:
        lines.write(f"{name}\n")
    while go is not None and not go.exists():
        time.sleep(0.01)
    return name


def test_what_was_begun_is_not_done_again(kept_pool: WorkerPool, tmp_path: Path) -> None:
    """A file that has other arguments by now is."""
    log = tmp_path / "log"
    tasks = {key: (tmp_path / key, log, key) for key in "abc"}
    kept_pool.begin("phase", note, tasks)
    wait_until(lambda: log.exists() and len(log.read_text().split()) == 3, "all are begun")
    tasks["b"] = (tmp_path / "b", log, "b again")
    assert dict(kept_pool.map_files("phase", note, tasks)) == {"a": "a", "b": "b again", "c": "c"}
    assert sorted(log.read_text().splitlines()) == ["a", "b", "b again", "c"]


def test_what_was_begun_waits_for_what_is_asked_for(tmp_path: Path, control: RunControl) -> None:
    log, go = tmp_path / "log", tmp_path / "go"
    pool = WorkerPool(1, control)
    try:
        pool.begin("phase", note, {key: (tmp_path, log, key, go) for key in "abcd"})
        wait_until(log.exists, "the first is begun")
        pool.forget("d")
        results = pool.map_files("phase", note, {"x": (tmp_path, log, "x"), "c": (tmp_path, log, "c", go)})
        threading.Timer(0.1, go.touch).start()
        assert dict(results) == {"x": "x", "c": "c"}
        assert dict(pool.map_files("phase", note, {"b": (tmp_path, log, "b", go)})) == {"b": "b"}
        assert log.read_text().split() == ["a", "x", "c", "b"]
    finally:
        pool.shut_down()


def test_a_mistake_in_what_was_begun_is_raised_where_it_is_asked_for(pool: WorkerPool) -> None:
    pool.begin("phase", do, {"a": ("bug", 1), "b": ("die", 2), "c": ("work", 3)})
    assert dict(pool.map_files("phase", do, {"c": ("work", 3)})) == {"c": 30}
    ((_, died),) = pool.map_files("phase", do, {"b": ("die", 2)})
    assert died.code == "WORKER_CRASHED"
    with pytest.raises(ZeroDivisionError):
        dict(pool.map_files("phase", do, {"a": ("bug", 1)}))


_INTERRUPTED = """
import signal, sys
from pathlib import Path
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.runtime.test_worker_pool import do
control = RunControl()
signal.signal(signal.SIGINT, lambda *_: control.request_stop())
folder = Path(sys.argv[1])
pool = WorkerPool(2, control)
tasks = {str(number): ("work", number, folder / f"started {number}", folder / "go") for number in range(10)}
for key, value in pool.map_files("phase", do, tasks):
    print(key, value, flush=True)
pool.shut_down()
"""


def test_ctrl_c_does_not_kill_the_files_in_hand(tmp_path: Path) -> None:
    """The terminal sends SIGINT to the whole process group, workers included."""
    with subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while len(list(tmp_path.glob("started*"))) < WORKERS and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
        (tmp_path / "go").touch()
        output, errors = process.communicate()
    assert process.returncode == 0, errors
    values = dict(line.split(" ", 1) for line in output.splitlines())
    assert (values["0"], values["1"]) == ("0", "10")
    assert len(values) == 10
    assert sum("INTERRUPTED" in value for value in values.values()) >= 7
