"""Clusters on this machine. Their workers are processes of their own, each with its own path to the music."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.orchestration.cluster import open_executor, plan_workers
from wkmp_assets.runtime.cluster.dask_services import run_scheduler, run_workers
from wkmp_assets.runtime.cluster.queue import ClusterQueue
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_process import WorkerLimits
from wkmp_assets.settings import Settings
from wkmp_assets_tests.support.patience import PATIENCE_S

DASK_IN_THREADS = (
    pytest.mark.slow,
    # Of Dask's own threads, when a loop that is not the main one ends.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed.*"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
)
"""Marks of tests that run a part of Dask in a thread of their own process."""


@contextmanager
def in_thread(service: Callable[[Callable[[str], None], asyncio.Event], Coroutine[Any, Any, None]]) -> Iterator[str]:
    """Run a scheduler or workers in a thread; yields the first sentence that it says."""
    said: list[str] = []
    has_said, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    def say(sentence: str) -> None:
        said.append(sentence)
        has_said.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(service(say, stop))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert has_said.wait(PATIENCE_S)
        yield said[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_S)


@contextmanager
def cluster_of(
    settings: Settings, mounts: Mapping[str, Path | str], control: RunControl, **changes: Any
) -> Iterator[WorkerPool]:
    """A scheduler and a worker for each mount, and a pool of them; `changes` are those of the last worker's plan."""
    with ExitStack() as services:
        said = services.enter_context(in_thread(lambda say, stop: run_scheduler("tcp://127.0.0.1:0", 0, say, stop)))
        cluster = replace(settings, cluster=said.removeprefix("The scheduler listens on ").rstrip("."))
        for number, (scratch, mount) in enumerate(mounts.items()):
            assert cluster.cluster is not None
            folder = Path(scratch)
            plan = plan_workers(
                cluster, cluster.cluster, {"": mount}, slots=1, cache=folder / "objects", scratch=folder
            )
            plan = replace(plan, **changes) if number == len(mounts) - 1 else plan
            services.enter_context(in_thread(lambda say, stop, plan=plan: run_workers(plan, say, stop)))  # type: ignore[misc]  # mypy infers no default of a lambda
        executor = open_executor(cluster)
        pool = WorkerPool(1, control, queue=ClusterQueue(control, WorkerLimits(), executor))
        try:
            yield pool
        finally:
            pool.shut_down()
