"""Find the audio files below a folder by their names, without opening them."""

import errno
import os
import stat as stat_module
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.foreign_names import HIDDEN, find_foreign_file
from wkmp_assets.files.ignore import IGNORE_FILE, IgnoreMatch, IgnoreRules
from wkmp_assets.model.audio_formats import AUDIO_ENDINGS
from wkmp_assets.model.known_files import FileStat
from wkmp_assets.model.library_changes import PassedOver
from wkmp_assets.model.timestamps import format_seconds


@dataclass
class WalkReport:
    """What a walk saw, besides the files it yielded."""

    ignored_by_extension: dict[str, int] = field(default_factory=dict)
    unreadable_folders: list[str] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)
    """Folders, and files named like music, that were not followed or read: relative path -> reason."""
    by_pattern: dict[IgnoreMatch, list[int]] = field(default_factory=dict)
    """Pattern -> number of folders and of files that it matched. Hidden files count if they are named like music."""
    found: Mapping[str, FileStat] = field(default_factory=dict)
    """The audio files: relative path -> size and time. Filled by a scan."""

    def list_patterns(self) -> tuple[PassedOver, ...]:
        """Return the counts of all patterns, the most frequent first."""
        counts = [PassedOver(match.pattern, match.source, *count) for match, count in self.by_pattern.items()]
        return tuple(sorted(counts, key=lambda one: (-one.folder_count - one.file_count, one.source, one.pattern)))


def read_stat(path: Path) -> FileStat:
    """Read size and modification time of one file.

    Raises
    ------
    OSError
        The file does not exist, cannot be read, or is not a regular file.
    """
    status = path.stat()
    if not stat_module.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return _to_file_stat(status)


def find_audio_files(
    root: Path, folder: Path, report: WalkReport, rules: IgnoreRules | None = None
) -> Iterator[tuple[str, FileStat]]:
    """Yield every audio file below a folder, in sorted order.

    Names that a pattern matches are passed over. Symbolic links are not followed: they could lead out of the library or
    in circles.

    Parameters
    ----------
    root : Path
        The library root; paths are relative to it.
    folder : Path
        `root` or a folder below it: where to look.
    report : WalkReport
        Filled during the walk.
    rules : IgnoreRules, optional
        What to pass over. Default: the built-in names and every `.wkmpignore`.

    Yields
    ------
    tuple of str and FileStat
        Relative path with `/` separators, and size and time.

    Raises
    ------
    LibraryRootError
        The folder cannot be read: an unplugged disk must not look like an empty library.
    """
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise LibraryRootError(
            f"cannot read the music folder {folder} ({error.strerror}); check the path and that the disk is mounted"
        ) from error
    rules = rules or IgnoreRules(root)
    yield from _walk(os.path.abspath(root), os.path.abspath(folder), report, rules)  # noqa: PTH100 - absolute() keeps `..`
    report.passed_over |= rules.problems


def list_audio_names(folder: Path) -> list[str]:
    """Return the sorted names of the audio files directly in a folder; none when it cannot be read."""
    try:
        with os.scandir(folder) as scan:
            return sorted(entry.name for entry in scan if _is_visible(entry) and _extension(entry) in AUDIO_ENDINGS)
    except OSError:
        return []


def _walk(root: str, folder: str, report: WalkReport, rules: IgnoreRules) -> Iterator[tuple[str, FileStat]]:
    """Walk a tree depth first, with a stack: folders may be nested deeper than Python's call limit."""
    above = len(os.path.join(root, ""))  # noqa: PTH118 - the length of its text, with the separator
    start = folder[above:]
    stack = [(iter(_entries(root, start, report)), rules.of_folder(start))]
    while stack:
        entries, inside = stack[-1]
        entry = next(entries, None)
        if entry is None:
            stack.pop()
            continue
        # Not relpath(): it took a quarter of a scan.
        path = entry.path[above:]
        is_folder = entry.is_dir(follow_symlinks=False)
        match = None
        if is_folder or inside.lists or entry.name.startswith("."):  # of most files this says all
            match = inside.find(path, entry.name, is_folder=is_folder)
        if match is not None:
            _count_match(report, match, entry, is_folder=is_folder)
        elif entry.is_symlink():
            if _extension(entry) in AUDIO_ENDINGS or _is_folder(entry):
                report.passed_over[path] = "a symbolic link, which a scan does not follow"
        elif is_folder:
            listed = _entries(root, path, report)
            has_patterns = any(one.name == IGNORE_FILE for one in listed)
            stack.append((iter(listed), rules.below(inside, path) if has_patterns else inside))
        elif (status := _stat_of_audio(root, entry, report)) is not None:
            if stat_module.S_ISREG(status.st_mode):
                yield path, _to_file_stat(status)
            else:
                report.passed_over[path] = "a pipe, a socket or a device, and not a file"


def _entries(root: str, folder: str, report: WalkReport) -> list[os.DirEntry[str]]:
    path = os.path.join(root, folder)  # noqa: PTH118 - text, as all of this
    try:
        with os.scandir(path) as scan:
            return sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        _add_unreadable(report, root, path, error)
        return []


def _count_match(report: WalkReport, match: IgnoreMatch, entry: os.DirEntry[str], *, is_folder: bool) -> None:
    """Count a name that was passed over, but no hidden file that has nothing to do with music."""
    if is_folder or match.source or match.pattern != HIDDEN or _extension(entry) in AUDIO_ENDINGS:
        report.by_pattern.setdefault(match, [0, 0])[0 if is_folder else 1] += 1


def _stat_of_audio(root: str, entry: os.DirEntry[str], report: WalkReport) -> os.stat_result | None:
    """Return the status of a file named like music; count all others and return None."""
    extension = _extension(entry)
    if extension not in AUDIO_ENDINGS:
        report.ignored_by_extension[extension] = report.ignored_by_extension.get(extension, 0) + 1
        return None
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # deleted between listing and looking
        return None
    except OSError as error:  # a folder that may be listed but not searched, or a disk that fails
        _add_unreadable(report, root, os.path.dirname(entry.path), error)  # noqa: PTH120 - text, as all of this
        return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _add_unreadable(report: WalkReport, root: str, folder: str, error: OSError) -> None:
    path = os.path.relpath(folder, root)
    if path not in report.passed_over:
        report.unreadable_folders.append(path)
        report.passed_over[path] = f"the folder cannot be read ({error.strerror})"


def _to_file_stat(status: os.stat_result) -> FileStat:
    return FileStat(status.st_size, format_seconds(int(status.st_mtime)))


def _extension(entry: os.DirEntry[str]) -> str:
    return os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - one per file of a large library


def _is_visible(entry: os.DirEntry[str]) -> bool:
    return find_foreign_file(entry.name) is None and not entry.is_symlink()
