"""What travels to a worker of another machine, and back: a function, its arguments, and the files that it made.

Paths mean something else on every machine. A path inside the music travels as its place below the root, and the worker
puts the folder before it where that root is mounted. A path inside the run's state becomes a folder of this one task
on the worker's own disk. What the task leaves there returns with its value, or is dropped.
"""

import io
import os
import pickle
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from wkmp_assets.errors import FileNotSeenError
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.object_folder import ObjectFolder
from wkmp_assets.runtime.state_files import PRIVATE

ANY_ROOT = ""
"""The root of which a worker was not told an id."""
_MUSIC = "music"
"""Folder of a task for what it fetches from an object store."""
Mount = Path | ObjectFolder
"""Where the music is for a worker."""


@dataclass(frozen=True)
class StateFolder:
    """A folder of the run's machine that tasks write into."""

    name: str
    """Under which it travels."""
    path: Path
    returns: bool
    """Whether the files that a task leaves in it return to the run's machine; otherwise they end with the task."""
    mode: int = PRIVATE
    """Of the files that return."""


@dataclass(frozen=True)
class Places:
    """The folders of the run's machine that the arguments of tasks may name."""

    root_id: str
    """Names the music folder on every machine."""
    root: Path
    folders: tuple[StateFolder, ...] = ()

    def find(self, path: Path) -> tuple[Any, ...]:
        """Return how a path travels.

        Raises
        ------
        ValueError
            It lies in none of the folders, so no other machine can know it.
        """
        for folder in self.folders:
            if path.is_relative_to(folder.path):
                return (folder.name, folder.returns, str(path.relative_to(folder.path)))
        if not path.is_relative_to(self.root):
            raise ValueError(f"{path} means nothing on another machine")
        try:
            status = path.lstat()
        except OSError:  # the worker says so
            seen = None
        else:
            seen = (status.st_size, int(status.st_mtime))
        return (self.root_id, seen, str(path.relative_to(self.root)))


@dataclass(frozen=True)
class Returned:
    """What comes back from a worker."""

    value: Any
    files: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    """Name of the state folder -> relative path -> content."""


def pack(function: Callable[..., Any], arguments: tuple[Any, ...], places: Places) -> bytes:
    """Return a task as it travels.

    Raises
    ------
    ValueError
        An argument has a path outside the places.
    """
    parcel = io.BytesIO()
    _Packer(parcel, places).dump((function, arguments))
    return parcel.getvalue()


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, places: Places) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._places = places

    def persistent_id(self, obj: Any) -> tuple[Any, ...] | None:
        return self._places.find(obj) if isinstance(obj, Path) else None


def run_parcel(parcel: bytes, mounts: Mapping[str, Mount], scratch: Path) -> Returned:
    """Do a task on a worker.

    Parameters
    ----------
    parcel : bytes
        What `pack` returned.
    mounts : mapping of str to Path or ObjectFolder
        Root id, or `ANY_ROOT` for all others -> where that music is for this machine.
    scratch : Path
        Holds the folders of the task while it runs.

    Raises
    ------
    FileNotSeenError
        The file is not here, or has another size or time of change.
    Exception
        Whatever the function raises.
    """
    with tempfile.TemporaryDirectory(dir=scratch, prefix="task-", ignore_cleanup_errors=True) as folder:
        unpacker = _Unpacker(io.BytesIO(parcel), mounts, Path(folder))
        function, arguments = unpacker.load()
        value = function(*arguments)
        return Returned(value, {name: _read_files(Path(folder, name)) for name in unpacker.returning})


class _Unpacker(pickle.Unpickler):  # noqa: S301 - a worker does what its scheduler says; see docs/explanation/security.md
    def __init__(self, file: io.BytesIO, mounts: Mapping[str, Mount], folder: Path) -> None:
        super().__init__(file)
        self._mounts = mounts
        self._folder = folder
        self.returning: set[str] = set()

    def persistent_load(self, pid: Any) -> Path:
        name, fact, relative = pid
        _check_relative(relative)
        if not isinstance(fact, bool):
            return find_file(self._mounts, name, relative, fact, self._folder)
        if fact:
            self.returning.add(name)
        return Path(self._folder, name, relative)


def find_file(
    mounts: Mapping[str, Mount], root_id: str, relative: str, seen: tuple[int, int] | None, folder: Path
) -> Path:
    """Return where a file of the music is on this machine; one in an object store is fetched.

    Parameters
    ----------
    mounts : mapping of str to Path or ObjectFolder
        As for `run_parcel`.
    root_id, relative : str
        The root, and the path below it.
    seen : tuple of int and int, or None
        Size in bytes and time of change in seconds, as the run's machine sees them.
    folder : Path
        Of the task.

    Raises
    ------
    FileNotSeenError
        No such root is mounted here, or the file is missing, unreadable or another one.
    """
    mount = mounts.get(root_id, mounts.get(ANY_ROOT))
    if mount is None:
        raise FileNotSeenError(f"it has no music folder {root_id}")
    if isinstance(mount, ObjectFolder):
        return mount.fetch(relative, seen, folder / _MUSIC)
    path = mount / relative
    try:
        status = path.lstat()
    except OSError as error:
        raise FileNotSeenError(f"{path}: {error.strerror}") from error
    if seen is not None and status.st_size != seen[0]:
        raise FileNotSeenError(f"{path} has {status.st_size} instead of {seen[0]} bytes")
    if seen is not None and int(status.st_mtime) != seen[1]:
        raise FileNotSeenError(f"{path} has another time of change; mount the same folder, or copy it with its times")
    if stat.S_ISREG(status.st_mode) and not os.access(path, os.R_OK):
        raise FileNotSeenError(f"{path} may not be read")
    return path


def _check_relative(relative: str) -> None:
    """Refuse a path that leads out of its folder."""
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{relative!r} leads out of its folder")


def _read_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def unpack(returned: Returned, places: Places) -> Any:
    """Write down the files that came back, durably, and return the value.

    Raises
    ------
    StateDiskError
        The disk is full, or a folder may not be written to.
    ValueError
        A file would lie outside its folder.
    """
    folders = {folder.name: folder for folder in places.folders if folder.returns}
    for name, files in returned.files.items():
        for relative, content in files.items():
            _check_relative(relative)
            write_atomically(folders[name].path / relative, content, folders[name].mode)
    return returned.value
