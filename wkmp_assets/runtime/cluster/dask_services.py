"""The processes of a Dask cluster, with the settings that this project needs: the scheduler and the workers."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dask
from distributed import Nanny, Scheduler
from distributed.security import Security

from wkmp_assets.errors import ClusterError
from wkmp_assets.runtime.cluster.dask_worker import ABOUT, SlotPlugin, count_finished, tell_about

WORKER_TTL = "30s"
"""A worker that has not been heard of for so long is given up, and its files are tried elsewhere: its machine stands
still. A file that hangs does not keep its worker from being heard."""
JOIN_S = 30
"""unit=s: how long a worker tries to join before it says that it could not."""
_RETRY_S = 1.0

_CONFIG = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-ttl": WORKER_TTL,
    "distributed.scheduler.work-stealing": False,  # every task names its worker
    "distributed.worker.memory.target": False,  # the kernel limits the memory; values are small
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
}


def serve_scheduler(address: str, *, dashboard_port: int, say: Callable[[str], None]) -> None:
    """Run a scheduler until SIGINT or SIGTERM.

    Parameters
    ----------
    address : str
        On which it listens, like `tcp://0.0.0.0:8786`.
    dashboard_port : int
        Of Dask's own page; on this machine only.
    say : callable
        Takes a sentence with the address under which workers reach it.

    Raises
    ------
    ClusterError
        The port is taken, or the certificates are missing.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""

    async def serve() -> None:
        async with Scheduler(
            host=f"{parts.scheme}://{host}",
            port=parts.port or 0,
            security=Security(),
            dashboard_address=f"127.0.0.1:{dashboard_port}",
        ) as scheduler:
            say(f"The scheduler listens on {scheduler.address}.")
            await _wait_for_end(scheduler.finished())

    with _quietly():
        try:
            asyncio.run(serve())
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            raise ClusterError(
                f"the scheduler cannot listen on {address} ({_innermost(error)})",
                "free the port or name another one, then start it again",
            ) from error


def serve_workers(
    address: str,
    *,
    slots: int,
    mounts: Mapping[str, Path],
    memory_mb: int,
    modules: tuple[str, ...],
    versions: Mapping[str, str],
    environment: Mapping[str, str],
    scratch: Path | None,
    say: Callable[[str], None],
) -> None:
    """Run workers until SIGINT or SIGTERM. Where the scheduler is gone, they wait for it.

    Parameters
    ----------
    address : str
        Of the scheduler.
    slots : int, >= 1
        Number of worker processes, each with one thread.
    mounts, memory_mb, modules
        As for `SlotPlugin`.
    versions : mapping of str to str
        What these workers have.
    environment : mapping of str to str
        Variables that a worker process needs from its very start.
    scratch : Path or None
        Folder for decoded PCM of the files in hand. None: Dask's own setting.
    say : callable
        Takes a sentence when a worker has joined, or could not.
    """
    config = {
        **_CONFIG,
        # Set before the process starts, because numpy reads them when it is loaded.
        "distributed.nanny.pre-spawn-environ": {**environment, "DASK_LOGGING__DISTRIBUTED": "error"},
    }

    async def keep_one() -> None:
        while True:
            worker = Nanny(
                address,
                nthreads=1,
                memory_limit=0,
                local_directory=str(scratch) if scratch else None,
                death_timeout=JOIN_S,
                security=Security(),
                silence_logs=logging.ERROR,
                config=config,
                plugins=(SlotPlugin(mounts, memory_mb, modules),),
                startup_information={ABOUT: partial(tell_about, versions=dict(versions))},
                metrics={f"{ABOUT}_finished": count_finished},
            )
            try:
                await worker
                say(f"A worker has joined: {worker.worker_address}.")
                await worker.finished()
                say(f"The scheduler at {address} is gone; waiting for it.")
            except (OSError, RuntimeError, TimeoutError, ValueError, TypeError) as error:
                say(f"No worker could join {address} ({_innermost(error)}); trying again.")
            finally:
                await worker.close(reason="wkmp worker ends")
            await asyncio.sleep(_RETRY_S)

    async def serve() -> None:
        slots_kept = asyncio.gather(*(keep_one() for _ in range(slots)))
        await _wait_for_end(slots_kept)

    with _quietly(), dask.config.set(config):
        asyncio.run(serve())


async def _wait_for_end(ends: Awaitable[Any]) -> None:
    """Wait until it has ended, or a signal asks for the end."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    over, stop = asyncio.ensure_future(ends), asyncio.ensure_future(asked.wait())
    await asyncio.wait([over, stop], return_when=asyncio.FIRST_COMPLETED)
    for waiting in (over, stop):
        waiting.cancel()
    await asyncio.gather(over, stop, return_exceptions=True)


@contextmanager
def _quietly() -> Iterator[None]:
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with dask.config.set(_CONFIG):
        yield


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__
