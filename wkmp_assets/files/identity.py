"""Phases 1 and 2: which files of a run need work, and what each of them is."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from wkmp_assets.errors import AudioFileError, LinkedFileError, TooLargeError, UnencodableNameError, UnreadableFileError
from wkmp_assets.files.changes import HashedFile, identify_contents, is_unchanged
from wkmp_assets.files.hashing import hash_file, never
from wkmp_assets.files.presence import check_root
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.file_key import is_utf8
from wkmp_assets.model.known_files import FileStat, KnownFile
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.model.phases import IDENTITY
from wkmp_assets.model.statuses import FileStatus
from wkmp_assets.model.values import FileIdentity, FileState

_LARGE_BYTES = 1_000_000_000
"""Larger files come after all others of a run. The others keep their order, so that long ones do not end last."""


def look_at(root: Path, path: str) -> FileStat:
    """Read size and time of one file in the music folder.

    Raises
    ------
    UnencodableNameError
        Its name is not UTF-8.
    LinkedFileError
        It is reached through a symbolic link. Anyone who reaches the web UI can type such a key.
    UnreadableFileError
        It does not exist or cannot be read.
    """
    if not is_utf8(path):
        raise UnencodableNameError(path.encode("utf-8", "backslashreplace").decode(), "its name is not valid UTF-8")
    if _is_behind_a_link(root, path):
        raise LinkedFileError(path, "it is reached through a symbolic link, which may lead out of the music folder")
    try:
        return read_stat(root / path)
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read ({error.strerror})") from error


def _is_behind_a_link(root: Path, path: str) -> bool:
    """Tell whether a path below the music folder is not what it says: a link, or a way out of the folder."""
    place = str(root)
    for name in path.split("/"):
        place = f"{place}/{name}"
        if name in {"", ".", ".."} or os.path.islink(place):  # noqa: PTH114 - a few per file, without a Path for each
            return True
    return False


def sort_out_unchanged(
    root: Path,
    paths: Mapping[str, str],
    known: Mapping[str, KnownFile],
    has_original: Callable[[KnownFile], bool],
    *,
    force: bool,
    again: Collection[str] = (),
    is_ignored: Callable[[str], bool] = lambda _path: False,
    max_bytes: int | None = None,
) -> tuple[dict[str, Outcome[FileIdentity]], dict[str, FileStat]]:
    """Separate the files that must be hashed from those whose outcome is known without.

    Parameters
    ----------
    root : Path
        The library root.
    paths : mapping of str to str
        Partition key -> relative path.
    known : mapping of str to KnownFile
        Relative path -> the library's row.
    has_original : callable
        Returns for a duplicate's row whether one of its originals is still on disk.
    force : bool
        Whether unchanged files are imported again.
    again : collection of str
        Partition keys of files that are hashed although they may be unchanged.
    is_ignored : callable
        Returns for a relative path whether a scan passes over it. It may still have its partition.
    max_bytes : int, optional
        The largest file that is hashed. Default: any.

    Returns
    -------
    tuple of dict and dict
        Known outcomes, and size and time of the files to hash, both by partition key. Very large files come last.

    Raises
    ------
    LibraryRootError
        Files are gone, and the music folder is empty: its disk is probably not mounted.
    """
    clear: dict[str, Outcome[FileIdentity]] = {}
    to_hash: dict[str, FileStat] = {}
    for key, path in paths.items():
        if is_ignored(path):
            clear[key] = Skipped(SkipReason.IGNORED)
            continue
        try:
            on_disk = look_at(root, path)
            check_size(path, on_disk.size_bytes, max_bytes)
        except AudioFileError as error:
            clear[key] = _not_looked_at(error)
            continue
        row = known.get(path)
        is_stranded = row is not None and row.status == FileStatus.DUPLICATE_HASH and not has_original(row)
        if is_unchanged(row, on_disk) and not is_stranded and not force and key not in again:
            clear[key] = Skipped(SkipReason.UNCHANGED)
        else:
            to_hash[key] = on_disk
    if Skipped(SkipReason.GONE) in clear.values():
        check_root(root)
    return clear, dict(sorted(to_hash.items(), key=lambda one: one[1].size_bytes > _LARGE_BYTES))


def check_size(path: str, size_bytes: int, max_bytes: int | None) -> None:
    """Check that a file is not larger than the settings allow.

    Raises
    ------
    TooLargeError
        It is. The message has both sizes.
    """
    if max_bytes is not None and size_bytes > max_bytes:
        raise TooLargeError(path, f"it has {size_bytes / 1e6:,.0f} MB, and {max_bytes / 1e6:,.0f} MB are allowed")


def _not_looked_at(error: AudioFileError) -> Skipped | Failed:
    """Return the outcome of an unreadable file. One that was deleted since it got its partition is no failure."""
    if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
        return Skipped(SkipReason.GONE)
    return Failed(IDENTITY, error.code, str(error))


def hash_doubtful(
    root: Path,
    hashed: Mapping[str, HashedFile],
    same_content: Mapping[str, Sequence[KnownFile]],
    *,
    max_bytes: int | None = None,
    is_stopping: Callable[[], bool] = never,
    open_music: Callable[[str], AbstractContextManager[Path]] | None = None,
) -> dict[str, str]:
    """Hash the originals outside this run that have changed on disk since they were imported.

    Otherwise a file could be taken for the copy of an original whose content is gone. `open_music` takes a relative
    path, and has the file on this machine for the block; without it, the file is below the root.

    Returns
    -------
    dict
        Relative path -> present content hash, without files that cannot be read.

    Raises
    ------
    HashingStoppedError
        `is_stopping` says so.
    """
    in_run = {file.path for file in hashed.values()}
    contents: dict[str, str] = {}
    for row in (row for rows in same_content.values() for row in rows):
        if row.path in in_run or row.status != FileStatus.INGEST_COMPLETE:
            continue
        try:
            on_disk = look_at(root, row.path)
            check_size(row.path, on_disk.size_bytes, max_bytes)
            if not is_unchanged(row, on_disk):
                with open_music(row.path) if open_music else nullcontext(root / row.path) as file:
                    contents[row.path] = hash_file(file, row.path, is_stopping)
        except AudioFileError:  # missing or unreadable: what the library says of it counts
            continue
    return contents


def identify_hashed(
    hashed: Mapping[str, HashedFile],
    same_content: Mapping[str, Sequence[KnownFile]],
    exists: Callable[[str], bool],
    *,
    force: bool,
    content_now: Mapping[str, str],
    forced: Collection[str] = (),
) -> dict[str, Outcome[FileIdentity]]:
    """Decide what each hashed file is, by partition key: see `changes.identify_contents`."""
    files = list(hashed.values())
    identities = identify_contents(files, same_content, exists, force=force, content_now=content_now, forced=forced)
    return {key: Result(identities[file.path], file.content_hash) for key, file in hashed.items()}


def without_known_content(
    identities: Mapping[str, Outcome[FileIdentity]], *, is_judged_now: bool
) -> dict[str, Outcome[FileIdentity]]:
    """Return the identities for the phases that read content: files whose content the library has are skipped.

    Parameters
    ----------
    identities : mapping of str to Outcome
        By partition key.
    is_judged_now : bool
        Whether the identities are of this import. The state of an earlier one says that its phases skipped the file,
        and not that these phases should.
    """
    return {key: _needs_content(outcome, is_judged_now=is_judged_now) for key, outcome in identities.items()}


def _needs_content(outcome: Outcome[FileIdentity], *, is_judged_now: bool) -> Outcome[FileIdentity]:
    if not isinstance(outcome, Result):
        return outcome
    state = outcome.value.state
    if state is FileState.DUPLICATE:
        return Skipped(SkipReason.DUPLICATE, f"same content as {outcome.value.duplicate_of}")
    if is_judged_now and state in {FileState.TOUCHED, FileState.MOVED}:
        return Skipped(SkipReason.UNCHANGED)
    return outcome
