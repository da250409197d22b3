"""Phases 1 and 2: which of the run's files need work, and what each of them is."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from wkmp_assets.errors import AudioFileError, LinkedFileError, UnencodableNameError, UnreadableFileError
from wkmp_assets.library.changes import HashedFile, KnownFile, identify_contents, is_unchanged
from wkmp_assets.library.file_key import is_utf8
from wkmp_assets.library.walk import FileStat, read_stat
from wkmp_assets.model.phases import IDENTITY
from wkmp_assets.model.values import FileIdentity, FileState
from wkmp_assets.outcomes import Failed, Outcome, Result, Skipped, SkipReason


def look_at(root: Path, path: str) -> FileStat:
    """Read what the file system says of one file of the library.

    Raises
    ------
    UnencodableNameError
        Its name is not UTF-8.
    LinkedFileError
        It is reached through a symbolic link: keys can be typed by anyone who reaches the web UI.
    UnreadableFileError
        It is gone or cannot be reached.
    """
    if not is_utf8(path):
        raise UnencodableNameError(path.encode("utf-8", "backslashreplace").decode(), "its name is not valid UTF-8")
    if os.path.realpath(root / path) != os.path.join(os.path.realpath(root), path):  # noqa: PTH118 - once per file
        raise LinkedFileError(path, "it is reached through a symbolic link, which may lead out of the library")
    try:
        return read_stat(root / path)
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read ({error.strerror})") from error


def sort_out_unchanged(
    root: Path, paths: Mapping[str, str], known: Mapping[str, KnownFile], *, force: bool
) -> tuple[dict[str, Outcome[FileIdentity]], dict[str, FileStat]]:
    """Separate the files that need hashing from those whose outcome is clear without.

    Parameters
    ----------
    root : Path
        The library root.
    paths : mapping of str to str
        Partition key -> relative path.
    known : mapping of str to KnownFile
        Relative path -> the library's row.
    force : bool
        Whether unchanged files are imported again too.

    Returns
    -------
    tuple of dict and dict
        Outcomes of the clear ones; file stats of the rest, both by partition key.
    """
    clear: dict[str, Outcome[FileIdentity]] = {}
    to_hash: dict[str, FileStat] = {}
    for key, path in paths.items():
        try:
            on_disk = look_at(root, path)
        except AudioFileError as error:
            clear[key] = Failed(IDENTITY, error.code, str(error))
            continue
        if is_unchanged(known.get(path), on_disk) and not force:
            clear[key] = Skipped(SkipReason.UNCHANGED)
        else:
            to_hash[key] = on_disk
    return clear, to_hash


def identify_hashed(
    hashed: Mapping[str, HashedFile],
    same_content: Mapping[str, Sequence[KnownFile]],
    exists: Callable[[str], bool],
    *,
    force: bool,
) -> dict[str, Outcome[FileIdentity]]:
    """Decide what each hashed file is, by partition key; see `changes.identify_contents`."""
    identities = identify_contents(list(hashed.values()), same_content, exists, force=force)
    return {key: Result(identities[file.path], file.content_hash) for key, file in hashed.items()}


def needing_content(identities: Mapping[str, Outcome[FileIdentity]]) -> dict[str, Outcome[FileIdentity]]:
    """Return the identities as the phases see them that read a file's content: most files need none of them."""
    return {key: _needs_content(outcome) for key, outcome in identities.items()}


def _needs_content(outcome: Outcome[FileIdentity]) -> Outcome[FileIdentity]:
    if not isinstance(outcome, Result):
        return outcome
    state = outcome.value.state
    if state is FileState.DUPLICATE:
        return Skipped(SkipReason.DUPLICATE, f"same content as {outcome.value.duplicate_of}")
    if state in {FileState.TOUCHED, FileState.MOVED}:
        return Skipped(SkipReason.UNCHANGED)
    return outcome
