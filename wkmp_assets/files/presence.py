"""Whether a file of the library is on disk: under exactly its name, and only gone when the disk says so."""

import os
from functools import lru_cache
from pathlib import Path, PurePosixPath

from wkmp_assets.errors import LibraryRootError


def is_on_disk(root: Path, path: str) -> bool:
    """Tell whether a path of the library is on disk under exactly this name.

    What cannot be looked at (an unreadable folder, a disk that fails) counts as being there: nobody knows it gone.
    A file system that ignores case finds `a.mp3` where only `A.mp3` is: that is not this path.

    Parameters
    ----------
    root : Path
        The library root.
    path : str
        Relative to it.
    """
    try:
        (root / path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return _is_spelled_so(root, path)


def is_emptied(root: Path, path: str) -> bool:
    """Tell whether a file is gone together with everything around it, so that a disk may be missing there.

    The nearest folder above it that exists, below the root, then holds nothing at all: what an unplugged disk leaves
    of itself is its empty mount point.
    """
    for folder in PurePosixPath(path).parents:
        if str(folder) != "." and (root / folder).is_dir():
            try:
                return not any((root / folder).iterdir())
            except OSError:
                return True
    return False


def check_root(root: Path) -> None:
    """Make sure that the music folder can be read and holds something besides the library.

    Raises
    ------
    LibraryRootError
        It does not: its disk is not mounted, most likely.
    """
    try:
        with os.scandir(root) as scan:
            if any(not entry.name.startswith((".", "wkmp.db")) for entry in scan):
                return
    except OSError as error:
        raise LibraryRootError(
            f"cannot read the music folder {root} ({error.strerror}); check the path and that the disk is mounted"
        ) from error
    raise LibraryRootError(f"the music folder {root} is empty; check that its disk is mounted. Nothing was changed.")


def _is_spelled_so(root: Path, path: str) -> bool:
    folder = root
    for name in PurePosixPath(path).parts:
        try:
            if name not in _names(folder, folder.stat().st_mtime_ns) and name not in _list(folder):
                return False
        except OSError:  # searchable, but not readable
            return True
        folder /= name
    return True


@lru_cache(maxsize=64)
def _names(folder: Path, _modified_at_ns: int) -> frozenset[str]:
    """Return the names in a folder, read again when its time has changed; some disks keep it to two seconds only."""
    return _list(folder)


def _list(folder: Path) -> frozenset[str]:
    return frozenset(entry.name for entry in folder.iterdir())
