"""Scan the music folder and compare it with the library."""

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.changes import compare_library
from wkmp_assets.files.ignore import IGNORE_FILE, IgnoreMatch, IgnoreRules
from wkmp_assets.files.presence import is_on_disk
from wkmp_assets.files.walk import WalkReport, find_audio_files
from wkmp_assets.model.audio_formats import UNREAD_ENDINGS
from wkmp_assets.model.file_key import is_within
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.library_changes import LibraryChanges


def scan_folder(
    root: Path, folder: str, known: Sequence[KnownFile], rules: IgnoreRules | None = None
) -> tuple[LibraryChanges, WalkReport]:
    """Find the audio files in a folder and compare them with the library.

    A file of the library that a pattern passes over counts as missing, so that a copy elsewhere takes its place.

    Parameters
    ----------
    root : Path
        The library root.
    folder : str
        Relative to the root; `""` for the whole library.
    known : sequence of KnownFile
        Every file in the library.
    rules : IgnoreRules, optional
        What to pass over. Default: the built-in names and every `.wkmpignore`.

    Returns
    -------
    tuple of LibraryChanges and WalkReport
        Relative paths by what they need, and what else the walk saw.

    Raises
    ------
    LibraryRootError
        The folder lies outside the music folder or behind a link, is passed over, or cannot be read. Or it is empty
        although the library knows files in it, which is more likely an unplugged disk than a deleted collection.
    """
    within = os.path.normpath(folder) if folder else ""
    if Path(within).parts[:1] == ("..",) or os.path.isabs(within):  # noqa: PTH117 - text, not a path on disk
        raise LibraryRootError(f"the folder to scan {_not_inside(root)}")
    within = "" if within == "." else within
    if within and not os.path.isdir(root / within):  # noqa: PTH112 - a folder that may not be entered is none
        # Without its text, which is no path and may be anything that was typed or passed by mistake.
        raise LibraryRootError(f"the folder to scan does not exist or {_not_inside(root)}")
    if (root / within).resolve() != root.resolve() / within:
        raise LibraryRootError(
            f"{root / within} is reached through a symbolic link, which a scan does not follow; name the folder that "
            "the link leads to, if it lies in the music folder"
        )
    rules = rules or IgnoreRules(root)
    match = rules.find_folder(within)
    if match is not None:
        raise LibraryRootError(
            f"{root / within} is passed over, because it matches {match.pattern!r}{_written_in(match)}; to import it, "
            f"write a pattern with ! into {root / IGNORE_FILE}"
        )
    report = WalkReport()
    on_disk = dict(find_audio_files(root, root / within, report, rules))
    report.found = on_disk
    absent = [row.path for row in known if row.path not in on_disk and is_within(row.path, within)]
    if _looks_unmounted(on_disk, absent):
        raise LibraryRootError(
            f"{root / within} holds no audio file any more, but the library knows {len(absent)} in it; "
            f"check that its disk is mounted{_or_patterns(report)}. Nothing was changed."
        )
    there = [path for path in absent if is_on_disk(root, path)]
    ignored = frozenset(path for path in there if rules.find(path) is not None)
    unreadable = tuple(report.unreadable_folders)
    unseen = frozenset(there) - ignored
    changes = compare_library(on_disk, known, within=within, unreadable=unreadable, unseen=unseen)
    passed_over = tuple(f"{path}: {reason}" for path, reason in sorted(report.passed_over.items()))
    return replace(
        changes,
        passed_over=passed_over,
        patterns=report.list_patterns(),
        ignored=tuple(sorted(ignored.intersection(changes.missing))),
        unread_formats={
            ending: count for ending, count in report.ignored_by_extension.items() if ending in UNREAD_ENDINGS
        },
    ), report


def _not_inside(root: Path) -> str:
    return f"is not a folder inside the music folder {root}; name a folder in it, such as Artist/Album"


def _written_in(match: IgnoreMatch) -> str:
    return f" of {match.source}" if match.source else ", a name that systems give to folders beside music"


def _or_patterns(report: WalkReport) -> str:
    own = sorted({match.source for match in report.by_pattern if match.source})
    return f", and that the patterns of {' and '.join(own)} do not match everything" if own else ""


def _looks_unmounted(on_disk: Collection[str], absent: Collection[str]) -> bool:
    """Tell whether all known files are missing and no other is there: the disk is probably not mounted."""
    return bool(absent) and not on_disk


def check_not_emptied(root: Path, changes: LibraryChanges, found_before: int) -> None:
    """Check that a music folder without audio files never held any.

    The library cannot tell: `wkmp.db` is missing as well when the disk is not mounted.

    Parameters
    ----------
    root : Path
        The library root.
    changes : LibraryChanges
        A scan of the whole folder.
    found_before : int
        Number of files found in it earlier, from a source other than the library.

    Raises
    ------
    LibraryRootError
        It held files earlier.
    """
    if found_before and not (changes.to_import or changes.unchanged):
        raise LibraryRootError(
            f"{root} holds no audio file any more, but {found_before} were found in it before; "
            "check that its disk is mounted. Nothing was changed."
        )
