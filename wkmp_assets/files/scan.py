"""Scanning: what is on disk, compared with what the library knows."""

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.changes import compare_library
from wkmp_assets.files.presence import is_on_disk
from wkmp_assets.files.walk import WalkReport, find_audio_files
from wkmp_assets.model.file_key import is_within
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.values import LibraryChanges


def scan_folder(root: Path, folder: str, known: Sequence[KnownFile]) -> tuple[LibraryChanges, WalkReport]:
    """Find the audio files of a folder and compare them with the library.

    Parameters
    ----------
    root : Path
        The library root.
    folder : str
        Where to look, relative to the root; `""` for all of it.
    known : sequence of KnownFile
        Every file the library knows.

    Returns
    -------
    tuple of LibraryChanges and WalkReport
        Relative paths by what they need, and what else was seen.

    Raises
    ------
    LibraryRootError
        The folder lies outside the library or behind a link, cannot be read, or is empty although the library
        knows files in it: more likely an unplugged disk than a deleted collection.
    """
    within = os.path.normpath(folder) if folder else ""
    if Path(within).parts[:1] == ("..",) or os.path.isabs(within):  # noqa: PTH117 - text, not a path on disk
        raise LibraryRootError(f"{folder} is not a folder inside the library {root}")
    within = "" if within == "." else within
    if (root / within).resolve() != root.resolve() / within:
        raise LibraryRootError(
            f"{root / within} is reached through a symbolic link, which a scan of the library does not follow; "
            "name the folder itself, if it lies in the library"
        )
    report = WalkReport()
    on_disk = dict(find_audio_files(root, root / within, report))
    report.found = on_disk
    absent = [row.path for row in known if row.path not in on_disk and is_within(row.path, within)]
    if _looks_unmounted(on_disk, absent):
        raise LibraryRootError(
            f"{root / within} holds no audio file any more, but the library knows {len(absent)} in it; "
            "check that its disk is mounted. Nothing was changed."
        )
    unseen = frozenset(path for path in absent if is_on_disk(root, path))
    unreadable = tuple(report.unreadable_folders)
    changes = compare_library(on_disk, known, within=within, unreadable=unreadable, unseen=unseen)
    passed_over = tuple(f"{path}: {reason}" for path, reason in sorted(report.passed_over.items()))
    return replace(changes, passed_over=passed_over), report


def _looks_unmounted(on_disk: Collection[str], absent: Collection[str]) -> bool:
    """Tell whether not one file is left of those that the library knows: more likely their disk is not mounted."""
    return bool(absent) and not on_disk


def check_not_emptied(root: Path, changes: LibraryChanges, found_before: int) -> None:
    """Make sure that a music folder without a file never held any: with its disk its wkmp.db is gone, too.

    Parameters
    ----------
    root : Path
        The library root.
    changes : LibraryChanges
        A scan of all of it.
    found_before : int
        Files that were found in it so far, as far as somebody besides the library knows.

    Raises
    ------
    LibraryRootError
        It did hold files.
    """
    if found_before and not (changes.to_import or changes.unchanged):
        raise LibraryRootError(
            f"{root} holds no audio file any more, but {found_before} were found in it before; "
            "check that its disk is mounted. Nothing was changed."
        )
