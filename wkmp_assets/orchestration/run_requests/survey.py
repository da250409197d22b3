"""Compare the music folder with the library and decide which range runs to request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from logging import Logger

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.db.missing_files import mark_missing
from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.db.read.known_files import read_known_files
from wkmp_assets.errors import TransientError
from wkmp_assets.files.scan import check_not_emptied
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.known_files import FileStat
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.timestamps import normalise_timestamp
from wkmp_assets.orchestration.better_copies import note_equal_sizes, read_waits
from wkmp_assets.orchestration.found_library import use_library
from wkmp_assets.orchestration.instance.dagster_api import find_unfinished_runs, is_running
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.music_objects import scan_library
from wkmp_assets.orchestration.partitions import keys_of_runs, partitions_name
from wkmp_assets.orchestration.resources import ignore_rules
from wkmp_assets.orchestration.run_requests.failed_runs import FailedRun
from wkmp_assets.orchestration.run_requests.run_sizes import size_of_request
from wkmp_assets.orchestration.run_requests.tick import FailedFile, TickLimits, TickPlan, plan_tick, runs_to_request
from wkmp_assets.orchestration.run_tags import is_of_library
from wkmp_assets.runtime.claims import read_claimed_keys
from wkmp_assets.settings import Settings

_MAX_NAMED = 20

_PENDING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
"""Statuses of runs that have no claims yet. The files of a running one are known from its claims."""


@dataclass(frozen=True)
class Survey:
    """The state of a library at one tick, and the runs to request for it."""

    plan: TickPlan
    wanted: Mapping[str, FileStat]
    """Partition key -> size and time on disk, for every new and changed file."""
    changes: LibraryChanges

    def __str__(self) -> str:
        """Return the counts that are not zero, for the tick's skip message; without any, that there is no file."""
        plan, changes = self.plan, self.changes
        folders = f" ({', '.join(changes.unreadable[:3])})"
        counts = {
            "files unchanged": len(changes.unchanged),
            "in a run already": plan.in_flight_count,
            "still being written": plan.settling_count,
            "failed before and not changed since (wkmp failures FOLDER lists them)": plan.failed_count,
            "for a later tick": plan.postponed_count,
            "no longer on disk": len(changes.missing),
            "out of reach (in an unreadable folder or behind a link)": len(changes.unknown),
            f"folders unreadable{folders}": len(changes.unreadable),
        }
        found = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return found if found or self.wanted else "there is no audio file"


def survey_library(
    settings: Settings,
    instance: DagsterInstance,
    remembered: Mapping[str, FailedFile],
    max_runs: int,
    now: datetime,
    failed_run: FailedRun | None = None,
) -> Survey:
    """Compare the music folder with the library and decide what to request, without changing either.

    Only notes are written: on files of the same size, for the runs to come, and on copies that no longer wait.

    Parameters
    ----------
    settings : Settings
        Of the library.
    instance : DagsterInstance
        Keeps its partitions and runs.
    remembered : mapping of str to FailedFile
        `failed` of the previous plan, from the cursor; empty for the first.
    max_runs : int
        Runs that may be pending at the same time.
    now : datetime
        With its time zone.
    failed_run : FailedRun, optional
        The last import that failed as a whole; it limits the runs.

    Raises
    ------
    LibraryRootError
        The music folder cannot be read, or is empty although it held files.
    """
    ordered = instance.get_dynamic_partitions(partitions_name(settings))
    changes, report = scan_library(settings, "", read_known_files(use_library(settings)), ignore_rules(settings))
    check_not_emptied(settings.library, changes, len(ordered))
    note_equal_sizes(settings, changes, report)
    wanted = {encode_key(path): report.found[path] for path in changes.to_import}
    pending = find_pending_runs(settings, instance)
    claimed = read_claimed_keys(settings.claims_dir, partial(is_running, instance))
    # A run that goes on after a failed one has no claims, because the other one looked at the files.
    resumed = [run for run in find_unfinished_runs(instance) if run.parent_run_id and is_of_library(run, settings)]
    in_flight = claimed | keys_of_runs([*pending, *resumed], ordered)
    if failed_run:
        max_runs = failed_run.limit_runs(max_runs, now, is_busy=bool(pending or claimed))
    failures = {
        key: normalise_timestamp(failure.failed_at)
        for failure in read_failures(settings.database_path)
        # The failure of a file whose name is not UTF-8 is stored under its key.
        for key in (encode_key(failure.path), failure.path)
    }
    runs = runs_to_request(max_runs, len(pending))
    limits = TickLimits(runs, size_of_request(settings), settings.watch_settle_s)
    waits = read_waits(settings, changes)
    better = {encode_key(path): encode_key(better) for path, better in waits.items()}
    plan = plan_tick(wanted, ordered, in_flight, failures, remembered, limits, now, better)
    return Survey(plan, wanted, changes)


def find_pending_runs(settings: Settings, instance: DagsterInstance) -> list[dg.DagsterRun]:
    """Return the imports of the library that are requested and have not started."""
    runs = instance.get_runs(filters=dg.RunsFilter(job_name=import_job.name, statuses=_PENDING))
    return [run for run in runs if is_of_library(run, settings)]


def mark_missing_when_idle(settings: Settings, survey: Survey, log: Logger, now: datetime) -> None:
    """Mark missing files in the library, once no file waits for import that may be one of them under a new name.

    When the library is locked, the next tick marks them.
    """
    plan = survey.plan
    if plan.ranges or plan.postponed_count or plan.in_flight_count or plan.settling_count:
        return
    try:
        marks = mark_missing(settings.database_path, survey.changes, now)
    except TransientError as error:
        log.warning("missing files could not be marked, the next tick tries again: %s", error)
        return
    for path in marks.changes.missing[:_MAX_NAMED]:
        log.warning("%s is no longer on disk; `wkmp missing FOLDER` lists all, `wkmp prune FOLDER` removes them", path)
    if marks.changes:
        log.info("%d files are newly missing, %d are found again", len(marks.changes.missing), len(marks.changes.found))
