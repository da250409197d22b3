"""The limits of real worker processes that hang, take too much memory, and lose their run."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from wkmp_assets.errors import WorkersError
from wkmp_assets.model.outcomes import Failed, Skipped, SkipReason
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_process import WorkerLimits, end_with_parent
from wkmp_assets_tests.runtime.test_worker_pool import wait_until_broken, work, workers_of
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until
from wkmp_assets_tests.support.processes import is_worker

pytestmark = pytest.mark.slow

LITTLE_TIME = WorkerLimits(file_s=2)
LITTLE_MEMORY = WorkerLimits(memory_mb=300)


def read_first(path: Path) -> bytes:
    """Wait as a decoder does after opening a pipe without a writer; other Python threads go on."""
    return path.read_bytes()[:1]


def never_end(_path: Path) -> None:
    """Run in C for ever, so that no signal handler and no other thread runs."""
    re.match("(a+)+$", "a" * 60 + "b")


def wait_for(_file: Path, go: Path) -> int:
    while not go.exists():
        time.sleep(0.01)
    return 7


def work_on(_file: Path, number: int) -> int:
    return work(number)


def die_then_hang(_path: Path, mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os._exit(3)
    time.sleep(3600)


def die_then_wait(path: Path, mark: Path, alone: Path) -> None:
    if mark.exists():
        alone.touch()
    die_then_hang(path, mark)


def one_of(function: Callable[..., object], *arguments: object) -> object:
    return function(*arguments)


HOARD: list[bytes] = []


def take_memory(megabytes: int) -> int:
    return len(bytes(megabytes * 1_000_000))


def hoard(megabytes: int) -> int:
    """Keep memory allocated, as a decoder with a leak does."""
    HOARD.append(bytes(megabytes * 1_000_000))
    return 0


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe.mp3")
    return tmp_path / "pipe.mp3"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Create a file that gets half an hour instead of two seconds, because a test machine may stall."""
    (file := tmp_path / "large.wav").touch()
    os.truncate(file, 100_000_000_000)
    return file


@contextmanager
def limited(limits: WorkerLimits, workers: int = 2) -> Iterator[WorkerPool]:
    pool = WorkerPool(workers, RunControl(), limits)
    yield pool
    pool.shut_down()


@pytest.mark.parametrize("hang", [read_first, pytest.param(never_end, marks=pytest.mark.long)])
def test_a_file_that_hangs_is_cut_off_and_the_others_go_on(
    pipe: Path, large: Path, hang: Callable[[Path], object]
) -> None:
    with limited(LITTLE_TIME) as pool:
        found = dict(pool.map_files("segments", hang, {"a/b.mp3": (pipe,)}))
        others = {"c": (large, 1), "d": (large, 2)}
        assert dict(pool.map_files("segments", work_on, others)) == {"c": 10, "d": 20}
    (failed,) = found.values()
    assert (failed.phase, failed.code) == ("segments", "TOOK_TOO_LONG")
    assert failed.message.startswith("a/b.mp3: it was not finished in 2 s")
    assert failed.message.endswith("then import again")


