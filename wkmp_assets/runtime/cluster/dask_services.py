"""The processes of a Dask cluster, with the settings that this project needs: the scheduler and the workers."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dask
from distributed import Nanny, Scheduler
from distributed.core import Status
from distributed.security import Security

from wkmp_assets.errors import ClusterError, in_one_line
from wkmp_assets.runtime.cluster.dask_worker import ABOUT, SlotPlugin, count_finished, tell_about
from wkmp_assets.runtime.cluster.parcels import Mount

WORKER_TTL = "30s"
"""A worker that has not been heard for so long is started again. Imports give it up themselves, see `dask_executor`."""
JOIN_S = 120
"""unit=s: how long a worker may take to start and join. It loads for a second, and much longer on a busy machine. One
without a scheduler says so after Dask's time for a connection, 30 s."""
_RETRY_S = 1.0

DASK_SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-ttl": WORKER_TTL,
    "distributed.scheduler.work-stealing": False,  # every task names its worker
    "distributed.worker.memory.target": False,  # the kernel limits the memory; values are small
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    # What follows wakes an idle process fifty times a second, for figures that nobody reads here.
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.disk": False,
}


@dataclass(frozen=True)
class WorkerPlan:
    """The workers of one machine."""

    address: str
    """Of the scheduler."""
    slots: int
    """Number of worker processes, each with one thread; at least 1."""
    mounts: Mapping[str, Mount]
    """Where the music is for this machine, by root id."""
    memory_mb: int
    """Limit of private memory of each."""
    modules: tuple[str, ...] = ()
    """What they import before their first task."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What these workers have."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that a worker process needs from its very start."""
    scratch: Path | None = None
    """Folder for decoded PCM of the files in hand. None: Dask's own setting."""
    starting: int = 1
    """How many processes start at once; at least 1. With more than there are CPUs, all would miss `JOIN_S`."""


def serve(service: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run a service in this thread, the main one, until SIGINT or SIGTERM.

    Ctrl-C reaches the processes of the service as well. Those that still start would end with a traceback, so they are
    started with SIGINT blocked; the service ends them.
    """

    async def until_asked() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await service(stop)

    resource_tracker.ensure_running()  # its start, else with the first process, would unblock SIGINT
    has_ended = threading.Event()
    takes_sigint = threading.Thread(target=has_ended.wait, name="takes Ctrl-C", daemon=True)
    takes_sigint.start()  # before SIGINT is blocked, which later threads and processes inherit
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        asyncio.run(until_asked())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        has_ended.set()


async def run_scheduler(address: str, dashboard_port: int, say: Callable[[str], None], stop: asyncio.Event) -> None:
    """Run a scheduler until it is to stop.

    Parameters
    ----------
    address : str
        On which it listens, like `tcp://0.0.0.0:8786`.
    dashboard_port : int
        Of Dask's own page; on this machine only.
    say : callable
        Takes a sentence with the address under which workers reach it.
    stop : asyncio.Event
        Ends it.

    Raises
    ------
    ClusterError
        The port is taken, or the certificates are missing.
    """
    parts = urlsplit(address)
    with _quietly(DASK_SETTINGS):
        try:
            async with Scheduler(
                host=f"{parts.scheme}://{parts.hostname}",
                port=parts.port or 0,
                security=Security(),
                dashboard_address=f"127.0.0.1:{dashboard_port}",
            ) as scheduler:
                say(f"The scheduler listens on {scheduler.address}.")
                await stop.wait()
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            cause = f"the scheduler cannot listen on {address} ({innermost(error)})"
            raise ClusterError(cause, "free the port or name another one, then start it again") from error


async def run_workers(plan: WorkerPlan, say: Callable[[str], None], stop: asyncio.Event) -> None:
    """Run workers until they are to stop. Where the scheduler is gone, they wait for it.

    Parameters
    ----------
    plan : WorkerPlan
        What they are.
    say : callable
        Takes a sentence when a worker has joined, or could not.
    stop : asyncio.Event
        Ends them.
    """
    config = {
        **DASK_SETTINGS,
        # Set before the process starts, because numpy reads them when it is loaded.
        "distributed.nanny.pre-spawn-environ": {**plan.environment, "DASK_LOGGING__DISTRIBUTED": "critical"},
    }
    with _quietly(config):
        starting = asyncio.Semaphore(plan.starting)
        slots = [asyncio.ensure_future(_keep_slot(plan, config, say, starting)) for _ in range(plan.slots)]
        await stop.wait()
        for slot in slots:
            slot.cancel()
        await asyncio.gather(*slots, return_exceptions=True)


async def _keep_slot(
    plan: WorkerPlan, config: Mapping[str, Any], say: Callable[[str], None], starting: asyncio.Semaphore
) -> None:
    """Keep one worker process alive and joined."""
    while True:
        worker = Nanny(
            plan.address,
            nthreads=1,
            memory_limit=0,
            local_directory=str(plan.scratch) if plan.scratch else None,
            death_timeout=JOIN_S,
            security=Security(),
            silence_logs=logging.CRITICAL,  # a failed start is told below, in a sentence
            config=dict(config),
            plugins=(SlotPlugin(plan.mounts, plan.memory_mb, plan.modules),),
            startup_information={ABOUT: partial(tell_about, versions=dict(plan.versions))},
            metrics={f"{ABOUT}_finished": count_finished},
        )
        try:
            async with starting:
                await worker
            say(f"A worker has joined: {worker.worker_address}.")
            await worker.finished()
            say(f"The scheduler at {plan.address} is gone; waiting for it.")
        except (OSError, RuntimeError, TimeoutError, ValueError, TypeError) as error:
            say(f"No worker could join {plan.address} ({innermost(error)}); trying again.")
        finally:
            await _end(worker)
        await asyncio.sleep(_RETRY_S)


async def _end(worker: Nanny) -> None:
    begun = worker.process
    if begun is not None and begun.process is not None and begun.status == Status.starting:
        # Dask ends a process that has started or failed to. This one would go on loading, and the end of this program
        # would wait for it.
        begun.status = Status.failed
        await begun.process.kill()
    await worker.close(reason="wkmp worker ends")


@contextmanager
def _quietly(config: Mapping[str, Any]) -> Iterator[None]:
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with dask.config.set(dict(config)):
        yield


def innermost(error: BaseException) -> str:
    """Return what the first cause of an error says."""
    while error.__cause__ is not None:
        error = error.__cause__
    return in_one_line(error)
