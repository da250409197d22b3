"""A Dask cluster whose scheduler and workers are threads of this process: cheap, and every line of them is measured."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import dask
from distributed import Scheduler, Worker

from wkmp_assets.runtime.cluster.dask_services import DASK_SETTINGS
from wkmp_assets.runtime.cluster.dask_worker import ABOUT, SlotPlugin, count_finished, tell_about
from wkmp_assets_tests.support.patience import PATIENCE_S

NO_LIMIT_MB = 10**9
T = TypeVar("T")


class DaskThreads:
    """One scheduler and its workers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, scratch: Path) -> None:
        self._loop, self._scratch = loop, scratch
        self._workers: list[Worker] = []
        self.scheduler: Scheduler = self.do(_start_scheduler())

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE_S)

    @property
    def address(self) -> str:
        return str(self.scheduler.address)

    def add_worker(self, mount: Path | str, versions: Mapping[str, str]) -> Worker:
        worker = self.do(_start_worker(self.address, mount, versions, self._scratch))
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        for worker in self._workers:
            self.do(worker.close())
        self.do(self.scheduler.close())


async def _start_scheduler() -> Scheduler:
    return await Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0")


async def _start_worker(address: str, mount: Path | str, versions: Mapping[str, str], scratch: Path) -> Worker:
    return await Worker(
        address,
        nthreads=1,
        memory_limit=0,
        local_directory=str(scratch),
        plugins=(SlotPlugin({"": mount}, NO_LIMIT_MB, ("json",)),),
        startup_information={ABOUT: partial(tell_about, versions=dict(versions))},
        metrics={f"{ABOUT}_finished": count_finished},
    )


@contextmanager
def dask_threads(scratch: Path) -> Iterator[DaskThreads]:
    """A scheduler without workers; what is started is ended."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    with dask.config.set(dict(DASK_SETTINGS)):
        thread.start()
        made = DaskThreads(loop, scratch)
        try:
            yield made
        finally:
            made.close()
            loop.call_soon_threadsafe(loop.stop)
            thread.join(PATIENCE_S)
            loop.close()
