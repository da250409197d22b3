"""What the sensor and the schedules request: range runs over the files of a library that need one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from dagster import DagsterInstance
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from wkmp_assets.claims import claimed_keys
from wkmp_assets.db.reader import known_files
from wkmp_assets.db.report import read_failures
from wkmp_assets.errors import LibraryRootError
from wkmp_assets.jobs import import_job
from wkmp_assets.library.changes import normalise_timestamp
from wkmp_assets.library.file_key import encode_key
from wkmp_assets.library.scan import scan_folder
from wkmp_assets.library.walk import FileStat, read_stat
from wkmp_assets.partitions import partitions_name
from wkmp_assets.ranges import FileRange
from wkmp_assets.run_tags import REASON_TAG, tags_of_files
from wkmp_assets.settings import Settings
from wkmp_assets.watching import FailedFile, TickLimits, TickPlan, plan_tick, run_key

_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
"""Runs that have claimed nothing yet. What a running one carries its claims tell, also after it was killed."""


@dataclass(frozen=True)
class Look:
    """What one look at a library found, and what is to be done about it."""

    plan: TickPlan
    wanted: Mapping[str, FileStat]
    """Partition key -> what the file system says, for every new and changed file."""
    unchanged: int
    missing: int
    """Files that the library knows and that are not on disk."""
    unreadable: Sequence[str]
    """Folders that could not be read, relative to the root."""

    def requests(self, reason: str, now: datetime) -> list[dg.RunRequest]:
        """Return the runs to request."""
        return [
            dg.RunRequest(run_key=run_key(files, self.wanted, now), tags=range_tags(files, reason))
            for files in self.plan.ranges
        ]

    def summary(self) -> str:
        """Say what there was, leaving out what there was none of."""
        plan = self.plan
        folders = f" ({', '.join(self.unreadable[:3])})"
        counts = {
            "files unchanged": self.unchanged,
            "in a run already": plan.in_flight,
            "still being written": plan.settling,
            "failed before and not changed since (wkmp failures names them)": plan.resting,
            "for a later tick": plan.later,
            "no longer on disk": self.missing,
            f"folders unreadable{folders}": len(self.unreadable),
        }
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def look_at_library(
    settings: Settings, instance: DagsterInstance, remembered: Mapping[str, FailedFile], most_runs: int, now: datetime
) -> Look:
    """Compare the music folder with the library and decide what to request; changes nothing.

    Parameters
    ----------
    settings : Settings
        Of the library.
    instance : DagsterInstance
        Holds its partitions and runs.
    remembered : mapping of str to FailedFile
        `failed` of the previous plan, if there is one.
    most_runs : int
        Most runs that may wait at once.
    now : datetime
        With its time zone.

    Raises
    ------
    LibraryRootError
        The music folder cannot be read, or is empty although it held files.
    """
    ordered = instance.get_dynamic_partitions(partitions_name(settings))
    changes, report = scan_folder(settings.library, "", known_files(settings.database_path))
    if ordered and not (changes.to_import or changes.unchanged):
        # With the disk its wkmp.db is gone, too, so the scan cannot tell.
        raise LibraryRootError(
            f"{settings.library} holds no audio file any more, but {len(ordered)} were found in it before; "
            "check that its disk is mounted. Nothing was changed."
        )
    wanted = _stats(settings, changes.to_import)
    waiting = instance.get_runs(filters=dg.RunsFilter(job_name=import_job.name, statuses=_WAITING))
    in_flight = claimed_keys(settings.claims_dir).union(*(_keys_of(run, ordered) for run in waiting))
    failures = {
        encode_key(failure.path): normalise_timestamp(failure.failed_at)
        for failure in read_failures(settings.database_path)
    }
    limits = TickLimits(max(most_runs - len(waiting), 0), partitions_per_run(settings), settings.watch_settle_s)
    plan = plan_tick(wanted, ordered, in_flight, failures, remembered, limits, now)
    return Look(plan, wanted, len(changes.unchanged), len(changes.missing), report.unreadable_folders)


def partitions_per_run(settings: Settings) -> int | None:
    """Return the most partitions a run may span; None for no limit."""
    return None if settings.files_per_run == "all" else settings.files_per_run


def range_tags(files: FileRange, reason: str) -> dict[str, str]:
    """Return the tags of a run over a range of partitions."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: files.first,
        ASSET_PARTITION_RANGE_END_TAG: files.last,
        **tags_of_files(files.keys, {}),
        REASON_TAG: reason,
    }


def _stats(settings: Settings, paths: tuple[str, ...]) -> dict[str, FileStat]:
    found: dict[str, FileStat] = {}
    for path in paths:
        try:
            found[encode_key(path)] = read_stat(settings.library / path)
        except OSError:  # deleted since the scan; the next look sees it as it is then
            continue
    return found


def _keys_of(run: dg.DagsterRun, ordered: Sequence[str]) -> Sequence[str]:
    """Return the partitions a run carries; none if they are no longer registered."""
    single = run.tags.get(PARTITION_NAME_TAG)
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, single)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG, single)
    if first not in ordered or last not in ordered:
        return []
    return ordered[ordered.index(first) : ordered.index(last) + 1]
