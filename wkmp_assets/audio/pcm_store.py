"""Decoded PCM on disk, for the phases after the decode: a cache with a size limit that may lose any entry at any time.

Several processes use one store at once; a file that another process has deleted meanwhile is never an error.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.runtime.atomic_files import remove_leftovers, replace_durably, temporary_name, translate_disk_errors
from wkmp_assets.runtime.state_files import open_for_writing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import BinaryIO

    from _typeshed import ReadableBuffer
    from numpy.typing import NDArray

PCM_RATE_HZ = 11_025
"""Chromaprint's own rate, so that it does not resample."""
FORMAT_VERSION = 1
"""To be raised when the samples of the same file change, as with other resampler options or another sample format."""
SUFFIX = f".{PCM_RATE_HZ}hz-mono-s16le.v{FORMAT_VERSION}.pcm"
RECENT_S = 600
"""unit=s: entries used so recently may still be mapped by a running phase."""


@dataclass(frozen=True)
class _Entry:
    path: Path
    size_bytes: int
    used_at: float


class PcmStore:
    """A folder of PCM files named by content hash, rate and format version.

    Parameters
    ----------
    root : Path
        The folder; created when needed.
    limit_bytes : int, >= 0
        The size to which `evict` reduces the folder.
    """

    def __init__(self, root: Path, limit_bytes: int) -> None:
        self.root = root
        self.limit_bytes = limit_bytes

    def path_for(self, content_hash: str) -> Path:
        """Return the path for the PCM of this content, which need not exist; the folder is created."""
        with translate_disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        return self.root / f"{content_hash}{SUFFIX}"

    def get(self, content_hash: str) -> Path | None:
        """Return the PCM of this content and mark it as just used; None when it is not in the store."""
        path = self.root / f"{content_hash}{SUFFIX}"
        try:
            os.utime(path, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return None if path.is_symlink() else path

    def forget(self, content_hash: str) -> None:
        """Delete the PCM of this content, if there is any."""
        with translate_disk_errors(self.root):
            (self.root / f"{content_hash}{SUFFIX}").unlink(missing_ok=True)

    def evict(self, keep: Collection[str] = ()) -> int:
        """Delete the files of killed writers, then the least recently used entries beyond the size limit.

        Parameters
        ----------
        keep : collection of str
            Content hashes whose entries stay. Entries used within the last ten minutes stay as well, so that the
            folder may remain above its limit.

        Returns
        -------
        int
            Number of bytes freed.
        """
        remove_leftovers(self.root)
        now = time.time()
        freed = 0
        stored = [entry for entry in self._entries() if entry.path.suffix == ".pcm"]
        excess = sum(e.size_bytes for e in stored) - self.limit_bytes
        for entry in sorted(stored, key=lambda e: e.used_at):
            if excess <= 0:
                break
            if now - entry.used_at < RECENT_S or entry.path.name.partition(".")[0] in keep:
                continue
            freed += _delete(entry)
            excess -= entry.size_bytes
        return freed

    def _entries(self) -> Iterator[_Entry]:
        try:
            paths = list(self.root.iterdir())
        except FileNotFoundError:
            return
        for path in paths:
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            yield _Entry(path, status.st_size, status.st_mtime)


@contextlib.contextmanager
def pcm_file(path: Path) -> Iterator[BinaryIO]:
    """Open a PCM file for writing; it is renamed to `path` at the end of the block, so that it is whole or absent.

    The files of killed writers in its folder are removed first, because they may fill the disk.

    Raises
    ------
    StateDiskError
        The disk is full, or the folder may not be written to. Any other `OSError` in the block is about the music.
    """
    temporary = path.with_name(temporary_name(path.name))
    with translate_disk_errors(path.parent):
        remove_leftovers(path.parent)
        raw = _StateFile(temporary, "w", opener=open_for_writing)
    try:
        with io.BufferedWriter(raw) as pcm:
            yield pcm
        with translate_disk_errors(path.parent):
            replace_durably(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


class _StateFile(io.FileIO):
    """A file whose write errors are about the state folder."""

    def write(self, data: ReadableBuffer) -> int:
        with translate_disk_errors(Path(self.name).parent):
            return super().write(data)


def _delete(entry: _Entry) -> int:
    """Delete one file; return the bytes freed, 0 when another process has deleted it."""
    try:
        entry.path.unlink()
    except FileNotFoundError:
        return 0
    return entry.size_bytes


def map_pcm(pcm_path: Path) -> NDArray[np.int16]:
    """Map the samples of a stored file into memory, read-only.

    Parameters
    ----------
    pcm_path : Path
        Raw little-endian int16, mono, at `PCM_RATE_HZ`.

    Returns
    -------
    array of int16, shape=(n,)
        Empty for an empty file.

    Raises
    ------
    FileNotFoundError
        The store has evicted the file.
    """
    if pcm_path.stat().st_size < 2:  # an empty file cannot be mapped
        return np.zeros(0, "<i2")
    return np.memmap(pcm_path, dtype="<i2", mode="r")
