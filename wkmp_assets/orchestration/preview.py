"""What an import would do, found out without writing anything."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.read.incomplete import read_incomplete
from wkmp_assets.db.read.known_files import read_known_files
from wkmp_assets.db.read.missing import read_marks
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.ignore import IgnoreRules
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.work_estimates import estimate_work_s
from wkmp_assets.orchestration.music_objects import at_hand, scan_library
from wkmp_assets.settings import Settings

START_S = 5
"""unit=s: to load Dagster, scan, and start the workers."""


@dataclass(frozen=True)
class ImportPreview:
    """What an import would do, as sorted paths."""

    imported: tuple[str, ...]
    """New and changed files, and those that are imported again because somebody asks for it."""
    moved: tuple[tuple[str, str], ...]
    """Where the library has a file, and where it is now."""
    newly_missing: tuple[str, ...]
    """Files that would be marked as missing."""
    unchanged: int
    seconds: float
    """How long the import is likely to take."""
    scan: LibraryChanges


def preview_import(settings: Settings, folder: str, *, force: bool, complete: bool) -> ImportPreview:
    """Scan a folder and say what an import would do. Nothing is written, but stand-ins for music in a store.

    New files that have the size of a missing one are hashed, to tell moved files from others.

    Parameters
    ----------
    settings : Settings
        Of the library.
    folder : str
        Relative to its root.
    force, complete : bool
        As for the import.

    Raises
    ------
    LibraryRootError
        The folder cannot be read.
    """
    known = read_known_files(settings.database_path)
    rules = IgnoreRules(settings.library, settings.ignore_patterns)
    scan, _ = scan_library(settings, folder, known, rules)
    half_made = {file.path for file in read_incomplete(settings.database_path)} if complete else set()
    again = [path for path in scan.unchanged if force or path in half_made]
    moved = _find_moved(settings, scan, known)
    arrived = {path for _, path in moved}
    imported = tuple(sorted(path for path in (*scan.to_import, *again) if path not in arrived))
    marked, _ = read_marks(settings.database_path)
    gone = set(scan.missing) - {path for path, _ in moved} - set(marked)
    cores = min(settings.workers, os.cpu_count() or 1)
    work_s = sum(estimate_work_s(path, _size(settings.library / path)) for path in imported)
    return ImportPreview(
        imported, moved, tuple(sorted(gone)), len(scan.unchanged) - len(again), START_S + work_s / cores, scan
    )


def _find_moved(settings: Settings, scan: LibraryChanges, known: Collection[KnownFile]) -> tuple[tuple[str, str], ...]:
    missing = [one for one in known if one.path in frozenset(scan.missing)]
    sizes = {one.size_bytes for one in missing}
    found = []
    for path in scan.new:
        size = _size(settings.library / path)
        if size not in sizes:
            continue
        with at_hand(settings, path) as file:
            content = hash_file(file, path)
        before = next((one for one in missing if one.content_hash == content), None)
        if before is not None:
            missing.remove(before)
            found.append((before.path, path))
    return tuple(sorted(found))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone since the scan
        return 0
