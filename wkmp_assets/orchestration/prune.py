"""Remove missing files from the library on request: plan, remove, clean up.

A file is removed only if a new scan does not find it and no file on disk waits for import. A moved file must be
imported first, or its passages and play history would be lost with its old path.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from dagster import DagsterInstance

from wkmp_assets.db.commit import remove_file
from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.db.read.found_library import check_found_library
from wkmp_assets.db.read.images import read_image_paths
from wkmp_assets.db.read.known_files import read_known_by_hash, read_known_files
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.db.read.removal import Removable, read_removable
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import LibraryChangedError, NotImportedError
from wkmp_assets.files.presence import check_root, is_emptied
from wkmp_assets.files.scan import check_not_emptied
from wkmp_assets.model.batch import Receipt
from wkmp_assets.model.file_key import decode_key, encode_key, is_within, storable
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.phases import TAGS
from wkmp_assets.model.timestamps import format_seconds, format_timestamp, normalise_timestamp
from wkmp_assets.orchestration.found_library import use_library
from wkmp_assets.orchestration.gone_files import find_gone, find_partitions_in_use
from wkmp_assets.orchestration.instance.dagster_api import delete_partitions, find_unfinished_runs, is_running
from wkmp_assets.orchestration.music_objects import scan_library
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.resources import Library, ignore_rules
from wkmp_assets.orchestration.run_tags import is_of_library
from wkmp_assets.runtime.claims import read_claimed_keys
from wkmp_assets.settings import Settings


@dataclass(frozen=True)
class PruneOptions:
    """Files to remove that a prune keeps by default."""

    with_history: bool = False
    """Files that play history, queue or timeslots refer to, with those rows."""
    emptied: bool = False
    """Files whose folder exists but is empty."""
    unreadable: bool = False
    """Files that may lie in a folder that cannot be read."""


@dataclass(frozen=True)
class PrunePlan:
    """The files that a prune removes, and those that it keeps."""

    scan: LibraryChanges
    """A scan of the whole library."""
    folder: str
    """The folder to prune, relative to the root; `""` for the whole library."""
    removable: tuple[Removable, ...]
    referenced: tuple[Removable, ...] = ()
    """Kept, because play history, queue or timeslots refer to them."""
    emptied: tuple[Removable, ...] = ()
    """Kept, because their folder is empty, like the mount point of an unplugged disk."""
    hidden: tuple[Removable, ...] = ()
    """Kept, because they may have been moved into a folder that cannot be read."""


@dataclass(frozen=True)
class PruneResult:
    """The result for one file."""

    file: Removable
    receipt: Receipt | None
    """None when the file stays."""
    reason: str = ""
    """Why the file stays."""


@dataclass(frozen=True)
class CleanUp:
    """What was dropped outside the library."""

    partition_count: int = 0
    value_count: int = 0
    """Stored phase values."""
    cover_count: int = 0
    is_postponed: bool = False
    """Whether partitions stay until the next prune, because a run waits or is under way."""


def plan_prune(settings: Settings, folder: str, options: PruneOptions) -> PrunePlan:
    """Scan the disk and plan which files to remove, without changing anything.

    Parameters
    ----------
    settings : Settings
        Of the library.
    folder : str
        The folder to prune, relative to the root; `""` for the whole library.
    options : PruneOptions
        Files to remove that are kept by default.

    Raises
    ------
    LibraryRootError
        The music folder cannot be read, or no longer holds audio files.
    NotImportedError
        Files on disk wait for their import.
    """
    check_root(settings.library)
    check_found_library(settings.database_path, settings.trusted)
    known = read_known_files(settings.database_path)
    scan, _ = scan_library(settings, "", known, ignore_rules(settings))
    waiting = _find_waiting(settings, scan)
    missing = [path for path in scan.missing if is_within(path, folder)]
    if missing and waiting:
        raise NotImportedError([storable(path) for path in waiting])
    files = read_removable(settings.database_path, missing)
    groups: dict[str, list[Removable]] = {"removable": [], "referenced": [], "emptied": [], "hidden": []}
    for file in files:
        if _may_be_hidden(scan) and not options.unreadable:
            groups["hidden"].append(file)
        elif not options.emptied and is_emptied(settings.library, file.file.path):
            groups["emptied"].append(file)
        else:
            groups["referenced" if file.references and not options.with_history else "removable"].append(file)
    return PrunePlan(scan, folder, **{name: tuple(group) for name, group in groups.items()})


def _find_waiting(settings: Settings, scan: LibraryChanges) -> list[str]:
    """Return the files that wait for import: any of them may be a missing file that was moved."""
    failed = {failure.path: failure.failed_at for failure in read_failures(settings.database_path)}
    return [
        path
        for path in scan.to_import
        if not _is_unchanged_failure(settings.library / path, failed.get(storable(path)))
    ]


def _may_be_hidden(scan: LibraryChanges) -> bool:
    """Tell whether missing files may lie in an unreadable folder."""
    return bool(scan.unreadable)


def _is_unchanged_failure(file: Path, failed_at: str | None) -> bool:
    """Tell whether a file failed and has not changed since, so that another import would fail again.

    Judged by `st_ctime`, which a rename sets as well: a good file may have been moved over a broken one.
    """
    if failed_at is None:
        return False
    try:
        changed = int(file.stat().st_ctime)
    except OSError:
        return False
    return format_seconds(changed) <= normalise_timestamp(failed_at)


def remove_files(settings: Settings, plan: PrunePlan, now: datetime, *, with_history: bool) -> Iterator[PruneResult]:
    """Remove the files of a plan, each in its own transaction, and yield the result for each.

    Parameters
    ----------
    settings : Settings
        Of the library.
    plan : PrunePlan
        A recent plan. Files that have changed since then stay.
    now : datetime
        With its time zone.
    with_history : bool
        Whether to remove rows that refer to the files, as planned.

    Raises
    ------
    LibraryRootError
        The disk has been unmounted.
    LibraryLockedError, LibraryDiskError, UnwritableLibraryError
        The files yielded before are removed, the others are not.
    """
    if not plan.removable:
        return
    use_library(settings)  # notes the first use before there is any state of the library
    time = format_timestamp(now)
    library = Library(settings)
    locks = read_library_settings(settings.database_path).locks
    with LibraryWriter(settings.database_path, locks) as writer:
        for file in plan.removable:
            check_root(settings.library)
            if library.has_file(file.file.path):
                yield PruneResult(file, None, "it is on disk again")
                continue
            try:
                receipt = remove_file(writer, file.file.path, time, with_references=with_history)
                yield PruneResult(file, receipt)
            except LibraryChangedError as error:
                yield PruneResult(file, None, str(error))


def clean_up(settings: Settings, instance: DagsterInstance, plan: PrunePlan, pruned: Sequence[PruneResult]) -> CleanUp:
    """Drop the partitions, phase values, pictures and decoded PCM of files that are neither on disk nor in the library.

    Covers go when nothing uses them. Files that were moved, or that failed and were deleted, are among the files.
    Dagster keeps the records of their runs: a file that comes back has its partition again, with its history.

    Raises
    ------
    LibraryRootError
        Dagster has partitions and there are no files: the disk may not be mounted.
    """
    registered = instance.get_dynamic_partitions(partitions_name(settings))
    check_not_emptied(settings.library, plan.scan, len(registered))
    gone = [one.file.file.hash for one in pruned if one.receipt is not None]
    still_there = read_known_by_hash(settings.database_path, gone)
    library = Library(settings)
    for content_hash in gone:
        if content_hash not in still_there:
            library.pcm.forget(content_hash)
    stale = _stale_keys(library, registered, plan)
    if _is_busy(settings, instance, registered, stale):
        # The ends of a pending range run must stay registered, and a running import reads its values.
        return CleanUp(is_postponed=bool(stale))
    delete_partitions(instance, partitions_name(settings), stale)
    values = _forget_values(settings, library, {*registered} - {*stale}, plan.scan)
    return CleanUp(len(stale), values, _sweep_covers(settings, library))


def _stale_keys(library: Library, registered: Sequence[str], plan: PrunePlan) -> list[str]:
    in_library = {encode_key(file.path) for file in read_known_files(library.database)}
    gone = find_gone(library, registered, plan.scan)
    return [key for key in gone if key not in in_library and is_within(decode_key(key), plan.folder)]


def _forget_values(settings: Settings, library: Library, registered: set[str], scan: LibraryChanges) -> int:
    """Delete the values and pictures of files that are neither on disk nor in the library; return the number of values.

    Earlier scans have dropped the partitions of most of them. Nothing is deleted while a folder cannot be read, because
    files in it may be on disk.
    """
    if scan.unreadable:
        return 0
    on_disk = map(encode_key, (*scan.new, *scan.changed, *scan.unchanged, *scan.unknown))
    in_library = (encode_key(file.path) for file in read_known_files(settings.database_path))
    keep = registered.union(on_disk, in_library)
    pictures = {settings.picture_path(key) for key in keep}
    for picture in settings.pictures_dir.glob("*.png"):
        if picture not in pictures:
            picture.unlink(missing_ok=True)
    return library.phases.keep_only(keep)


def _sweep_covers(settings: Settings, library: Library) -> int:
    """Delete the covers that neither the library nor a stored value names; return their number.

    Without its database, nothing tells which covers are used: its disk may not be mounted.
    """
    named = read_image_paths(settings.database_path)
    if named is None:
        return 0
    return library.covers.sweep({Path(path).stem for path in named} | library.phases.find_hashes(TAGS))


def _is_busy(settings: Settings, instance: DagsterInstance, registered: Sequence[str], stale: Sequence[str]) -> bool:
    """Tell whether an import has claimed files, a run of the library waits or runs, or a backfill names a partition."""
    unfinished = (run for run in find_unfinished_runs(instance) if is_of_library(run, settings))
    if read_claimed_keys(settings.claims_dir, partial(is_running, instance)) or any(unfinished):
        return True
    return not find_partitions_in_use(settings, instance, registered).isdisjoint(stale)