def test_who_was_in_hand_beside_a_file_that_hangs_begins_again(tmp_path: Path, pipe: Path, large: Path) -> None:
    """A large file has more time than a small one."""
    go = tmp_path / "go"
    tasks: dict[str, tuple[Any, ...]] = {"hangs": (read_first, pipe), "waits": (wait_for, large, go)}
    found: dict[str, Any] = {}
    with limited(LITTLE_TIME) as pool:
        for key, outcome in pool.map_files("segments", one_of, tasks):
            found[key] = outcome
            go.touch()
    assert list(found) == ["hangs", "waits"]
    assert found["hangs"].code == "TOOK_TOO_LONG"
    assert found["waits"] == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_starts_does_not_hear_the_signal_that_stops_its_run(
    number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    with limited(WorkerLimits()) as pool:
        pool.start()
        wait_until(
            lambda: pool._queue.executor is not None and len(pool._queue.executor._processes) == 2, "workers start"
        )
        workers = workers_of(pool)
        for worker in workers:
            worker.send_signal(number)
        tasks = {"a": (1,), "b": (2,)}
        assert dict(pool.map_files("segments", work, tasks)) == {"a": 10, "b": 20}
        assert workers_of(pool) == workers
    assert capfd.readouterr().err == ""


def test_a_file_that_crashes_and_then_hangs_is_given_up_too(tmp_path: Path) -> None:
    with limited(LITTLE_TIME) as pool:
        found = dict(pool.map_files("segments", die_then_hang, {"a": (tmp_path / "a.mp3", tmp_path / "mark")}))
    assert found["a"].code == "TOOK_TOO_LONG"


def test_a_stop_does_not_wait_for_a_file_that_hangs_when_it_is_tried_alone(tmp_path: Path) -> None:
    control, alone = RunControl(), tmp_path / "alone"
    pool = WorkerPool(1, control)

    def stop() -> None:
        wait_until(alone.exists, "the file is tried alone")
        control.request_stop()

    threading.Thread(target=stop).start()
    found = dict(pool.map_files("segments", die_then_wait, {"a": (tmp_path / "a.mp3", tmp_path / "mark", alone)}))
    pool.shut_down()
    assert found == {"a": Skipped(SkipReason.INTERRUPTED)}


def test_workers_that_die_idle_cost_no_file() -> None:
    with limited(WorkerLimits()) as pool:
        assert dict(pool.map_files("phase", work, {"a": (1,)})) == {"a": 10}
        victims = workers_of(pool)
        for process in victims:
            process.kill()
        psutil.wait_procs(victims, timeout=PATIENCE_S)
        wait_until_broken(pool)
        assert dict(pool.map_files("phase", work, {"b": (2,), "c": (3,)})) == {"b": 20, "c": 30}


def test_a_file_that_takes_too_much_memory_fails_alone() -> None:
    with limited(LITTLE_MEMORY) as pool:
        found = dict(pool.map_files("segments", take_memory, {"a": (1,), "b": (900,), "c": (2,)}))
    assert (found["a"], found["c"]) == (1_000_000, 2_000_000)
    assert isinstance(found["b"], Failed)
    assert (found["b"].phase, found["b"].code) == ("segments", "OUT_OF_MEMORY")
    assert found["b"].message.startswith("b: reading it takes more than the 300 MB")


def test_memory_that_another_file_left_taken_is_not_charged_to_the_next() -> None:
    with limited(LITTLE_MEMORY, workers=1) as pool:
        assert dict(pool.map_files("phase", hoard, {"leaks": (150,)})) == {"leaks": 0}
        assert dict(pool.map_files("phase", take_memory, {"innocent": (150,)})) == {"innocent": 150_000_000}


def test_workers_that_cannot_even_start_are_no_file_s_fault() -> None:
    with limited(WorkerLimits(memory_mb=1)) as pool, pytest.raises(WorkersError, match="WKMP_WORKER_MEMORY_MB"):
        dict(pool.map_files("phase", work, {"a": (1,)}))


def test_files_in_hand_are_dropped_when_nobody_waits_for_them_any_more(pipe: Path) -> None:
    """This happens when a run is cancelled, or another of its steps fails."""
    pool = WorkerPool(2, RunControl())
    results = pool.map_files("phase", one_of, {"a": (work, 1), "hangs": (read_first, pipe)})
    assert next(results) == ("a", 10)
    workers = workers_of(pool)
    assert workers
    results.close()
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
    assert not alive


_KILLED = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whoever started the tests may ignore it
from pathlib import Path
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.runtime.test_worker_process import one_of, read_first
dict(WorkerPool(2, RunControl()).map_files("phase", one_of, {"hangs": (read_first, Path(sys.argv[1]))}))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_run_however_that_ends(pipe: Path, how: signal.Signals) -> None:
    """A worker that hangs ends too, although the run cannot tell it to."""
    with subprocess.Popen([sys.executable, "-c", _KILLED, str(pipe)]) as process:
        # Opening the other end of the pipe waits for a worker that reads from it.
        writer = os.open(pipe, os.O_WRONLY)
        children = psutil.Process(process.pid).children(recursive=True)
        assert any(is_worker(child) for child in children)
        process.send_signal(how)
        process.wait()
        _, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
        for child in alive:
            child.kill()
        os.close(writer)
    assert not alive


_BEGUN = """
import os, resource, signal, sys
from wkmp_assets.runtime.worker_process import WorkerLimits, end_with_parent, prepare_worker
prepare_worker(eval(sys.argv[1]), WorkerLimits(memory_mb=500))
print(resource.getrlimit(resource.RLIMIT_DATA))
print(signal.getsignal(signal.SIGINT).name, signal.getsignal(signal.SIGTERM).name)
"""


def begun(parent: str) -> subprocess.CompletedProcess[str]:
    """Start a process as the worker of another one, whose id is given as Python code."""
    return subprocess.run([sys.executable, "-c", _BEGUN, parent], capture_output=True, text=True, check=False)


def test_a_worker_begins_with_its_limits_and_deaf_to_signals_that_are_for_the_run() -> None:
    result = begun("os.getppid()")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "(500000000, 500000000)\nSIG_IGN SIG_IGN\n"


@pytest.mark.parametrize("parent", ["2**22 + 1", "os.getpid()"])
def test_a_worker_whose_run_is_gone_before_it_begins_ends_at_once(parent: str) -> None:
    """No process has the first id; the second id belongs to another process."""
    result = begun(parent)
    assert (result.returncode, result.stdout) == (1, "")


def test_a_worker_that_may_not_watch_its_run_works_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some containers forbid process handles, and some systems have none."""

    def forbidden(_process: int) -> int:
        raise PermissionError

    threads = threading.active_count()
    monkeypatch.setattr(os, "pidfd_open", forbidden)
    end_with_parent(os.getppid())
    monkeypatch.delattr(os, "pidfd_open")
    end_with_parent(os.getppid())
    assert threading.active_count() == threads


def test_the_time_a_file_may_take_grows_with_its_size(tmp_path: Path) -> None:
    limits = WorkerLimits(file_s=10)
    (file := tmp_path / "a.wav").touch()
    assert limits.seconds_for((file, "a.wav")) == 10
    os.truncate(file, 250_000_000)
    assert limits.seconds_for(("a.wav", file)) == 35
    assert limits.seconds_for((tmp_path / "gone.wav",)) == limits.seconds_for((1,)) == 10


def test_a_worker_ends_at_once_when_another_process_has_the_id_of_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_process: int) -> int:
        raise ProcessLookupError

    with pytest.raises(SystemExit):
        end_with_parent(os.getpid())
    monkeypatch.setattr(os, "pidfd_open", gone)
    with pytest.raises(SystemExit):
        end_with_parent(os.getppid())
