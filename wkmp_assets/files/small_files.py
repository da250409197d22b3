"""Small files of the music folder that are read beside the music: sheets, pictures, lists of patterns."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotARegularFileError(OSError):
    """A path is a symbolic link, which may lead out of the music folder, or a pipe, a folder or a device."""

    def __init__(self, path: str | Path, *, is_link: bool) -> None:
        super().__init__(errno.EINVAL, "not a regular file", str(path))
        self.is_link = is_link


def open_regular_file(path: str | Path) -> BinaryIO:
    """Open a file for reading, without following a link and without waiting for the other end of a pipe.

    Raises
    ------
    NotARegularFileError
        It is something else, or a link to a file.
    OSError
        It cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotARegularFileError(path, is_link=True) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotARegularFileError(path, is_link=False)
    return os.fdopen(descriptor, "rb")
