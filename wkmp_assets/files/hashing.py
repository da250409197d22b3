"""The content hash of a file: SHA-256 over all its bytes, tags included."""

import hashlib
import os
from pathlib import Path

from wkmp_assets.errors import UnreadableFileError

_CHUNK_BYTES = 1024 * 1024


def hash_file(path: Path, display_path: str) -> str:
    """Return the content hash of a file.

    Parameters
    ----------
    path : Path
        The file.
    display_path : str
        Name of the file in errors.

    Returns
    -------
    str
        SHA-256, 64 lowercase hex digits.

    Raises
    ------
    UnreadableFileError
        The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise UnreadableFileError(display_path, f"cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def _open_without_waiting(path: str, flags: int) -> int:
    """Open with O_NONBLOCK, because a FIFO that replaced the file after the walk would block for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
