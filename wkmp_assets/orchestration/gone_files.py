"""Files that were moved or deleted after they got their partition: runs skip them, and scans drop their partitions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from logging import Logger
from typing import Any

from dagster import DagsterInstance

from wkmp_assets.errors import PartitionKeyError
from wkmp_assets.files.presence import check_root, is_emptied, is_on_disk
from wkmp_assets.model.file_key import decode_key, encode_key, is_within
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Outcome, Skipped, SkipReason
from wkmp_assets.orchestration.instance.dagster_api import (
    delete_partitions,
    find_unfinished_runs,
    read_backfill_partitions,
)
from wkmp_assets.orchestration.partitions import keys_of_runs, partitions_name
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.orchestration.run_tags import is_of_library
from wkmp_assets.settings import Settings


def skip_gone(library: Library, outcomes: Mapping[str, Outcome[Any]]) -> dict[str, Outcome[Any]]:
    """Return the outcomes of a phase, with `GONE` for files that are no longer on disk.

    Their stored values are of content that the library may now have under another path. Skipped files are not looked
    at.

    Raises
    ------
    LibraryRootError
        Files are gone, and the music folder is empty: its disk is probably not mounted.
    """
    gone = {key for key, outcome in outcomes.items() if not isinstance(outcome, Skipped) and _is_gone(library, key)}
    if gone:
        check_root(library.root)
    return {key: Skipped(SkipReason.GONE) if key in gone else outcome for key, outcome in outcomes.items()}


def _is_gone(library: Library, key: str) -> bool:
    try:
        return not is_on_disk(library.root, decode_key(key))
    except PartitionKeyError:  # typed by a person; its failure says so
        return False


@dataclass(frozen=True)
class GonePartitions:
    """The partitions of files that a scan did not find where they were."""

    dropped: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Those that an unfinished run or backfill names. The next scan after it drops them."""

    def log(self, log: Logger) -> None:
        """Log how many were dropped and kept."""
        if self.dropped:
            log.info("%d partitions of moved or deleted files were dropped", len(self.dropped))
        if self.kept:
            log.info("%d partitions of moved or deleted files stay until the runs that name them end", len(self.kept))


def drop_gone(settings: Settings, instance: DagsterInstance, scan: LibraryChanges) -> GonePartitions:
    """Drop the partitions of files that were moved or deleted.

    Dagster keeps their events. A file that comes back gets its partition again, with its history.

    Parameters
    ----------
    settings : Settings
        Of the library.
    instance : DagsterInstance
        Keeps its partitions and runs.
    scan : LibraryChanges
        What was found just now. Nothing is dropped after a scan that found no file.
    """
    name = partitions_name(settings)
    registered = instance.get_dynamic_partitions(name)
    gone = find_gone(Library(settings), registered, scan)
    in_use = find_partitions_in_use(settings, instance, registered) if gone else frozenset()
    dropped = tuple(key for key in gone if key not in in_use)
    delete_partitions(instance, name, dropped)
    return GonePartitions(dropped, tuple(key for key in gone if key in in_use))


def find_gone(library: Library, registered: Sequence[str], scan: LibraryChanges) -> list[str]:
    """Return the registered partitions of files that are neither among those that a scan found, nor hidden from it.

    A file that a pattern passes over is gone. A file may be hidden by an unreadable folder or a symbolic link. Files
    that the library has in an empty folder may be on a disk that is not plugged in.
    """
    there, missing = {*scan.new, *scan.changed, *scan.unchanged}, frozenset(scan.missing)
    if not there:
        return []
    # Almost all keys equal their paths, and those of a large library should not be decoded every 30 seconds.
    within = "" if scan.folder in {"", "."} else f"{encode_key(scan.folder)}/"
    doubtful = (key for key in registered if "%" in key or (key not in there and key.startswith(within)))
    return [key for key in doubtful if _was_lost(library, key, there, missing, scan)]


def _was_lost(
    library: Library, key: str, there: Collection[str], missing: Collection[str], scan: LibraryChanges
) -> bool:
    try:
        path = decode_key(key)
    except PartitionKeyError:
        return False
    was_scanned = is_within(path, scan.folder) and not any(is_within(path, folder) for folder in scan.unreadable)
    if path in there or not was_scanned or library.has_file(path):
        return False
    return not (path in missing and is_emptied(library.root, path))


def find_partitions_in_use(settings: Settings, instance: DagsterInstance, registered: Sequence[str]) -> frozenset[str]:
    """Return the library's registered partitions that an unfinished run names, by itself or in a range.

    Those that any unfinished backfill names are among them, because a backfill does not say its library.
    """
    in_backfills = read_backfill_partitions(instance)
    if in_backfills is None:
        return frozenset(registered)
    runs = [run for run in find_unfinished_runs(instance) if is_of_library(run, settings)]
    return in_backfills | keys_of_runs(runs, registered)
