"""Files under construction: under a temporary name until they are whole and on the disk.

The name says which process writes it, so that what a killed one has left can be told from what a running one needs.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wkmp_assets.errors import StateDiskError

SUFFIX = ".tmp"
MIN_LEFTOVER_AGE_S = 3600
"""A temporary file of another machine has lost its writer when nothing was written to it for so long."""


def temporary_name(name: str) -> str:
    """Return the name under which this process writes what will be `name`."""
    return f"{name}.{socket.gethostname()}.{os.getpid()}{SUFFIX}"


def replace_durably(temporary: Path, path: Path) -> None:
    """Give a file, written and closed, its name: after a crash or a power cut there is the whole of it, or the old one.

    The rename itself may be lost in a power cut: the old file is then found stale or missing, and is made again.
    That is why the folder is not synced as well.
    """
    _sync(temporary)
    temporary.replace(path)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whose folder may not exist yet: there is the whole of it, or what was there before.

    Raises
    ------
    StateDiskError
        There is no room, or no permission to write.
    """
    with translate_disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(temporary_name(path.name))
        temporary.write_bytes(content)
        replace_durably(temporary, path)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files in a folder whose process is gone."""
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            if _has_lost_its_writer(path.name, time.time() - path.stat().st_mtime):
                path.unlink()
        except FileNotFoundError:  # its writer was faster, or another process that looks for leftovers
            continue


def _has_lost_its_writer(name: str, age_s: float) -> bool:
    owner, _, process = name.removesuffix(SUFFIX).rpartition(".")
    if not owner.endswith(f".{socket.gethostname()}") or not process.isdecimal():
        return age_s > MIN_LEFTOVER_AGE_S
    return not _is_running(int(process))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


@contextmanager
def translate_disk_errors(folder: Path) -> Iterator[None]:
    """Say of every error of the operating system in the block what it means for the import.

    Raises
    ------
    StateDiskError
        There is no room, or no permission to write.
    """
    try:
        yield
    except OSError as error:
        raise StateDiskError(folder, error.strerror or str(error)) from error
