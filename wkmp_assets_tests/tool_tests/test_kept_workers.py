"""Commands in one process take over each other's workers, but none that is dead or still at work."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.kept_workers import kept_workers
from wkmp_assets_tests.support.patience import wait_until

pytestmark = pytest.mark.slow


def worker_of(pool: WorkerPool) -> int:
    ((_, pid),) = pool.map_files("phase", os.getpid, {"a": ()})
    return int(pid)


def test_idle_workers_are_taken_over_and_others_end_with_their_command() -> None:
    with kept_workers():
        first, second, third = (WorkerPool(1, RunControl()) for _ in range(3))
        pid = worker_of(first)
        first.shut_down()
        assert worker_of(second) == pid
        second.begin("phase", time.sleep, {"b": (100_000,)})
        wait_until(lambda: second._begun["b"].deadline, "the worker is at work")
        second.shut_down()
        assert not psutil.pid_exists(pid)
        assert worker_of(third) != pid
        third.shut_down()


IN_A_WORKPLACE = """
import os, sys, time
from pathlib import Path
from wkmp_assets.runtime import worker_queue
from wkmp_assets_tests.support.kept_workers import end_kept_workers, kept_workers
from wkmp_assets_tests.support.processes import processes_of

home = Path(sys.argv[1])
os.environ["DAGSTER_HOME"] = str(home)
with kept_workers():
    executor = worker_queue.ProcessPoolExecutor(1, timeout=300, initializer=time.time, initargs=(), env={})
    executor.submit(os.getpid).result()
    executor.shutdown(kill_workers=True)
print([process.cmdline() for process in processes_of(home) if process.pid != os.getpid()])
end_kept_workers()
"""


def test_what_outlives_a_command_belongs_to_no_workplace(tmp_path: Path) -> None:
    """Not in this process, where an earlier test may have started it."""
    ended = subprocess.run(
        [sys.executable, "-c", IN_A_WORKPLACE, str(tmp_path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")


WITHOUT_A_TRACE = """
import os, sys, time
from loky.backend import resource_tracker
from wkmp_assets.runtime import worker_queue
from wkmp_assets_tests.support.kept_workers import end_kept_workers, kept_workers

os.environ["DAGSTER_HOME"] = sys.argv[1]
seen = set()
with kept_workers():
    ensure_running = resource_tracker.ensure_running
    resource_tracker.ensure_running = lambda: (seen.add(os.environ["DAGSTER_HOME"]), ensure_running())[1]
    executor = worker_queue.ProcessPoolExecutor(1, timeout=300, initializer=time.time, initargs=(), env={})
    resource_tracker.ensure_running()
    executor.shutdown(kill_workers=True)
print(seen == {sys.argv[1]})
end_kept_workers()
"""


def test_a_command_keeps_its_environment_while_its_workers_start(tmp_path: Path) -> None:
    """They start in a thread, while the command looks for its own DAGSTER_HOME."""
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_TRACE, str(tmp_path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True\n", "")
