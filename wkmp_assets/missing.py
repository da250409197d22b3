"""Note in the library which files are gone and which are there again: one transaction a scan, none without news."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wkmp_assets.db.library_settings import read_library_settings
from wkmp_assets.db.missing import read_noted
from wkmp_assets.db.writer import LibraryWriter
from wkmp_assets.files.changes import PresenceChanges, compare_presence
from wkmp_assets.model.batch import PresenceBatch, Receipt
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import LibraryChanges


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
    batch = PresenceBatch(news.missing, news.found, news.forgotten, Stamp(now, "").text)
    with LibraryWriter(database, read_library_settings(database).locks) as writer:
        _, receipt = writer.commit(lambda: batch)
    return Noted(news, receipt)
