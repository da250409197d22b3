"""What a machine has fetched from an object store, bounded, so that its workers fetch an object once."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.errors import FileNotSeenError
from wkmp_assets.runtime.atomic_files import is_running
from wkmp_assets.runtime.file_locks import hold_lock

MAX_CACHE_BYTES = 2_000_000_000
"""The least recently used objects go first."""
_TASK = "task-"
_LOCK = ".lock"


@dataclass(frozen=True)
class ObjectCache:
    """A folder with objects that were fetched, shared by all worker processes of a machine."""

    folder: Path

    def take(
        self, key: tuple[object, ...], get: Callable[[str], object], place: Path, size_bytes: int, modified_s: int
    ) -> None:
        """Put an object in its place, from the cache or else from the store.

        Parameters
        ----------
        key : tuple
            Names the object and its content.
        get : callable
            Takes the path that it writes the object to. Called by one process at a time for the same object.
        place : Path
            Receives the object. It shares its blocks on disk with the cache where the file system allows it.
        size_bytes, modified_s : int
            Of the object.

        Raises
        ------
        FileNotSeenError
            What came has another size.
        """
        kept = self.folder / hashlib.sha256(repr(key).encode("utf-8", "surrogateescape")).hexdigest()
        if _put(kept, place):
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with hold_lock(self.folder / f"{kept.name[:2]}{_LOCK}"):
            if _put(kept, place):
                return
            part = kept.with_suffix(".part")
            try:
                get(str(part))
                if (came := part.stat().st_size) != size_bytes:
                    raise FileNotSeenError(f"{place.name} came with {came} instead of {size_bytes} bytes")
                os.utime(part, (modified_s, modified_s))
                _put(part, place)
                part.replace(kept)
            finally:
                part.unlink(missing_ok=True)
        self._tidy()

    @contextmanager
    def open_task_folder(self) -> Iterator[Path]:
        """Make a folder on the disk of the cache for one task of this process; it ends with the block."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        prefix = f"{_TASK}{os.getpid()}-"
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=prefix, ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def _tidy(self) -> None:
        """Drop the least recently used objects beyond the limit, and the folders of tasks whose process is gone."""
        kept: list[tuple[int, int, Path]] = []
        for path in self.folder.iterdir():
            if path.name.startswith(_TASK):
                if not is_running(int(path.name.split("-")[1])):
                    shutil.rmtree(path, ignore_errors=True)
            elif path.suffix != _LOCK:
                with suppress(FileNotFoundError):  # dropped by another process
                    status = path.stat()
                    kept.append((status.st_ctime_ns, status.st_size, path))  # a new link changes this time
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= MAX_CACHE_BYTES:
                break
            path.unlink(missing_ok=True)
            total -= size


def _put(kept: Path, place: Path) -> bool:
    """Put a kept object in its place; return False when it is not kept."""
    place.unlink(missing_ok=True)
    try:
        os.link(kept, place)
    except FileNotFoundError:
        return False
    except OSError:  # another disk, or one without links
        try:
            shutil.copy2(kept, place)
        except FileNotFoundError:
            return False
    return True
