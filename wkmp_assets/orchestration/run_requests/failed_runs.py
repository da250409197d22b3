"""Imports that failed as a whole, and not because of a file: a full disk, a library that is locked or damaged.

What they left undone is asked for again, but not in every tick: after a pause by one run, and by all once that one went
well. Runs that Dagster starts again by itself (killed ones, for a start) do not count, unless it gives them up.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.orchestration.instance.dagster_api import will_be_retried
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.run_tags import RESULT_TAG

PAUSE = timedelta(minutes=15)
"""Long enough that a disk that stays full overnight means some dozens of failed runs and no thousands."""

_MOST_LOOKED_AT = 50
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


@dataclass(frozen=True)
class Breakdown:
    """The last import that failed as a whole."""

    run_id: str
    ended: datetime
    is_over: bool
    """Whether another import has ended since, and not like that."""

    def runs_allowed(self, most: int, now: datetime, *, is_busy: bool) -> int:
        """Tell how many runs may be requested.

        Parameters
        ----------
        most : int
            When all is well.
        now : datetime
            With its time zone.
        is_busy : bool
            Whether an import waits or is at work, which will tell whether all is well again.
        """
        if self.is_over:
            return most
        return 0 if is_busy or now < self.ended + PAUSE else min(most, 1)

    def __str__(self) -> str:
        run, again = self.run_id.partition("-")[0], self.ended + PAUSE
        return (
            f"the last import failed as a whole, for the reason that run {run} gives; one is tried after "
            f"{again:%H:%M} UTC, the others when that went well. `wkmp import` does not wait"
        )


def last_breakdown(instance: DagsterInstance) -> Breakdown | None:
    """Find the last import that failed as a whole; None when none of the latest did."""
    filters = dg.RunsFilter(job_name=import_job.name, statuses=_ENDED)
    records = instance.get_run_records(filters=filters, limit=_MOST_LOOKED_AT)
    ended = sorted(records, key=lambda record: record.end_time or 0.0)
    broken = [record for record in ended if _is_breakdown(record.dagster_run)]
    if not broken:
        return None
    last = broken[-1]
    return Breakdown(
        run_id=last.dagster_run.run_id,
        ended=datetime.fromtimestamp(last.end_time or 0.0, tz=UTC),
        is_over=last is not ended[-1],
    )


def _is_breakdown(run: dg.DagsterRun) -> bool:
    """One that came to its files says what became of them, also when the only one of them failed."""
    has_failed = run.status is dg.DagsterRunStatus.FAILURE and RESULT_TAG not in run.tags
    return has_failed and not will_be_retried(run)
