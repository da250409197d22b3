"""Stand-ins: empty files with the size and time of objects, in the folder of a library whose music is in a store.

A scan, and all that compares sizes and times, works with them as with music. Nothing reads their content.
"""

import errno
import os
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.small_files import open_regular_file
from wkmp_assets.model.audio_formats import AUDIO_ENDINGS, UNREAD_ENDINGS

MARKER = ".wkmp-stand-ins"
"""File in the folder that names the address of the objects."""
_ENDINGS = AUDIO_ENDINGS | UNREAD_ENDINGS
_NO_PLACE = frozenset({errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
"""Errors of names that this folder cannot hold."""
_NO_NAMES = frozenset({"", ".", ".."})
_CHUNK_BYTES = 1_000_000
_MAX_ADDRESS_BYTES = 4_096


def read_marker(root: Path) -> str | None:
    """Return the address of the objects for which a folder has stand-ins; None for a folder of music."""
    try:
        with open_regular_file(root / MARKER) as file:
            return file.read(_MAX_ADDRESS_BYTES).decode("utf-8", "replace").strip()
    except OSError:
        return None


def place_stand_ins(root: Path, address: str, objects: Mapping[str, tuple[int, int]]) -> list[str]:
    """Make the stand-ins in a folder equal to a list of objects.

    Only files without content are changed or removed. Hidden names and what is not named like music have no stand-ins.

    Parameters
    ----------
    root : Path
        The folder of the library.
    address : str
        Of the objects, for the marker and for messages.
    objects : mapping of str to (int, int)
        Path below the address -> size in bytes, and time of change in seconds.

    Returns
    -------
    list of str
        The objects whose names no folder can hold.

    Raises
    ------
    LibraryRootError
        The folder has music of its own or stand-ins for other objects, or cannot be written to.
    """
    marked = read_marker(root)
    if marked not in {None, address}:
        raise LibraryRootError(f"{root} holds stand-ins for {marked}; give the music of {address} a folder of its own")
    wanted = {path: tuple(of) for path, of in objects.items() if _is_music(path)}
    refused: list[str] = []
    try:
        there = dict(_find_music(root))
        for path, now in there.items():
            if now != wanted.get(path) and not _is_hollow(root / path):
                raise LibraryRootError(
                    f"{root / path} is music and no stand-in; give the music of {address} an empty folder"
                )
        if marked is None:
            with (root / MARKER).open("x", encoding="utf-8") as file:  # no link is followed
                file.write(f"{address}\n")
        for path in there.keys() - wanted.keys():
            _remove(root, path)
        for path, (size_bytes, modified_s) in wanted.items():
            if there.get(path) != (size_bytes, modified_s) and not _place(root, path, size_bytes, modified_s):
                refused.append(path)
    except OSError as error:
        raise LibraryRootError(f"stand-ins cannot be kept in {root} ({error.strerror}); check the folder") from error
    return sorted(refused)


def _is_music(path: str) -> bool:
    parts = path.split("/")
    return PurePosixPath(path).suffix.lower() in _ENDINGS and not any(
        part.startswith(".") and part not in _NO_NAMES for part in parts
    )


def _find_music(root: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if not name.startswith(".")]
        for name in files:
            path = Path(folder, name)
            relative = str(path.relative_to(root))
            if _is_music(relative):
                status = path.lstat()
                yield relative, (status.st_size, int(status.st_mtime))


def _is_hollow(path: Path) -> bool:
    """Tell whether a regular file has no byte but zeros."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    with path.open("rb", buffering=0) as file:
        try:
            os.lseek(file.fileno(), 0, os.SEEK_DATA)  # a hole need not be read
        except OSError as error:
            if error.errno == errno.ENXIO:
                return True
        return not any(chunk.strip(b"\0") for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""))


def _remove(root: Path, path: str) -> None:
    (root / path).unlink(missing_ok=True)
    for folder in PurePosixPath(path).parents:
        if str(folder) == "." or any((root / folder).iterdir()):
            return
        (root / folder).rmdir()


def _place(root: Path, path: str, size_bytes: int, modified_s: int) -> bool:
    """Write a stand-in, whole or not at all; return False where the folder cannot hold its name."""
    place = root / path
    if "\0" in path or not _NO_NAMES.isdisjoint(path.split("/")):
        return False
    part = place.with_name(f".{uuid.uuid4().hex}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.parent.resolve() != root.resolve() / PurePosixPath(path).parent:
            return False  # a link leads elsewhere
        with part.open("xb") as file:
            file.truncate(size_bytes)
        os.utime(part, (modified_s, modified_s))
        part.replace(place)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        if error.errno in _NO_PLACE:
            return False
        raise
    return True
