"""Whether files and the music folder are on disk."""

import os
from functools import lru_cache
from pathlib import Path, PurePosixPath

from wkmp_assets.errors import LibraryRootError


def is_on_disk(root: Path, path: str) -> bool:
    """Tell whether a path of the library is on disk under exactly this name.

    A path that cannot be checked (unreadable folder, failing disk) counts as being on disk. A file system that ignores
    case finds `A.mp3` under the name `a.mp3`; that does not count.

    Parameters
    ----------
    root : Path
        The library root.
    path : str
        Relative to the root.
    """
    try:
        (root / path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return _is_spelled_so(root, path)


def is_emptied(root: Path, path: str) -> bool:
    """Tell whether the nearest existing folder above a missing file, below the root, is empty.

    A disk that is unplugged leaves such a folder: its mount point.
    """
    for folder in PurePosixPath(path).parents:
        if str(folder) != "." and (root / folder).is_dir():
            try:
                return not any((root / folder).iterdir())
            except OSError:
                return True
    return False


def check_root(root: Path) -> None:
    """Check that the music folder can be read and holds something besides the library database.

    Raises
    ------
    LibraryRootError
        It cannot be read or is empty: its disk is probably not mounted.
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
            # Some file systems keep a folder's time to two seconds only, so a name that is not found is looked up anew.
            if name not in _names(folder, folder.stat().st_mtime_ns) and name not in _list(folder):
                return False
        except OSError:  # searchable, but not readable
            return True
        folder /= name
    return True


@lru_cache(maxsize=64)
def _names(folder: Path, _modified_at_ns: int) -> frozenset[str]:
    """Return the names in a folder. They are read again when the folder's time has changed."""
    return _list(folder)


def _list(folder: Path) -> frozenset[str]:
    return frozenset(entry.name for entry in folder.iterdir())
