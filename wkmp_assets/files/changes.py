"""Compare the files on disk with the files in the library: what is new, changed, moved, missing or a duplicate.

These functions touch neither the disk nor the library.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from wkmp_assets.model.copy_ranks import rank_copy
from wkmp_assets.model.file_key import is_within
from wkmp_assets.model.known_files import FileStat, KnownFile
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.statuses import FINISHED, FileStatus
from wkmp_assets.model.timestamps import normalise_timestamp
from wkmp_assets.model.values import FileIdentity, FileState


def is_unchanged(known: KnownFile | None, on_disk: FileStat) -> bool:
    """Tell whether a file is completely imported and has kept its size and its time to the second.

    A file that has failed since is imported again even if it looks the same: it may have been broken and restored.
    """
    return (
        known is not None
        and known.status in FINISHED
        and not known.has_failed
        and known.size_bytes == on_disk.size_bytes
        and (known.modified_at == on_disk.modified_at or normalise_timestamp(known.modified_at) == on_disk.modified_at)
        and (known.status != FileStatus.DUPLICATE_HASH or known.original_is_complete)
    )


def compare_library(
    on_disk: Mapping[str, FileStat],
    known: Iterable[KnownFile],
    *,
    within: str = "",
    unreadable: Sequence[str] = (),
    unseen: Collection[str] = (),
) -> LibraryChanges:
    """Sort the files of a scan into new, changed, unchanged, missing and unknown.

    A duplicate whose originals are all missing counts as changed, because it takes their place.

    Parameters
    ----------
    on_disk : mapping of str to FileStat
        Relative path -> size and time on disk.
    known : iterable of KnownFile
        All rows of the library.
    within : str
        Relative folder that was scanned, `""` for the whole library. Rows outside it are not missing.
    unreadable : sequence of str
        Relative folders that could not be read. What the library has in them is unknown, not missing.
    unseen : collection of str
        Paths that exist where a scan does not look, behind a symbolic link. They are unknown as well.
    """
    rows = {row.path: row for row in known}
    absent = [path for path in rows if path not in on_disk and is_within(path, within)]
    unknown = {path for path in absent if _is_out_of_sight(path, unseen, unreadable)}
    missing = sorted(set(absent) - unknown)
    gone = set(missing)
    standing = {
        row.content_hash for row in rows.values() if row.status == FileStatus.INGEST_COMPLETE and row.path not in gone
    }
    new, changed, unchanged = [], [], []
    for path in sorted(on_disk):
        row = rows.get(path)
        if row is None:
            new.append(path)
        elif is_unchanged(row, on_disk[path]) and not _is_stranded(row, standing):
            unchanged.append(path)
        else:
            changed.append(path)
    return LibraryChanges(
        tuple(new), tuple(changed), tuple(unchanged), tuple(missing), tuple(sorted(unknown)), tuple(unreadable), within
    )


def _is_out_of_sight(path: str, unseen: Collection[str], unreadable: Sequence[str]) -> bool:
    """Tell whether a file that the scan did not find may be on disk."""
    return path in unseen or any(is_within(path, folder) for folder in unreadable)


def _is_stranded(row: KnownFile, standing: Collection[str]) -> bool:
    return row.status == FileStatus.DUPLICATE_HASH and row.content_hash not in standing


@dataclass(frozen=True)
class HashedFile:
    """A file that was hashed, with the library's row under its path."""

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
    content_now: Mapping[str, str] | None = None,
    forced: Collection[str] = (),
) -> dict[str, FileIdentity]:
    """Decide which of the hashed files are new, changed, touched, moved or duplicates.

    Of several files with the same bytes exactly one is the original: the one that is imported already, else the one
    with the best path (`copy_ranks.rank_copy`). The whole run is hashed before this is decided. Otherwise two copies
    could each take the other for the original.

    A row follows its content. A file counts as moved when the library has its bytes under a path that no longer holds
    them: nothing is there now, or another known file (two names were swapped, or one file was moved over another). The
    row that was under the new path is then missing, with its passages and history. New content under a known path, as
    after tagging, belongs to that path's row.

    Parameters
    ----------
    files : sequence of HashedFile
        The files of one run.
    same_content : mapping of str to sequence of KnownFile
        Content hash -> rows of the library with that hash.
    exists : callable
        Returns whether a relative path is on disk.
    force : bool
        Whether a file that the library already holds counts as changed. A duplicate stays a duplicate.
    content_now : mapping of str to str, optional
        Relative path -> present content hash of files outside this run for which the library may be out of date.
    forced : collection of str
        Paths of files that count as changed like those of `force`.

    Returns
    -------
    dict
        Relative path -> identity.
    """
    contents = dict(content_now or {}) | {file.path: file.content_hash for file in files}
    known_content = {
        row.content_hash: row.path
        for rows in same_content.values()
        for row in rows
        if row.status == FileStatus.INGEST_COMPLETE
    }

    def holds(row: KnownFile) -> bool:
        return contents[row.path] == row.content_hash if row.path in contents else exists(row.path)

    def has_lost(row: KnownFile) -> bool:
        """Tell whether the bytes of a row are no longer under its path."""
        now = contents.get(row.path)
        return not exists(row.path) if now is None else now != row.content_hash and now in known_content

    # Once for each content: a folder may hold the same file 20,000 times.
    held: dict[str, list[KnownFile]] = {}
    lost: dict[str, list[KnownFile]] = {}
    for content_hash in dict.fromkeys(file.content_hash for file in files):
        finished = [row for row in same_content.get(content_hash, ()) if row.status in FINISHED]
        finished.sort(key=lambda row: rank_copy(row.path))
        held[content_hash] = [row for row in finished if row.status == FileStatus.INGEST_COMPLETE and holds(row)]
        lost[content_hash] = [row for row in finished if has_lost(row)]

    identities: dict[str, FileIdentity] = {}
    stand_in: dict[str, str] = {}
    taken: set[str] = set()
    for file in sorted(files, key=lambda file: rank_copy(file.path)):
        complete = (row for row in held[file.content_hash] if row.path != file.path and not _comes_first(file, row))
        original = next((row.path for row in complete), stand_in.get(file.content_hash))
        # Of a row under the path of this file, the bytes are there.
        owner = _owner([row for row in lost[file.content_hash] if row.guid not in taken], has_original=bool(original))
        identity = _identify(file, original, owner, force=force or file.path in forced)
        identities[file.path] = identity
        if identity.moved_guid is not None:
            taken.add(identity.moved_guid)
        if original is None:
            stand_in[file.content_hash] = file.path
    return identities


