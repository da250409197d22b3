"""Decoded PCM kept on disk between phases: a cache under a size limit that may lose any entry at any time.

Several processes use one store at once; a file that another process deleted meanwhile is never an error.
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

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import BinaryIO

    from _typeshed import ReadableBuffer
    from numpy.typing import NDArray

PCM_RATE_HZ = 11_025
"""Chromaprint's own rate: any other would be resampled inside it."""
FORMAT_VERSION = 1
"""Raise when the samples of the same file change: other resampler options, other sample format."""
SUFFIX = f".{PCM_RATE_HZ}hz-mono-s16le.v{FORMAT_VERSION}.pcm"
RECENT_S = 600
"""Entries used within this time may still be mapped by a running phase."""


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
        The folder; made when first needed.
    limit_bytes : int, >= 0
        What `evict` brings the folder down to.
    """

    def __init__(self, root: Path, limit_bytes: int) -> None:
        self.root = root
        self.limit_bytes = limit_bytes

    def path_for(self, content_hash: str) -> Path:
        """Return where the PCM of this content belongs, there or not; the folder exists afterwards."""
        with translate_disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        return self.root / f"{content_hash}{SUFFIX}"

    def get(self, content_hash: str) -> Path | None:
        """Find the PCM of this content and mark it as just used; None when it is not in the store."""
        path = self.root / f"{content_hash}{SUFFIX}"
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def forget(self, content_hash: str) -> None:
        """Delete the PCM of this content, if it is there."""
        with translate_disk_errors(self.root):
            (self.root / f"{content_hash}{SUFFIX}").unlink(missing_ok=True)

    def evict(self, keep: Collection[str] = ()) -> int:
        """Delete what killed writers have left, and the least recently used until the folder is within its limit.

        Parameters
        ----------
        keep : collection of str
            Content hashes that must stay. Entries used within the last ten minutes stay as well, so the
            folder may remain above its limit.

        Returns
        -------
        int
            Bytes freed.
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
    """Open a PCM file for writing; it gets its name when all went well, so it is whole or absent.

    Removes what killed writers have left: on a disk that is full of it no writer would come to its end.

    Raises
    ------
    StateDiskError
        The disk is full, or the folder may not be written to. Any other `OSError` is about the music.
    """
    temporary = path.with_name(temporary_name(path.name))
    with translate_disk_errors(path.parent):
        remove_leftovers(path.parent)
        raw = _StateFile(temporary, "w")
    try:
        with io.BufferedWriter(raw) as pcm:
            yield pcm
        with translate_disk_errors(path.parent):
            replace_durably(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


class _StateFile(io.FileIO):
    """Its errors say that they are about the state folder."""

    def write(self, data: ReadableBuffer) -> int:
        with translate_disk_errors(Path(self.name).parent):
            return super().write(data)


def _delete(entry: _Entry) -> int:
    """Delete one file and return the bytes freed: 0 when another process was faster."""
    try:
        entry.path.unlink()
    except FileNotFoundError:
        return 0
    return entry.size_bytes


def map_pcm(pcm_path: Path) -> NDArray[np.int16]:
    """Map the samples of a stored file into memory, read-only.

    Returns
    -------
    array of int16, shape=(n,)
        Mono, at `PCM_RATE_HZ`; empty for an empty file.
    """
    if pcm_path.stat().st_size < 2:  # an empty file cannot be mapped
        return np.zeros(0, "<i2")
    return np.memmap(pcm_path, dtype="<i2", mode="r")
