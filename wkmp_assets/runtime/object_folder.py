"""A music folder in an object store, or at any other address that fsspec knows.

The objects are listed by the machine with the library. A worker fetches the whole file that it measures, together with
the sheets and pictures beside it, into a folder of its task. What reads music sees a local folder as always.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from wkmp_assets.errors import FileNotSeenError, LibraryRootError, SettingsError, UnreadableFileError, in_one_line
from wkmp_assets.model.audio_formats import AUDIO_ENDINGS
from wkmp_assets.runtime.object_cache import ObjectCache

MAX_NAMES_BESIDE = 1_000
"""Names of one folder that a worker is shown beside its file; of music and of the rest, the rest comes first."""
MAX_BESIDE_BYTES = 30_000_000
"""Larger files beside the music are not fetched; nothing reads them."""
_TIMES = ("LastModified", "mtime", "last_modified", "updated", "modified")
"""How stores call the time of the last change."""
_FLAT = frozenset({"s3", "s3a", "gs", "gcs"})
"""Stores without folders, which list a thousand objects in one answer."""
_SSH = frozenset({"sftp", "ssh"})
_EXTRAS = {"s3": "s3", "s3a": "s3", "sftp": "sftp", "ssh": "sftp"}
"""What of this package opens an address."""

_T = TypeVar("_T")


class ObjectStat(NamedTuple):
    """What a listing says of one object."""

    size_bytes: int
    modified_s: int
    """unit=s: since 1970, UTC."""


@dataclass(frozen=True)
class ObjectFolder:
    """The objects below one address."""

    url: str
    """Like `s3://bucket/prefix`, `sftp://host/folder` or `file:///folder`."""
    cache: Path
    """Folder of this machine for what was fetched; see `ObjectCache`."""
    find_beside: Callable[[Path], Collection[str]]
    """Takes the path of a music file in a folder with all names, and returns the names that are read with it."""

    def __str__(self) -> str:
        """Return the address without the name and password of a user."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def check(self) -> None:
        """Check that the address is one that this machine can open; nothing is asked from the store.

        Raises
        ------
        SettingsError
            No program is installed for such addresses, or there is none.
        """
        from fsspec import get_filesystem_class  # an import of a local folder does not need it

        scheme = urlsplit(self.url).scheme
        try:
            if scheme in _SSH:
                import_module("wkmp_assets.runtime.sftp_store")
            get_filesystem_class(scheme)
        except ImportError as error:
            extra = f"pip install 'wkmp-assets[{_EXTRAS[scheme]}]' ({error})" if scheme in _EXTRAS else str(error)
            raise SettingsError(f"{self} needs a package: {extra}") from error
        except ValueError as error:
            raise SettingsError(f"{self} is no address of music ({_say(error)})") from error

    def list_objects(self) -> dict[str, ObjectStat]:
        """Return all objects by their path below the address, with `/` separators.

        Raises
        ------
        LibraryRootError
            They cannot be listed, or the store has no times of change.
        SettingsError
            As for `check`.
        """
        self.check()
        try:
            found, base = self._try(_list_all)
        except Exception as error:  # stores raise errors of many libraries
            raise LibraryRootError(f"the objects of {self} cannot be listed ({_say(error)}); check it") from error
        try:
            return {info["name"][len(base) + 1 :]: _stat_of(info) for info in found}
        except (LookupError, TypeError, ValueError) as error:
            raise LibraryRootError(f"{self} tells no size or time of change of its objects") from error

    def fetch(self, relative: str, seen: tuple[int, int] | None, folder: Path) -> Path:
        """Put a file and what is read with it into a folder, under the same relative paths.

        The names of its own folder are there too, as files of the right size without content.

        Parameters
        ----------
        relative : str
            Its path below the address.
        seen : tuple of int and int, or None
            Size in bytes and time of change in seconds of the listing.
        folder : Path
            Of this task.

        Returns
        -------
        Path
            Where the file is.

        Raises
        ------
        FileNotSeenError
            The object is gone, was changed since the listing, or cannot be fetched.
        """
        self.check()
        try:
            return self._try(self._fetch, relative, seen, folder)
        except FileNotSeenError:
            raise
        except Exception as error:  # stores raise errors of many libraries
            raise FileNotSeenError(f"{self}/{relative} cannot be fetched ({_say(error)})") from error

    def _fetch(self, store: Any, base: str, relative: str, seen: tuple[int, int] | None, folder: Path) -> Path:
        path, cache = folder / relative, ObjectCache(self.cache)
        inside = str(PurePosixPath(base, relative).parent)
        beside = _by_name(store.ls(inside, detail=True))
        self._check(relative, beside.get(path.name), seen)
        path.parent.mkdir(parents=True, exist_ok=True)
        for name in _choose(beside, path.name):
            _make_hollow(path.parent / name, _stat_of(beside[name]).size_bytes)
        for name in dict.fromkeys((path.name, *self.find_beside(path))):
            size_bytes, modified_s = _stat_of(beside[name])
            if name == path.name or size_bytes <= MAX_BESIDE_BYTES:
                key = (self.url, beside[name]["name"], size_bytes, modified_s, beside[name].get("ETag"))
                get = partial(store.get_file, beside[name]["name"])
                cache.take(key, get, path.parent / name, size_bytes, modified_s)
        return path

    @contextmanager
    def at_hand(self, relative: str, seen: tuple[int, int] | None = None) -> Iterator[Path]:
        """Have a file in a folder of this machine for the block.

        Raises
        ------
        UnreadableFileError
            As for `fetch`.
        """
        with ObjectCache(self.cache).open_task_folder() as folder:
            try:
                path = self.fetch(relative, seen, folder)
            except FileNotSeenError as error:
                raise UnreadableFileError(relative, str(error)) from error
            yield path

    def _check(self, relative: str, info: Mapping[str, Any] | None, seen: tuple[int, int] | None) -> None:
        if info is None:
            raise FileNotSeenError(f"{self}/{relative} is gone")
        if seen is not None and _stat_of(info) != seen:
            raise FileNotSeenError(f"{self}/{relative} was changed after it was listed")

    def _try(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Call a function with the store and the path there; once more where a connection broke meanwhile."""
        store, base = self._open()
        try:
            return function(store, base, *arguments)
        except Exception:
            if getattr(store, "is_connected", True):  # most stores connect anew for each request
                raise
        return function(*self._open(), *arguments)

    def _open(self) -> tuple[Any, str]:
        if urlsplit(self.url).scheme in _SSH:
            from wkmp_assets.runtime.sftp_store import open_store  # an extra

            store, base = open_store(self.url)
        else:
            from fsspec.core import url_to_fs

            store, base = url_to_fs(self.url)
            store.invalidate_cache()
        return store, base.rstrip("/")


def run_at_hand(objects: ObjectFolder, root: Path, function: Callable[..., Any], stand_in: Path, *others: Any) -> Any:
    """Do a task of a worker of this machine with the file for which its first argument, below `root`, stands.

    Raises
    ------
    UnreadableFileError
        As for `ObjectFolder.at_hand`.
    Exception
        Whatever the function raises.
    """
    try:
        status = os.lstat(stand_in)
        seen = (status.st_size, int(status.st_mtime))
    except OSError:  # the store says so
        seen = None
    with objects.at_hand(str(stand_in.relative_to(root)), seen) as path:
        return function(path, *others)


def _list_all(store: Any, base: str) -> tuple[list[Mapping[str, Any]], str]:
    """Return all files of a store, and where they are there.

    Stores with folders are walked here: fsspec leaves out those that it cannot read.
    """
    if not _FLAT.isdisjoint((store.protocol,) if isinstance(store.protocol, str) else store.protocol):
        return list(store.find(base, detail=True).values()), base
    found, folders = [], [base]
    while folders:
        for info in store.ls(folders.pop(), detail=True):
            if info["type"] == "file":
                found.append(info)
            elif info["type"] == "directory" and not info.get("islink"):
                folders.append(info["name"])
    return found, base


def _by_name(infos: Collection[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the objects of one folder that a folder on disk can hold, by their names."""
    found = {info["name"].rpartition("/")[2]: info for info in infos if info["type"] == "file"}
    return {name: info for name, info in found.items() if is_file_name(name)}


def is_file_name(name: str) -> bool:
    """Tell whether a folder on disk can hold a file or folder of a name."""
    return name not in {"", ".", ".."} and "\0" not in name and len(os.fsencode(name)) <= 255


def _choose(names: Collection[str], own: str) -> list[str]:
    others = sorted(names, key=lambda name: (PurePosixPath(name).suffix.lower() in AUDIO_ENDINGS, name))
    return [name for name in others[:MAX_NAMES_BESIDE] if name != own]


def _make_hollow(path: Path, size_bytes: int) -> None:
    path.touch()
    os.truncate(path, size_bytes)


def _stat_of(info: Mapping[str, Any]) -> ObjectStat:
    """Return size and time of an object from what fsspec says of it, which differs from store to store."""
    value = next(filter(None, map(info.get, _TIMES)), None)
    if value is None:
        raise LookupError("no time")
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return ObjectStat(int(info["size"]), int(value.timestamp() if isinstance(value, datetime) else value))


def _say(error: BaseException) -> str:
    return in_one_line(error)[:300]
