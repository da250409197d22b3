"""The covers of one library on disk: one file for each content, named by its hash."""

import hashlib
import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.runtime.atomic_files import remove_leftovers, translate_disk_errors, write_atomically
from wkmp_assets.runtime.state_files import SHARED

MIN_UNUSED_S = 7 * 24 * 3600
"""unit=s: how long a cover stays after its last use by an import, because its row may not be written yet."""


@dataclass(frozen=True)
class CoverStore:
    """A folder of covers: `ab/<hash>.jpg`, where the hash begins with `ab`.

    Parameters
    ----------
    root : Path
        Created when the first cover is kept.
    notes : Path
        A folder for notes on which picture became which cover, and for locks. It is a cache.
    """

    root: Path
    notes: Path

    def keep(self, data: bytes, suffix: str) -> str:
        """Store a cover, durably and as a whole file or not at all; return its path below the folder.

        Raises
        ------
        StateDiskError
            The disk is full, or the folder may not be written to.
        """
        name = hashlib.sha256(data).hexdigest()
        path = f"{name[:2]}/{name}{suffix}"
        if not self.has(path):
            write_atomically(self.root / path, data, SHARED)
        return path

    def has(self, path: str) -> bool:
        """Tell whether a cover is here, and mark it as just used."""
        try:
            os.utime(self.root / path)
        except OSError:
            return False
        return True

    def sweep(self, used: Collection[str]) -> int:
        """Delete the covers that no import has used for a week and whose hash is not among `used`; return their number.

        Old notes go as well.

        Raises
        ------
        StateDiskError
            The folder may not be written to.
        """
        oldest = time.time() - MIN_UNUSED_S
        deleted = 0
        with translate_disk_errors(self.root):
            for folder in self.root.glob("[0-9a-f][0-9a-f]"):
                remove_leftovers(folder)
                for path in folder.glob("*.*"):
                    with suppress(FileNotFoundError):  # deleted by another process
                        if path.stem not in used and path.stat().st_mtime < oldest:
                            path.unlink()
                            deleted += 1
            remove_leftovers(self.notes)
            for note in self.notes.glob("*.json"):
                with suppress(FileNotFoundError):
                    if note.stat().st_mtime < oldest:
                        note.unlink()
        return deleted
