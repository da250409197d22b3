"""The set-up of a worker process, before it takes work: ignored signals, its limits, and its end with the run.

See Also
--------
wkmp_assets.runtime.worker_pool : what a run does with its workers.
"""

import importlib
import os
import resource
import select
import signal
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from wkmp_assets.runtime.loading import loading_modules

STOPPING = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C reaches the whole process group, and a service manager's SIGTERM all of a service. The run decides what
happens then; a worker finishes its file."""
MEGABYTE = 1_000_000
_BYTES_PER_FILE_S = 100 * MEGABYTE


@dataclass(frozen=True)
class WorkerLimits:
    """Memory and time that one file may take before it fails."""

    memory_mb: int = 1024
    """unit=MB: private memory of a worker, including that of libraries and their buffers."""
    file_s: int = 600
    """unit=s: for one phase of one file, and as many again for every 100 MB of the file."""

    def seconds_for(self, arguments: tuple[Any, ...]) -> float:
        """Return how many seconds a task may take; the first path among its arguments, if any, is the file."""
        file = next((one for one in arguments if isinstance(one, Path)), None)
        try:
            size = file.stat().st_size if file else 0
        except OSError:  # reported by the worker, which cannot read it either
            size = 0
        return self.file_s * (1 + size / _BYTES_PER_FILE_S)


def prepare_worker(parent: int, limits: WorkerLimits, modules: Iterable[str] = ()) -> None:
    """Set up this worker process; called once, in it.

    Parameters
    ----------
    parent : int
        Process id of the run; the worker ends with it.
    limits : WorkerLimits
        The kernel enforces the memory limit: an allocation beyond it raises `MemoryError`.
    modules : iterable of str, optional
        Names of modules to import now.
    """
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)  # see `shield_started`
    limit_memory(limits.memory_mb * MEGABYTE)
    end_with_parent(parent)
    with loading_modules():
        for module in modules:
            importlib.import_module(module)


def shield_started() -> None:
    """Keep the signals that stop a run from what this thread starts, until `prepare_worker` ignores them there.

    A worker that loads its modules would end with a traceback.
    """
    resource_tracker.ensure_running()  # to start it later would let the signals through again
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


def limit_memory(most: int) -> None:
    """Limit the private memory of this process, in bytes; an allocation beyond it raises `MemoryError`."""
    # RLIMIT_DATA, not RLIMIT_AS: mapped files (decoded PCM, libraries) must not count.
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def end_with_parent(parent: int) -> None:
    """End this process as soon as its parent is gone, even when that was killed with `kill -9`.

    A thread waits for the parent in the kernel. PR_SET_PDEATHSIG would not do: it watches the thread that started the
    worker, which may end before the run. Without process handles (not Linux), idle workers end after five minutes.
    """
    if not hasattr(os, "pidfd_open"):
        return
    try:
        handle = os.pidfd_open(parent)
    except ProcessLookupError:
        sys.exit(1)
    except OSError:  # forbidden, as in some containers
        return
    if os.getppid() != parent:  # its id was given to another process in between
        sys.exit(1)
    threading.Thread(target=_end_after, args=(handle,), name="ends with its run", daemon=True).start()


def _end_after(handle: int) -> None:
    select.select([handle], [], [])
    os.kill(os.getpid(), signal.SIGKILL)  # pragma: no cover - the process that measures coverage is killed
