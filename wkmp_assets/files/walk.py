"""Find the audio files below a folder by their names, without opening them."""

import errno
import os
import stat as stat_module
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.model.known_files import FileStat
from wkmp_assets.model.timestamps import format_seconds

AUDIO_EXTENSIONS = frozenset(
    [
        ".mp3",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".m4a",
        ".mp4",
        ".m4b",
        ".aac",
        ".wav",
        ".wave",
        ".aif",
        ".aiff",
        ".aifc",
        ".wv",
        ".ape",
        ".wma",
        ".mpc",
        ".tta",
        ".caf",
        ".mka",
    ]
)
"""Extensions of the files to import. The decoder finds out whether a file really holds audio: a text file called `.mp3`
must be reported by name, and not be ignored."""

IGNORED_FOLDERS = frozenset({".git", ".svn", "node_modules", "__MACOSX", "lost+found"})


@dataclass
class WalkReport:
    """What a walk saw, besides the files it yielded."""

    ignored_by_extension: dict[str, int] = field(default_factory=dict)
    unreadable_folders: list[str] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)
    """Folders, and files named like music, that were not followed or read: relative path -> reason."""
    found: Mapping[str, FileStat] = field(default_factory=dict)
    """The audio files: relative path -> size and time. Filled by a scan."""


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


def find_audio_files(root: Path, folder: Path, report: WalkReport) -> Iterator[tuple[str, FileStat]]:
    """Yield every audio file below a folder, in sorted order.

    Hidden names are skipped. Symbolic links are not followed: they could lead out of the library or in circles.

    Parameters
    ----------
    root : Path
        The library root; paths are relative to it.
    folder : Path
        `root` or a folder below it: where to look.
    report : WalkReport
        Filled during the walk.

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
    yield from _walk(os.path.abspath(root), os.path.abspath(folder), report)  # noqa: PTH100 - absolute() keeps `..`


def list_audio_names(folder: Path) -> list[str]:
    """Return the sorted names of the audio files directly in a folder; none when it cannot be read."""
    try:
        with os.scandir(folder) as scan:
            return sorted(entry.name for entry in scan if _is_visible(entry) and _extension(entry) in AUDIO_EXTENSIONS)
    except OSError:
        return []


def _walk(root: str, folder: str, report: WalkReport) -> Iterator[tuple[str, FileStat]]:
    """Walk a tree depth first, with a stack: folders may be nested deeper than Python's call limit."""
    above = len(os.path.join(root, ""))  # noqa: PTH118 - the length of its text, with the separator
    stack = [iter(_entries(root, folder, report))]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
        elif _is_hidden(entry.name):
            continue
        elif entry.is_symlink():
            if _extension(entry) in AUDIO_EXTENSIONS or _is_folder(entry):
                report.passed_over[entry.path[above:]] = "a symbolic link, which a scan does not follow"
        elif entry.is_dir(follow_symlinks=False):
            if entry.name not in IGNORED_FOLDERS:
                stack.append(iter(_entries(root, entry.path, report)))
        elif (status := _stat_of_audio(root, entry, report)) is not None:
            # Not relpath(): it took a quarter of a scan.
            path = entry.path[above:]
            if stat_module.S_ISREG(status.st_mode):
                yield path, _to_file_stat(status)
            else:
                report.passed_over[path] = "a pipe, a socket or a device, and not a file"


def _entries(root: str, folder: str, report: WalkReport) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as scan:
            return sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        _add_unreadable(report, root, folder, error)
        return []


def _stat_of_audio(root: str, entry: os.DirEntry[str], report: WalkReport) -> os.stat_result | None:
    """Return the status of a file named like music; count all others and return None."""
    extension = _extension(entry)
    if extension not in AUDIO_EXTENSIONS:
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
    return not _is_hidden(entry.name) and not entry.is_symlink()


def _is_hidden(name: str) -> bool:
    """Tell whether a leading dot hides a name. A leading ellipsis (`...And Oceans`) belongs to a title."""
    return name.startswith(".") and not name.startswith("..")
