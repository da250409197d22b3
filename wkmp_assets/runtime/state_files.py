"""Files of the state folder: for this user alone, and without following links."""

import errno
import os
import stat
from pathlib import Path

from wkmp_assets.errors import SettingsError

PRIVATE = 0o600
"""Mode of a new file. What others are to read, as covers and reports, gets `SHARED`."""
SHARED = 0o666
"""Mode of a new file as far as the user's umask allows."""
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def prepare_state_folder(folder: Path) -> None:
    """Make the state folder for this user alone, or check that no other user owns it or may write to it.

    Raises
    ------
    SettingsError
        Another user could exchange its files. The message says what to do.
    OSError
        It cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid not in {os.geteuid(), 0}:
        raise SettingsError(
            f"the state folder {folder} belongs to another user (id {status.st_uid}): set WKMP_STATE_DIR to a folder "
            "of yours"
        )
    if status.st_mode & stat.S_IWOTH:
        raise SettingsError(
            f"every user may write to the state folder {folder}: `chmod o-w` it, or set WKMP_STATE_DIR to a folder of "
            "yours"
        )


def open_for_writing(path: str, flags: int) -> int:
    """Open a file for this user alone; fail where a link is in its place. For `opener` of `open`."""
    return os.open(path, flags | _NO_LINK, PRIVATE)


def write_new_file(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a file that is new, in place of whatever has its name."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | _NO_LINK, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def read_state_file(path: Path) -> bytes:
    """Return the content of a file of the state folder.

    Raises
    ------
    FileNotFoundError
        There is none, or a link in its place.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | _NO_LINK | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileNotFoundError(errno.ENOENT, "a link, which is not followed", str(path)) from error
        raise
    with os.fdopen(descriptor, "rb") as file:
        return file.read()
