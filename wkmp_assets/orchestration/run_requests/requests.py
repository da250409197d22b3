"""The run requests of a tick, and why some of its files are not requested.

Dagster ignores a request whose run key was used before, and says so nowhere that a person looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.orchestration.instance.dagster_api import find_run_by_key, will_be_retried
from wkmp_assets.orchestration.run_requests.ranges import FileRange, range_tags
from wkmp_assets.orchestration.run_requests.survey import Survey
from wkmp_assets.orchestration.run_requests.tick import run_key
from wkmp_assets.report.text import counted
from wkmp_assets.settings import Settings

MAX_REQUESTS_A_DAY = 4
"""How often files that have not changed are requested in a day. More would be a run every minute for nothing."""

_TOMORROW = "They are requested again after midnight UTC; `wkmp import FOLDER` does not wait"


@dataclass(frozen=True)
class Requests:
    """What one tick requests."""

    runs: Sequence[dg.RunRequest]
    withheld: Sequence[str]
    """Why the other planned runs are not requested."""


@dataclass(frozen=True)
class RunKeys:
    """Chooses run keys that Dagster does not ignore."""

    settings: Settings
    instance: DagsterInstance
    survey: Survey
    now: datetime
    """With its time zone."""
    after: str = ""
    """Id of the last run that failed as a whole."""

    def request(self, requested_by: str) -> Requests:
        """Return a request for each range of the survey's plan, or the reason why there is none.

        Files that a run of the day has imported are requested again when they still need an import: the library was
        deleted, or an older one restored.
        """
        runs: list[dg.RunRequest] = []
        withheld: list[str] = []
        for files in self.survey.plan.ranges:
            key, reason = self._choose(files)
            if reason:
                withheld.append(f"{counted(len(files.keys), 'file')} from {files.first} on: {reason}")
            else:
                runs.append(dg.RunRequest(run_key=key, tags=range_tags(files, requested_by, self.settings)))
        return Requests(runs, withheld)

    def key(self, files: FileRange, attempt: int = 0) -> str:
        """Return the key of a request that follows `attempt` others for the same files on the same day."""
        library = self.settings.library_id
        return run_key(files, self.survey.wanted, self.now, self.after, library=library, attempt=attempt)

    def _choose(self, files: FileRange) -> tuple[str, str]:
        """Return an unused key, or else why the files are not requested."""
        last = ""
        for attempt in range(MAX_REQUESTS_A_DAY):
            key = self.key(files, attempt)
            run = find_run_by_key(self.instance, key)
            if run is None:
                return key, ""
            last = _short(run)
            if reason := _describe_obstacle(run):
                return "", reason
        return "", (
            f"{MAX_REQUESTS_A_DAY} runs of today have ended, and they still need an import. Run {last} shows what came "
            f"of them. {_TOMORROW}"
        )


def _describe_obstacle(run: dg.DagsterRun) -> str:
    """Return why the files of a run must not be requested again after it; empty when they may be."""
    if not run.is_finished:
        return f"run {_short(run)} has them"
    if run.status is dg.DagsterRunStatus.CANCELED:
        return f"run {_short(run)} was cancelled. {_TOMORROW}"
    if will_be_retried(run):
        return f"run {_short(run)} failed, and Dagster starts it again"
    return ""


def _short(run: dg.DagsterRun) -> str:
    return run.run_id.partition("-")[0]
