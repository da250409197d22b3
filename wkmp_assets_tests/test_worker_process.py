"""The limits of worker processes: real ones, that hang, take too much memory, and lose their run."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from wkmp_assets.errors import WorkersError
from wkmp_assets.outcomes import Failed
from wkmp_assets.run_control import RunControl
from wkmp_assets.worker_process import WorkerLimits
from wkmp_assets.workers import WorkerPool
from wkmp_assets_tests.test_workers import is_worker, work

LITTLE_TIME = WorkerLimits(file_s=2)
LITTLE_MEMORY = WorkerLimits(memory_mb=300)


def read_first(path: Path) -> bytes:
    """Wait, as a decoder does that opened a pipe nobody writes to; Python runs on beside it."""
    return path.read_bytes()[:1]


def never_end(_path: Path) -> None:
    """Be busy in C without ever letting Python run: no signal handler and no thread gets a turn."""
    re.match("(a+)+$", "a" * 60 + "b")


def wait_the_first_time(_path: Path, mark: Path) -> int:
    """Be cut off in company; work when tried again."""
    if not mark.exists():
        mark.touch()
        time.sleep(3600)
    return 7


def one_of(function: Callable[[Any], object], argument: object) -> object:
    return function(argument)


HOARD: list[bytes] = []


def take_memory(megabytes: int) -> int:
    return len(bytes(megabytes * 1_000_000))


def hoard(megabytes: int) -> int:
    """Leave memory taken, as a decoder with a leak does."""
    HOARD.append(bytes(megabytes * 1_000_000))
    return 0


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe.mp3")
    return tmp_path / "pipe.mp3"


@contextmanager
def limited(limits: WorkerLimits, workers: int = 2) -> Iterator[WorkerPool]:
    pool = WorkerPool(workers, RunControl(), limits)
    yield pool
    pool.shut_down()


@pytest.mark.parametrize("hang", [read_first, never_end])
def test_a_file_that_hangs_is_cut_off_and_the_others_go_on(pipe: Path, hang: Callable[[Path], object]) -> None:
    with limited(LITTLE_TIME) as pool:
        found = dict(pool.map_files("segments", hang, {"a/b.mp3": (pipe,)}))
        assert dict(pool.map_files("segments", work, {"c": (1,), "d": (2,)})) == {"c": 10, "d": 20}
    (failed,) = found.values()
    assert (failed.phase, failed.code) == ("segments", "TOOK_TOO_LONG")
    assert failed.message.startswith("a/b.mp3: it was not done after 2 s")
    assert failed.message.endswith("then import again")


def test_who_was_in_hand_beside_a_file_that_hangs_begins_again(tmp_path: Path, pipe: Path) -> None:
    """And a large file has more time than a small one."""
    (large := tmp_path / "large.wav").touch()
    os.truncate(large, 100_000_000_000)
    with limited(LITTLE_TIME) as pool:
        tasks: dict[str, tuple[Any, ...]] = {"hangs": (pipe, tmp_path / "1"), "waits": (large, tmp_path / "2")}
        found = dict(pool.map_files("segments", wait_the_first_time, tasks))
    assert found["hangs"].code == "TOOK_TOO_LONG"
    assert found["waits"] == 7


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
    """As when a run is cancelled, or another step of it fails."""
    pool = WorkerPool(2, RunControl())
    results = pool.map_files("phase", one_of, {"a": (work, 1), "hangs": (read_first, pipe)})
    assert next(results) == ("a", 10)
    workers = [process for process in psutil.Process().children() if is_worker(process)]
    assert workers
    results.close()  # type: ignore[attr-defined]
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive


_KILLED = """
import sys
from pathlib import Path
from wkmp_assets.run_control import RunControl
from wkmp_assets.workers import WorkerPool
from wkmp_assets_tests.test_worker_process import one_of, read_first
dict(WorkerPool(2, RunControl()).map_files("phase", one_of, {"hangs": (read_first, Path(sys.argv[1]))}))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_run_however_that_ends(pipe: Path, how: signal.Signals) -> None:
    """Not even one that hangs, and the run could not tell it."""
    with subprocess.Popen([sys.executable, "-c", _KILLED, str(pipe)]) as process:
        # Opening the other end of the pipe waits for a worker that reads from it.
        writer = os.open(pipe, os.O_WRONLY)
        children = psutil.Process(process.pid).children(recursive=True)
        assert any(is_worker(child) for child in children)
        process.send_signal(how)
        process.wait(30)
        _, alive = psutil.wait_procs(children, timeout=30)
        os.close(writer)
    assert not alive
