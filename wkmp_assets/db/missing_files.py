"""Note in the library which files are gone and which are there again: one transaction a scan, none without news."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.db.read.missing import read_noted
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.model.batch import PresenceBatch, Receipt
from wkmp_assets.model.file_key import is_within, storable
from wkmp_assets.model.timestamps import format_timestamp
from wkmp_assets.model.values import LibraryChanges


@dataclass(frozen=True)
class PresenceChanges:
    """What the library has to note after a scan about files that are gone, as sorted paths."""

    missing: tuple[str, ...] = ()
    """To be marked."""
    found: tuple[str, ...] = ()
    """Marked, but there again, or no longer in the library under that path."""
    forgotten: tuple[str, ...] = ()
    """Recorded as failed, and gone: there is nothing to mend any more."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.found or self.forgotten)


def compare_presence(changes: LibraryChanges, marked: Iterable[str], failed: Iterable[str]) -> PresenceChanges:
    """Compare what a scan found with what the library has noted before.

    Parameters
    ----------
    changes : LibraryChanges
        The scan.
    marked : iterable of str
        Paths that are marked as missing.
    failed : iterable of str
        Paths of `import_failures`; keys, where the name is not UTF-8.
    """
    missing, before = set(changes.missing), set(marked)
    there = {storable(path) for path in (*changes.new, *changes.changed, *changes.unchanged)}

    unknown = frozenset(changes.unknown)

    def is_settled(path: str) -> bool:
        """Tell whether the scan has looked where the path is."""
        is_unread = path in unknown or any(is_within(path, folder) for folder in changes.unreadable)
        return is_within(path, changes.folder) and not is_unread

    return PresenceChanges(
        tuple(sorted(missing - before)),
        tuple(sorted(path for path in before - missing if is_settled(path))),
        tuple(sorted(path for path in set(failed) - there if is_settled(path))),
    )


@dataclass(frozen=True)
class Noted:
    """What was news, and what writing it cost."""

    news: PresenceChanges
    receipt: Receipt | None
    """None when there was nothing to write."""


def note_missing(database: Path, changes: LibraryChanges, now: datetime) -> Noted:
    """Mark files that a scan found gone, unmark those that are there again, forget failures of files that are gone.

    Nothing is taken out of the library, and nothing written when all of it is noted already.

    Parameters
    ----------
    database : Path
        The library; may not exist yet.
    changes : LibraryChanges
        What the scan found.
    now : datetime
        With its time zone.

    Raises
    ------
    LibraryLockedError, LibraryDiskError, UnwritableLibraryError
        Nothing was written; the next scan finds the same again.
    """
    news = compare_presence(changes, *read_noted(database))
    if not news:
        return Noted(news, None)
    batch = PresenceBatch(news.missing, news.found, news.forgotten, format_timestamp(now))
    with LibraryWriter(database, read_library_settings(database).locks) as writer:
        return Noted(news, writer.write(batch))
