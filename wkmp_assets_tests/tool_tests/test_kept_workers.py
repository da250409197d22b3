"""Commands in one process take over each other's workers, but none that is dead or still at work."""

import os
import time

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
