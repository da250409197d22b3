"""Scanning: what is on disk, compared with what the library knows."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.library.changes import KnownFile, compare_library
from wkmp_assets.library.walk import WalkReport, find_audio_files
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
    changes = compare_library(on_disk, known, within=within)
    passed_over = tuple(f"{path}: {reason}" for path, reason in sorted(report.passed_over.items()))
    if not on_disk and changes.missing:
        raise LibraryRootError(
            f"{root / within} holds no audio file any more, but the library knows {len(changes.missing)} in it; "
            "check that its disk is mounted. Nothing was changed."
        )
    return replace(changes, passed_over=passed_over), report
