"""Compare the files on disk with the files the library knows. Pure functions: no disk, no SQL.

The decision table is phase 1 of the import: what to do with a path, given its row and what the file system says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from wkmp_assets.library.walk import FileStat
from wkmp_assets.model.values import FileIdentity, FileState, LibraryChanges


class FileStatus(StrEnum):
    """Values of `files.status`."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    INGEST_COMPLETE = "INGEST COMPLETE"
    DUPLICATE_HASH = "DUPLICATE HASH"
    NO_AUDIO = "NO AUDIO"


FINISHED = frozenset({FileStatus.INGEST_COMPLETE, FileStatus.DUPLICATE_HASH, FileStatus.NO_AUDIO})


@dataclass(frozen=True)
class KnownFile:
    """The part of a `files` row that decides what happens to a file."""

    guid: str
    path: str
    content_hash: str
    status: str
    modified_at: str
    size_bytes: int | None
    original_is_complete: bool = True
    """For a duplicate: whether a file it was matched with is still completely imported."""


def normalise_timestamp(text: str) -> str:
    """Bring either form found in WKMP databases (`YYYY-MM-DD HH:MM:SS` or RFC 3339) to the first, in UTC.

    Text in no known form is returned as it is: it then equals no file's time, so the file is looked at again.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def is_unchanged(known: KnownFile | None, on_disk: FileStat) -> bool:
    """Tell whether a file needs nothing: imported to the end, same size, same time to the second."""
    return (
        known is not None
        and known.status in FINISHED
        and known.size_bytes == on_disk.size_bytes
        and normalise_timestamp(known.modified_at) == on_disk.modified_at
        and (known.status != FileStatus.DUPLICATE_HASH or known.original_is_complete)
    )


def compare_library(on_disk: Mapping[str, FileStat], known: Iterable[KnownFile], *, within: str = "") -> LibraryChanges:
    """Sort the files of a scan into new, changed, unchanged and missing.

    Parameters
    ----------
    on_disk : mapping of str to FileStat
        Relative path -> what the file system says.
    known : iterable of KnownFile
        All rows of the library.
    within : str
        Relative folder that was scanned, `""` for all of the library; rows outside it are not missing.
    """
    rows = {row.path: row for row in known}
    new, changed, unchanged = [], [], []
    for path in sorted(on_disk):
        row = rows.get(path)
        if row is None:
            new.append(path)
        elif is_unchanged(row, on_disk[path]):
            unchanged.append(path)
        else:
            changed.append(path)
    prefix = f"{within}/" if within else ""
    missing = sorted(path for path in rows if path not in on_disk and path.startswith(prefix))
    return LibraryChanges(tuple(new), tuple(changed), tuple(unchanged), tuple(missing))


@dataclass(frozen=True)
class HashedFile:
    """A file that was read, with what the library knows under its path."""

    path: str
    on_disk: FileStat
    content_hash: str
    known: KnownFile | None


def identify_contents(
    files: Sequence[HashedFile],
    same_content: Mapping[str, Sequence[KnownFile]],
    exists: Callable[[str], bool],
    *,
    force: bool = False,
) -> dict[str, FileIdentity]:
    """Decide which of the hashed files are new, changed, touched, moved or duplicates.

    Of several files with the same bytes exactly one stands for all: the one that is imported already, else the one
    with the smallest path. Hashing a whole run before deciding is what keeps two copies from each taking
    the other for the original.

    Parameters
    ----------
    files : sequence of HashedFile
        The files of one run.
    same_content : mapping of str to sequence of KnownFile
        Content hash -> rows of the library with that hash.
    exists : callable
        Tells whether a relative path is on disk.
    force : bool
        Whether a file that the library holds as it is counts as changed. A duplicate stays one.

    Returns
    -------
    dict
        Relative path -> identity.
    """
    identities: dict[str, FileIdentity] = {}
    content_now = {file.path: file.content_hash for file in files}
    stand_in: dict[str, str] = {}
    for file in sorted(files, key=lambda file: file.path):
        originals = [
            row
            for row in sorted(same_content.get(file.content_hash, ()), key=lambda row: row.path)
            if row.path != file.path
            and row.status == FileStatus.INGEST_COMPLETE
            and content_now.get(row.path, row.content_hash) == row.content_hash
        ]
        is_touched = _is_touched(file) and not force
        identity = _identify(file, originals, stand_in.get(file.content_hash), exists, is_touched=is_touched)
        identities[file.path] = identity
        if identity.state is not FileState.DUPLICATE:
            stand_in.setdefault(file.content_hash, file.path)
    return identities


def _identify(
    file: HashedFile,
    originals: Sequence[KnownFile],
    stand_in: str | None,
    exists: Callable[[str], bool],
    *,
    is_touched: bool,
) -> FileIdentity:
    state, moved_from, duplicate_of = FileState.NEW, None, None
    present = [row.path for row in originals if exists(row.path)]
    if is_touched:
        state = FileState.TOUCHED
    elif stand_in is not None or present:
        state, duplicate_of = FileState.DUPLICATE, (present[0] if present else stand_in)
    elif originals and file.known is None:
        state, moved_from = FileState.MOVED, originals[0].path
    elif file.known is not None:
        state = FileState.CHANGED
    return FileIdentity(
        state, file.content_hash, file.on_disk.size_bytes, file.on_disk.modified_at, moved_from, duplicate_of
    )


def _is_touched(file: HashedFile) -> bool:
    """Tell whether a file has the bytes it was imported with (and, for a duplicate, its original still stands)."""
    known = file.known
    return (
        known is not None
        and known.content_hash == file.content_hash
        and known.status in FINISHED
        and (known.status != FileStatus.DUPLICATE_HASH or known.original_is_complete)
    )
