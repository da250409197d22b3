"""Imports that failed as a whole, for example because the disk is full or the library is locked or damaged.

Their files are requested again, but not at every tick: first one run after a pause, then the others once it succeeded.
Runs that Dagster starts again by itself do not count, unless it gives up on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.orchestration.instance.dagster_api import will_be_retried
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.run_tags import RESULT_TAG, is_of_library, tags_of_library
from wkmp_assets.settings import Settings

RETRY_AFTER = timedelta(minutes=15)
"""Long enough that a disk that is full all night causes dozens of failed runs and not thousands."""

_MAX_RUNS = 50
_MAX_TICK_S = 60
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


@dataclass(frozen=True)
class FailedRun:
    """The last import run that failed as a whole."""

    run_id: str
    ended_at: datetime
    is_over: bool
    """Whether a later import has ended without failing as a whole."""

    def limit_runs(self, max_runs: int, now: datetime, *, is_busy: bool) -> int:
        """Return how many runs may be requested.

        Parameters
        ----------
        max_runs : int
            Number of runs without a failure.
        now : datetime
            With its time zone.
        is_busy : bool
            Whether an import is pending or running; its result is awaited.
        """
        if self.is_over:
            return max_runs
        # A run that ended in the future was timed by a clock that was ahead, by a year perhaps.
        is_paused = self.ended_at <= now < self.ended_at + RETRY_AFTER
        return 0 if is_busy or is_paused else min(max_runs, 1)

    def __str__(self) -> str:
        run, again = self.run_id.partition("-")[0], self.ended_at + RETRY_AFTER
        return (
            f"the last import failed as a whole: run {run} shows the reason. One run is tried after {again:%H:%M} UTC, "
            "and the others when it succeeds. `wkmp import FOLDER` does not wait"
        )


def find_failed_run(settings: Settings, instance: DagsterInstance, now: datetime) -> FailedRun | None:
    """Return the last import of the library that failed as a whole; None when none of the latest did.

    Parameters
    ----------
    settings : Settings
        Of the library.
    instance : DagsterInstance
        Keeps the runs.
    now : datetime
        With its time zone. Ends after it are of a clock that was ahead, and count as of the end before.
    """
    ended = _by_end(_read_ended(settings, instance), now.timestamp())
    failed = [(end, record) for end, record in ended if _has_failed(record.dagster_run)]
    if not failed:
        return None
    end, last = failed[-1]
    return FailedRun(
        run_id=last.dagster_run.run_id,
        ended_at=datetime.fromtimestamp(end, tz=UTC),
        is_over=last is not ended[-1][1],
    )


def _read_ended(settings: Settings, instance: DagsterInstance) -> list[dg.RunRecord]:
    """Return the latest ended imports of a library, in the order of their creation."""
    of_any = instance.get_run_records(dg.RunsFilter(job_name=import_job.name, statuses=_ENDED), limit=_MAX_RUNS)
    # Those of another library may be so many that the query above shows none of this one.
    tags = tags_of_library(settings)
    named = dg.RunsFilter(job_name=import_job.name, statuses=_ENDED, tags=tags)
    is_shared = not all(is_of_library(record.dagster_run, settings) for record in of_any)
    of_this = instance.get_run_records(named, limit=_MAX_RUNS) if is_shared else []
    records = {record.storage_id: record for record in (*of_any, *of_this)}
    return [records[number] for number in sorted(records) if is_of_library(records[number].dagster_run, settings)]


def _by_end(records: Sequence[dg.RunRecord], now: float) -> list[tuple[float, dg.RunRecord]]:
    """Return the records in the order of their ends, with these. Both times are seconds since 1970."""
    ended: list[tuple[float, dg.RunRecord]] = []
    before = 0.0
    for record in records:
        end = record.end_time or 0.0
        # A run may have ended while this tick looked.
        end = min(end, now) if end < now + _MAX_TICK_S else before
        before = max(before, end)
        ended.append((end, record))
    return sorted(ended, key=lambda one: one[0])


def _has_failed(run: dg.DagsterRun) -> bool:
    """Tell whether a run failed as a whole. One that reached its files has a result tag, even when its file failed."""
    has_failed = run.status is dg.DagsterRunStatus.FAILURE and RESULT_TAG not in run.tags
    return has_failed and not will_be_retried(run)
