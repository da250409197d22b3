"""Locks of the kernel on whole files, which it releases when their process ends or is killed."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wkmp_assets.runtime.state_files import open_for_writing


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Wait for the lock on a file and hold it in the block; the file is created when needed, its folder is not."""
    with open(path, "w", opener=open_for_writing) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        yield


def try_lock(file: IO[str]) -> bool:
    """Lock a file until it is closed; return False at once when another process holds the lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
