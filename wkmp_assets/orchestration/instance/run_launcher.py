"""Dagster's default run launcher, which also tells Dagster when the process of a run has died.

After kill -9, a crash or a power cut no process reports the end of a run. Dagster would show the run as started for
ever. dagster.yaml allows two runs at once, so two such runs would stop all others. dagster.yaml chooses this launcher,
and `run_monitoring` asks it.
"""

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus

from wkmp_assets.orchestration.instance.living_runs import living_runs_of


class WatchfulRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher, which also knows which started runs are alive."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether it can tell. With Dagster's own event storage it cannot."""
        return living_runs_of(self._instance.event_log_storage) is not None

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Return whether the process of a started run is alive."""
        living = living_runs_of(self._instance.event_log_storage)
        if living is not None and living.is_alive(run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        reason = "its process is gone: it was killed, it crashed, or the machine was switched off"
        return CheckRunHealthResult(WorkerStatus.FAILED, reason)
