"""Mark in the library which files are missing, and unmark files that are on disk again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.db.read.missing import read_marks
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.model.batch import MarkBatch, Receipt
from wkmp_assets.model.file_key import is_within, storable
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.timestamps import format_timestamp


@dataclass(frozen=True)
class MarkChanges:
    """What a scan changes about the marks, as sorted paths."""

    missing: tuple[str, ...] = ()
    """Newly missing: to be marked."""
    found: tuple[str, ...] = ()
    """Marked, but on disk again or no longer in the library under that path: to be unmarked."""
    forgotten: tuple[str, ...] = ()
    """Recorded as failed and gone from disk: their failures are deleted."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.found or self.forgotten)


@dataclass(frozen=True)
class MarkCommit:
    """The changed marks after one scan, and their commit."""

    changes: MarkChanges
    receipt: Receipt | None
    """None when nothing changed."""


def mark_missing(database: Path, scan: LibraryChanges, now: datetime) -> MarkCommit:
    """Mark the files that a scan found missing, in one transaction; write nothing when no mark changes.

    Files on disk again lose their mark. Failures of files that are gone are deleted. No file is removed.

    Parameters
    ----------
    database : Path
        The library; may not exist yet.
    scan : LibraryChanges
        What the scan found.
    now : datetime
        With its time zone.

    Raises
    ------
    LibraryLockedError, LibraryDiskError, UnwritableLibraryError
        Nothing was written; the next scan finds the same again.
    """
    changes = compare_marks(scan, *read_marks(database))
    if not changes:
        return MarkCommit(changes, None)
    batch = MarkBatch(changes.missing, changes.found, changes.forgotten, format_timestamp(now))
    with LibraryWriter(database, read_library_settings(database).locks) as writer:
        return MarkCommit(changes, writer.write(batch))


def compare_marks(scan: LibraryChanges, marked: Iterable[str], failed: Iterable[str]) -> MarkChanges:
    """Compare what a scan found with the marks and failures in the library.

    Parameters
    ----------
    scan : LibraryChanges
        What the scan found.
    marked : iterable of str
        Paths that are marked as missing.
    failed : iterable of str
        Paths of `import_failures`; keys, where the name is not UTF-8.
    """
    missing, before = set(scan.missing), set(marked)
    on_disk = {storable(path) for path in (*scan.new, *scan.changed, *scan.unchanged)}
    unknown = frozenset(scan.unknown)

    def was_scanned(path: str) -> bool:
        is_unread = path in unknown or any(is_within(path, folder) for folder in scan.unreadable)
        return is_within(path, scan.folder) and not is_unread

    return MarkChanges(
        tuple(sorted(missing - before)),
        tuple(sorted(path for path in before - missing if was_scanned(path))),
        tuple(sorted(path for path in set(failed) - on_disk if was_scanned(path))),
    )