def _comes_first(file: HashedFile, copy: KnownFile) -> bool:
    """Tell whether a file stays although a copy of it is imported as well.

    WKMP may have imported both. The better stays, or each would be taken for a copy of the other.
    """
    known = file.known
    is_imported = known is not None and known.status == FileStatus.INGEST_COMPLETE
    return (
        is_imported
        and known is not None
        and known.content_hash == file.content_hash
        and rank_copy(file.path) < rank_copy(copy.path)
    )


def _owner(lost: Sequence[KnownFile], *, has_original: bool) -> KnownFile | None:
    """Choose the row that a moved file takes over: a copy's row only when an original exists."""
    copies, others = (FileStatus.DUPLICATE_HASH,), (FileStatus.INGEST_COMPLETE, FileStatus.NO_AUDIO)
    return next((row for status in (copies if has_original else others) for row in lost if row.status == status), None)


def _identify(file: HashedFile, original: str | None, owner: KnownFile | None, *, force: bool) -> FileIdentity:
    """Decide what one file is, given its original and the row whose content may have moved here."""
    known, on_disk = file.known, file.on_disk
    found = FileIdentity(FileState.NEW, file.content_hash, on_disk.size_bytes, on_disk.modified_at)
    holds_it = known is not None and known.content_hash == file.content_hash and known.status in FINISHED
    is_copy = known is not None and known.status == FileStatus.DUPLICATE_HASH
    if known is not None and known.content_hash != file.content_hash:
        found = replace(found, replaces=known.content_hash)
    has_failed = known is not None and known.has_failed
    if holds_it and not force and not has_failed and (not is_copy or original is not None):
        return replace(found, state=FileState.TOUCHED)
    if original is not None and (owner is None or known is not None):
        return replace(found, state=FileState.DUPLICATE, duplicate_of=original)
    if owner is not None and (not holds_it or is_copy):
        return replace(found, state=FileState.MOVED, moved_from=owner.path, moved_guid=owner.guid)
    return found if known is None else replace(found, state=FileState.CHANGED)
