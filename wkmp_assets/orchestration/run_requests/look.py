"""What the sensor and the schedules request: range runs over the files of a library that need one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from logging import Logger

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.db.missing_files import mark_missing
from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.db.read.known_files import read_known_files
from wkmp_assets.errors import TransientError
from wkmp_assets.files.scan import check_not_emptied, scan_folder
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.known_files import FileStat
from wkmp_assets.model.timestamps import normalise_timestamp
from wkmp_assets.model.values import LibraryChanges
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.partitions import keys_of_run, partitions_name, partitions_per_run
from wkmp_assets.orchestration.run_requests.failed_runs import Breakdown
from wkmp_assets.orchestration.run_requests.ranges import range_tags
from wkmp_assets.orchestration.run_requests.tick import FailedFile, TickLimits, TickPlan, plan_tick, run_key
from wkmp_assets.runtime.claims import read_claimed_keys
from wkmp_assets.settings import Settings

_MOST_NAMED = 20

_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
"""Runs that have claimed nothing yet. What a running one carries its claims tell, also after it was killed."""


@dataclass(frozen=True)
class Look:
    """What one look at a library found, and what is to be done about it."""

    plan: TickPlan
    wanted: Mapping[str, FileStat]
    """Partition key -> what the file system says, for every new and changed file."""
    changes: LibraryChanges

    def requests(self, reason: str, now: datetime, after: str = "") -> list[dg.RunRequest]:
        """Return the runs to request; `after` is the last run that failed as a whole."""
        return [
            dg.RunRequest(run_key=run_key(files, self.wanted, now, after), tags=range_tags(files, reason))
            for files in self.plan.ranges
        ]

    def summary(self) -> str:
        """Say what there was, leaving out what there was none of."""
        plan, changes = self.plan, self.changes
        folders = f" ({', '.join(changes.unreadable[:3])})"
        counts = {
            "files unchanged": len(changes.unchanged),
            "in a run already": plan.in_flight,
            "still being written": plan.settling,
            "failed before and not changed since (wkmp failures names them)": plan.resting,
            "for a later tick": plan.later,
            "no longer on disk": len(changes.missing),
            "not to be seen (unreadable, or behind a link)": len(changes.unknown),
            f"folders unreadable{folders}": len(changes.unreadable),
        }
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def look_at_library(
    settings: Settings,
    instance: DagsterInstance,
    remembered: Mapping[str, FailedFile],
    most_runs: int,
    now: datetime,
    broken: Breakdown | None = None,
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
    broken : Breakdown, optional
        The last import that failed as a whole, if it is to hold up others.

    Raises
    ------
    LibraryRootError
        The music folder cannot be read, or is empty although it held files.
    """
    ordered = instance.get_dynamic_partitions(partitions_name(settings))
    changes, report = scan_folder(settings.library, "", read_known_files(settings.database_path))
    check_not_emptied(settings.library, changes, len(ordered))
    wanted = {encode_key(path): report.found[path] for path in changes.to_import}
    waiting, claimed = waiting_runs(instance), read_claimed_keys(settings.claims_dir)
    in_flight = claimed.union(*(keys_of_run(run, ordered) for run in waiting))
    if broken:
        most_runs = broken.runs_allowed(most_runs, now, is_busy=bool(waiting or claimed))
    failures = {
        key: normalise_timestamp(failure.failed_at)
        for failure in read_failures(settings.database_path)
        # A name that is not UTF-8 is recorded as its key already.
        for key in (encode_key(failure.path), failure.path)
    }
    limits = TickLimits(max(most_runs - len(waiting), 0), partitions_per_run(settings), settings.watch_settle_s)
    plan = plan_tick(wanted, ordered, in_flight, failures, remembered, limits, now)
    return Look(plan, wanted, changes)


def waiting_runs(instance: DagsterInstance) -> Sequence[dg.DagsterRun]:
    """Return the imports that are requested but have not begun."""
    return instance.get_runs(filters=dg.RunsFilter(job_name=import_job.name, statuses=_WAITING))


def note_when_idle(settings: Settings, look: Look, log: Logger, now: datetime) -> None:
    """Note in the library which files are gone, once no file is waiting that may turn out to be one of them, moved.

    A library that is locked for a moment is left for the next look.
    """
    plan = look.plan
    if plan.ranges or plan.later or plan.in_flight or plan.settling:
        return
    try:
        marks = mark_missing(settings.database_path, look.changes, now)
    except TransientError as error:
        log.warning("what is missing could not be noted: %s", error)
        return
    for path in marks.changes.missing[:_MOST_NAMED]:
        log.warning("%s is missing since now; `wkmp missing` lists all, `wkmp prune` removes them on request", path)
    if marks.changes:
        log.info("%d files newly missing, %d found again", len(marks.changes.missing), len(marks.changes.found))
