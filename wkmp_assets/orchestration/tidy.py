"""Forget old runs: what `wkmp tidy` and the schedule `nightly_tidy` do."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from dagster import DagsterInstance

from wkmp_assets.db.hand_commit import forget_runs
from wkmp_assets.orchestration.instance.dagster_api import find_unfinished_runs
from wkmp_assets.orchestration.instance.old_runs import find_old_runs, prune_run, remove_orphans, return_free_pages
from wkmp_assets.orchestration.run_tags import is_of_library
from wkmp_assets.report.text import counted
from wkmp_assets.runtime.atomic_files import remove_leftovers
from wkmp_assets.settings import Settings


@dataclass(frozen=True)
class Tidied:
    """What was removed."""

    runs: int
    events: int
    databases: int
    """Of runs that Dagster no longer knew."""
    returned_bytes: int
    undoable: int = 0
    """Changes of files that can no longer be undone."""

    def __str__(self) -> str:
        """Return one line."""
        removed = f"{counted(self.runs, 'old run')} with {counted(self.events, 'event')} removed"
        orphans = f", {counted(self.databases, 'database')} of forgotten runs" if self.databases else ""
        if self.undoable:
            orphans += f", {counted(self.undoable, 'change')} can no longer be undone"
        return f"{removed}{orphans}; the history is {self.returned_bytes / 1e6:.1f} MB smaller"


def tidy(settings: Settings, instance: DagsterInstance, now: datetime, max_runs: int | None = None) -> Tidied:
    """Remove the runs of a library that ended more than `WKMP_HISTORY_DAYS` ago, and what they left.

    What the library keeps to undo runs goes after `WKMP_UNDO_DAYS`.

    The last materialization of each partition and its receipt stay.

    Parameters
    ----------
    settings : Settings
        Of the library. Runs of other libraries of the instance are left alone.
    instance : DagsterInstance
        Keeps the runs and events.
    now : datetime
        With a time zone.
    max_runs : int, optional
        Look at no more runs; the oldest come first. Default: at all.
    """
    undoable = forget_undo(settings, now)
    if not settings.history_days:
        return Tidied(0, 0, 0, 0, undoable)
    before = now.astimezone(UTC) - timedelta(days=settings.history_days)
    captured = Path(instance.root_directory) / "storage"
    # Read before the first one goes, because pages of records follow each other.
    old = list(islice((run for run in find_old_runs(instance, before) if is_of_library(run, settings)), max_runs))
    events = sum(prune_run(instance, run.run_id, captured) for run in old)
    gone = sum(instance.get_run_by_id(run.run_id) is None for run in old)
    databases = remove_orphans(instance, before)
    for folder in (settings.phase_dir / "unfinished", settings.pictures_dir):
        remove_leftovers(folder)
    returned = return_free_pages(instance, may_rewrite=not find_unfinished_runs(instance))
    return Tidied(gone, events, databases, returned, undoable)


def forget_undo(settings: Settings, now: datetime) -> int:
    """Remove what the library keeps to undo runs of more than `WKMP_UNDO_DAYS` ago; return the number of rows."""
    if not settings.undo_days:
        return 0
    return forget_runs(settings.database_path, now.astimezone(UTC) - timedelta(days=settings.undo_days))
