"""The content hash of a file: SHA-256 over all its bytes, tags included."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from wkmp_assets.errors import FileChangedError, HashingStoppedError, HollowFileError, UnreadableFileError

_CHUNK_BYTES = 1024 * 1024
MIN_HOLLOW_BYTES = 256_000_000
"""Smaller files are hashed in a second, whatever they hold."""
MAX_HOLLOW_PART = 0.1
"""How much of a hollow file has data at most. A disk that compresses stores silence in less, but knows no holes."""
_MAX_EXTENTS = 1_000


def never() -> bool:
    """Say that hashing is not to stop."""
    return False


def hash_file(path: Path, display_path: str, is_stopping: Callable[[], bool] = never) -> str:
    """Return the content hash of a file.

    Parameters
    ----------
    path : Path
        The file.
    display_path : str
        Name of the file in errors.
    is_stopping : callable, optional
        Asked after every megabyte whether to stop.

    Returns
    -------
    str
        SHA-256, 64 lowercase hex digits.

    Raises
    ------
    UnreadableFileError
        The file cannot be read.
    HollowFileError
        The file is large, and nine tenths of it are holes. Its zeros could be hashed for hours.
    FileChangedError
        The file grew meanwhile, perhaps without end.
    HashingStoppedError
        `is_stopping` says so.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb", buffering=0, opener=open_without_waiting) as file:
            left = size = os.fstat(file.fileno()).st_size
            _check_holes(file.fileno(), size, display_path)
            while chunk := file.read(_CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise FileChangedError(display_path, "it grew while it was read")
                if is_stopping():
                    raise HashingStoppedError
                digest.update(chunk)
    except OSError as error:
        raise UnreadableFileError(display_path, f"cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def open_without_waiting(path: str, flags: int) -> int:
    """Open with O_NONBLOCK, because a FIFO that replaced the file after the walk would block for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_holes(descriptor: int, size: int, display_path: str) -> None:
    allocated = os.fstat(descriptor).st_blocks * 512
    if size < MIN_HOLLOW_BYTES or allocated > size * MAX_HOLLOW_PART:
        return
    # A disk that compresses, or a network share, may count few blocks for data that is there.
    data = _count_data(descriptor, size)
    if data < size * MAX_HOLLOW_PART:
        raise HollowFileError(display_path, f"of its {size / 1e6:,.0f} MB, the disk holds {data / 1e6:,.0f} MB")


def _count_data(descriptor: int, size: int) -> int:
    """Return how many bytes lie outside holes; the size where the file system knows none, or after 1,000 pieces."""
    found = end = 0
    try:
        for _ in range(_MAX_EXTENTS):
            start = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
            found += end - start
    except OSError as error:
        if error.errno != errno.ENXIO:  # after the last data
            return size
    else:
        return size
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return found
