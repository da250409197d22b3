"""Dagster's own launcher of runs, which also tells Dagster when the process of a run is gone.

After kill -9, a crash or a power cut nobody is left to say that a run has ended. Dagster would show it as started for
ever and, since `dagster.yaml` allows two runs at once, stop at the second. Chosen there; `run_monitoring` asks.
"""

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus

from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage


class WatchfulRunLauncher(DefaultRunLauncher):
    """Launches runs like Dagster's default launcher, and knows which of the started ones are alive."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether it can tell: not with Dagster's own event storage, which knows nothing of it."""
        return isinstance(self._instance.event_log_storage, KeptOpenEventLogStorage)

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Tell whether the process of a started run is alive, whoever started it."""
        storage = self._instance.event_log_storage
        if isinstance(storage, KeptOpenEventLogStorage) and storage.living_runs.is_alive(run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        reason = "its process is gone (killed, crashed, or the machine was switched off)"
        return CheckRunHealthResult(WorkerStatus.FAILED, reason)
