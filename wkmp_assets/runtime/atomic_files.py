"""Files that are whole or absent: written under a temporary name, synced to the disk, then renamed.

The temporary name tells which process writes the file, so that the leftovers of a killed process can be removed.
"""

import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from wkmp_assets.errors import StateDiskError
from wkmp_assets.runtime.state_files import PRIVATE, write_new_file

SUFFIX = ".tmp"
MIN_LEFTOVER_AGE_S = 3600
"""unit=s: after this time without a write, a temporary file of another machine counts as left over."""


def temporary_name(name: str) -> str:
    """Return the name under which this process writes the file `name`."""
    return f"{name}.{socket.gethostname()}.{os.getpid()}{SUFFIX}"


def replace_durably(temporary: Path, path: Path) -> None:
    """Rename a file, written and closed; after a crash or a power cut `path` is the whole new file or the old one.

    The folder is not synced, because a lost rename does no harm: the old file is found stale, and written again.
    """
    _sync(temporary)
    temporary.replace(path)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_atomically(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file, and its folder when needed; after a crash `path` is the whole new file or the old one.

    What killed processes left under temporary names of the file is removed.

    Raises
    ------
    StateDiskError
        The disk is full, or the folder may not be written to.
    """
    with translate_disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(temporary_name(path.name))
        _remove_leftovers(path.parent.glob(f"{escape(path.name)}.*{SUFFIX}"))
        try:
            write_new_file(temporary, content, mode)
            replace_durably(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files in a folder whose processes are gone."""
    _remove_leftovers(folder.glob(f"*{SUFFIX}"))


def _remove_leftovers(temporary_paths: Iterable[Path]) -> None:
    for path in temporary_paths:
        try:
            if _is_left_over(path.name, time.time() - path.stat().st_mtime):
                path.unlink()
        except FileNotFoundError:  # renamed or deleted by another process
            continue


def _is_left_over(name: str, age_s: float) -> bool:
    owner, _, process = name.removesuffix(SUFFIX).rpartition(".")
    if not owner.endswith(f".{socket.gethostname()}") or not process.isdecimal():
        return age_s > MIN_LEFTOVER_AGE_S
    return not is_running(int(process))


def is_running(process: int) -> bool:
    """Tell whether a process of this machine, of any user, has not ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs as another user
        return True
    return True


@contextmanager
def translate_disk_errors(folder: Path) -> Iterator[None]:
    """Turn every `OSError` in the block into an error about the state folder.

    Raises
    ------
    StateDiskError
        The disk is full, or the folder may not be written to.
    """
    try:
        yield
    except OSError as error:
        raise StateDiskError(folder, error.strerror or str(error)) from error
