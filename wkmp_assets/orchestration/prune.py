"""Remove missing files from the library, when asked to: decide what goes, remove it, tidy up after it.

Only what a fresh look at the disk does not find can go, and only when nothing on disk waits for its import: a file that
was moved must first be recognised, or its passages and play history would go with its old path.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dagster import DagsterInstance

from wkmp_assets.db.commit import remove_file
from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.db.read.known_files import read_known_by_hash, read_known_files
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.db.read.removal import Removable, read_removable
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import LibraryChangedError, NotImportedError
from wkmp_assets.files.presence import check_root, is_emptied, is_on_disk
from wkmp_assets.files.scan import check_not_emptied, scan_folder
from wkmp_assets.model.batch import Receipt
from wkmp_assets.model.file_key import decode_key, is_within, storable, storable_path
from wkmp_assets.model.timestamps import format_timestamp, normalise_timestamp
from wkmp_assets.model.values import LibraryChanges
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.orchestration.run_requests.look import waiting_runs
from wkmp_assets.runtime.claims import read_claimed_keys
from wkmp_assets.settings import Settings


@dataclass(frozen=True)
class AlsoGoes:
    """What a person lets go that would be kept otherwise."""

    with_history: bool = False
    """Files that play history, queue or timeslots refer to."""
    emptied: bool = False
    """Files whose folder is there but holds nothing."""
    unreadable: bool = False
    """Files that may have been moved into a folder that cannot be read."""


@dataclass(frozen=True)
class PrunePlan:
    """What a prune would do."""

    scan: LibraryChanges
    """Of the whole library."""
    folder: str
    """What the prune is about, relative to the root; `""` for everything."""
    removable: tuple[Removable, ...]
    referenced: tuple[Removable, ...] = ()
    """Kept: play history, queue or timeslots refer to them."""
    emptied: tuple[Removable, ...] = ()
    """Kept: the folder they were in is there, but empty, as the mount point of a disk would be."""
    hidden: tuple[Removable, ...] = ()
    """Kept: there are folders that cannot be read, and they may have been moved into one."""


@dataclass(frozen=True)
class Pruned:
    """What became of one file."""

    file: Removable
    receipt: Receipt | None
    """None when it stays after all."""
    reason: str = ""
    """Why it stays."""


@dataclass(frozen=True)
class Tidied:
    """What was left of files that are gone, besides the library."""

    partitions: int = 0
    documents: int = 0
    waits: bool = False
    """Whether partitions stay for now, because an import is running."""


def plan_prune(settings: Settings, folder: str, also: AlsoGoes) -> PrunePlan:
    """Look at the disk and decide what would go; changes nothing.

    Parameters
    ----------
    settings : Settings
        Of the library.
    folder : str
        Which files it is about, relative to the root; `""` for all.
    also : AlsoGoes
        What goes that would be kept otherwise.

    Raises
    ------
    LibraryRootError
        The music folder cannot be read, or holds no audio file any more.
    NotImportedError
        Files on disk are not imported yet.
    """
    check_root(settings.library)
    scan, _ = scan_folder(settings.library, "", read_known_files(settings.database_path))
    waiting = _waiting(settings, scan)
    missing = [path for path in scan.missing if is_within(path, folder)]
    if missing and waiting:
        raise NotImportedError([storable(path) for path in waiting])
    files = read_removable(settings.database_path, missing)
    groups: dict[str, list[Removable]] = {"removable": [], "referenced": [], "emptied": [], "hidden": []}
    for file in files:
        if _may_be_hidden(scan) and not also.unreadable:
            groups["hidden"].append(file)
        elif not also.emptied and is_emptied(settings.library, file.file.path):
            groups["emptied"].append(file)
        else:
            groups["referenced" if file.references and not also.with_history else "removable"].append(file)
    return PrunePlan(scan, folder, **{name: tuple(group) for name, group in groups.items()})


def _waiting(settings: Settings, scan: LibraryChanges) -> list[str]:
    """Return the files that an import would look at; any of them may be a missing one that moved."""
    failed = {failure.path: failure.failed_at for failure in read_failures(settings.database_path)}
    return [path for path in scan.to_import if not _rests(settings.library / path, failed.get(storable(path)))]


def _may_be_hidden(scan: LibraryChanges) -> bool:
    """Tell whether missing files may lie in a folder that cannot be read."""
    return bool(scan.unreadable)


def _rests(file: Path, failed_at: str | None) -> bool:
    """Tell whether a file failed and nothing was done with it since, so that no import would find out more.

    By `st_ctime`, which a rename sets as well: a good file may have been moved over a broken one.
    """
    if failed_at is None:
        return False
    try:
        changed = datetime.fromtimestamp(file.stat().st_ctime, tz=UTC)
    except OSError:
        return False
    return format_timestamp(changed) <= normalise_timestamp(failed_at)


def remove_files(settings: Settings, plan: PrunePlan, now: datetime, *, with_history: bool) -> Iterator[Pruned]:
    """Remove the files of a plan, each in a transaction of its own, and yield what became of each.

    Parameters
    ----------
    settings : Settings
        Of the library.
    plan : PrunePlan
        Made just before; what has changed since then stays.
    now : datetime
        With its time zone.
    with_history : bool
        As in the plan.

    Raises
    ------
    LibraryRootError
        The disk was unmounted meanwhile.
    LibraryLockedError, LibraryDiskError, UnwritableLibraryError
        The files yielded so far are removed, the others are not.
    """
    if not plan.removable:
        return
    time = format_timestamp(now)
    locks = read_library_settings(settings.database_path).locks
    with LibraryWriter(settings.database_path, locks) as writer:
        for file in plan.removable:
            check_root(settings.library)
            if is_on_disk(settings.library, file.file.path):
                yield Pruned(file, None, "it is on disk again")
                continue
            try:
                receipt = remove_file(writer, file.file.path, time, with_references=with_history)
                yield Pruned(file, receipt)
            except LibraryChangedError as error:
                yield Pruned(file, None, str(error))


def tidy_up(settings: Settings, instance: DagsterInstance, plan: PrunePlan, pruned: Sequence[Pruned]) -> Tidied:
    """Drop the partitions, phase values, pictures and decoded sound of files that are gone from disk and library.

    Also of files that were moved, or failed and were deleted. Dagster keeps its records of their runs: a file that
    comes back has its partition again, with its history.

    Raises
    ------
    LibraryRootError
        Dagster knows of files, and there is none: the disk, and the library with it, may not be mounted.
    """
    registered = instance.get_dynamic_partitions(partitions_name(settings))
    check_not_emptied(settings.library, plan.scan, len(registered))
    gone = [one.file.file.hash for one in pruned if one.receipt is not None]
    still_there = read_known_by_hash(settings.database_path, gone)
    library = Library(settings)
    for content_hash in gone:
        if content_hash not in still_there:
            library.pcm.forget(content_hash)
    stale = _stale_keys(settings, registered, plan)
    if stale and _is_importing(settings, instance):
        # The ends of a range run must be registered for as long as it waits.
        return Tidied(waits=True)
    documents = 0
    for key in stale:
        instance.delete_dynamic_partition(partitions_name(settings), key)
        documents += library.phases.forget(key)
        settings.picture_path(key).unlink(missing_ok=True)
    return Tidied(len(stale), documents)


def _stale_keys(settings: Settings, registered: Sequence[str], plan: PrunePlan) -> list[str]:
    scan = plan.scan
    in_library = {file.path for file in read_known_files(settings.database_path)}
    there = {*map(storable, (*scan.new, *scan.changed, *scan.unchanged)), *in_library}
    return [
        key
        for key in registered
        if storable_path(key) not in there
        and is_within(decode_key(key), plan.folder)
        and not any(is_within(decode_key(key), part) for part in scan.unreadable)
        and not is_on_disk(settings.library, decode_key(key))
    ]


def _is_importing(settings: Settings, instance: DagsterInstance) -> bool:
    return bool(read_claimed_keys(settings.claims_dir) or waiting_runs(instance))
