"""What a worker process does to itself before it takes work: which signals it ignores, its limits, when it ends.

What the run does with its workers is in `workers`.
"""

import os
import resource
import select
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEGABYTE = 1_000_000
_SIZE_OF_ONE_TURN = 100 * MEGABYTE


@dataclass(frozen=True)
class WorkerLimits:
    """What one file may cost before it is given up."""

    memory_mb: int = 1024
    """Megabytes of memory of its own that a worker may have, libraries and their buffers included."""
    file_s: int = 600
    """Seconds for one phase of one file, and as many again for every 100 MB of it."""

    def seconds_for(self, arguments: tuple[Any, ...]) -> float:
        """Return how long a task may take: its first path, if there is one, is the file."""
        file = next((one for one in arguments if isinstance(one, Path)), None)
        try:
            size = file.stat().st_size if file else 0
        except OSError:  # the worker will say so
            size = 0
        return self.file_s * (1 + size / _SIZE_OF_ONE_TURN)


def prepare_worker(parent: int, limits: WorkerLimits) -> None:
    """Prepare a worker process; called in it, once.

    Parameters
    ----------
    parent : int
        Process id of the run: the worker does not outlive it.
    limits : WorkerLimits
        The kernel holds the worker to its memory: what asks for more gets a `MemoryError`.
    """
    # Ctrl-C reaches the whole process group, and a service manager's SIGTERM all of a service: files in hand are to be
    # finished, and whether there will be more is for the run to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _limit_memory(limits.memory_mb * MEGABYTE)
    end_with_parent(parent)


def _limit_memory(most: int) -> None:
    # Data, not address space: mapped files (decoded PCM, libraries) take none of it.
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def end_with_parent(parent: int) -> None:
    """End this process as soon as its parent is gone, however that ended: `kill -9` leaves nobody behind.

    A thread waits for it in the kernel. Not PR_SET_PDEATHSIG: that looks at the thread that started the worker,
    which may well end before the run does. Where there is no such handle (not Linux), idle workers end after a while.
    """
    if not hasattr(os, "pidfd_open"):
        return
    try:
        handle = os.pidfd_open(parent)
    except ProcessLookupError:
        sys.exit(1)
    except OSError:  # forbidden, as in some containers
        return
    if os.getppid() != parent:  # its number was given to another process in between
        sys.exit(1)
    threading.Thread(target=_end_after, args=(handle,), name="ends with its run", daemon=True).start()


def _end_after(handle: int) -> None:
    select.select([handle], [], [])
    os.kill(os.getpid(), signal.SIGKILL)  # pragma: no cover - nobody is left to tell
