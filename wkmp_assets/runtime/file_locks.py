"""The kernel's locks on whole files: free again by themselves when their process ends, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Let one process after the other through the block; the file is made, its folder is not."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        yield


def try_lock(file: IO[str]) -> bool:
    """Lock a file until it is closed, unless somebody has it: then say so at once."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
