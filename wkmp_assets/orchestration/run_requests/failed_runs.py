"""Imports that failed as a whole, for example because the disk is full or the library is locked or damaged.

Their files are requested again, but not at every tick: first one run after a pause, then the others once it succeeded.
Runs that Dagster starts again by itself do not count, unless it gives up on them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.orchestration.instance.dagster_api import will_be_retried
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.run_tags import RESULT_TAG

RETRY_AFTER = timedelta(minutes=15)
"""Long enough that a disk that is full all night causes dozens of failed runs and not thousands."""

_MAX_RUNS = 50
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
        return 0 if is_busy or now < self.ended_at + RETRY_AFTER else min(max_runs, 1)

    def __str__(self) -> str:
        run, again = self.run_id.partition("-")[0], self.ended_at + RETRY_AFTER
        return (
            f"the last import failed as a whole: run {run} shows the reason. One run is tried after {again:%H:%M} UTC, "
            "and the others when it succeeds. `wkmp import` does not wait"
        )


def find_failed_run(instance: DagsterInstance) -> FailedRun | None:
    """Return the last import that failed as a whole; None when none of the latest did."""
    filters = dg.RunsFilter(job_name=import_job.name, statuses=_ENDED)
    records = instance.get_run_records(filters=filters, limit=_MAX_RUNS)
    ended = sorted(records, key=lambda record: record.end_time or 0.0)
    failed = [record for record in ended if _has_failed(record.dagster_run)]
    if not failed:
        return None
    last = failed[-1]
    return FailedRun(
        run_id=last.dagster_run.run_id,
        ended_at=datetime.fromtimestamp(last.end_time or 0.0, tz=UTC),
        is_over=last is not ended[-1],
    )


def _has_failed(run: dg.DagsterRun) -> bool:
    """Tell whether a run failed as a whole. One that reached its files has a result tag, even when its file failed."""
    has_failed = run.status is dg.DagsterRunStatus.FAILURE and RESULT_TAG not in run.tags
    return has_failed and not will_be_retried(run)
