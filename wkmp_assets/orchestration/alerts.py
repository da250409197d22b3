"""The sensors that tell somebody when a run or a check fails.

They run in Dagster's daemon and never in a run, so a hook that fails or hangs harms no import.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import dagster as dg
from dagster import DagsterEvent, DagsterInstance

from wkmp_assets.errors import AlertError, WkmpError
from wkmp_assets.orchestration.found_library import read_stored_key
from wkmp_assets.orchestration.instance.dagster_api import will_be_retried
from wkmp_assets.orchestration.jobs import failed_job
from wkmp_assets.orchestration.run_tags import is_of_library
from wkmp_assets.report.text import printable
from wkmp_assets.runtime.alert_hook import AlertHook
from wkmp_assets.settings import Settings, environment_without_keys

RUN_ALERTS = "run_failure_alerts"
CHECK_ALERTS = "check_failure_alerts"
MAX_PROBLEMS = 20
"""In one message; the others are counted."""
MAX_TEXT = 500
"""Characters of one problem."""
_MAX_EVENTS = 500
"""Read in one tick."""

_BEGINS = "from now on, failures are told"

_Problem = dict[str, str]


def alert_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """Return both sensors. They run from the start when WKMP_ALERT_COMMAND or WKMP_ALERT_URL is set."""
    status = dg.DefaultSensorStatus.RUNNING if _hook_of(settings) else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name=RUN_ALERTS,
        minimum_interval_seconds=60,
        default_status=status,
        description="Tells WKMP_ALERT_COMMAND and WKMP_ALERT_URL of runs that failed as a whole and are not retried. A "
        "file that fails among others is told by the check `files_imported`.",
    )
    def watch_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        kind, after = dg.DagsterEventType.RUN_FAILURE, context.cursor
        if after is None:
            newest = context.instance.fetch_run_status_changes(kind, limit=1)
            return dg.SensorResult(cursor=newest.cursor, skip_reason=_BEGINS)
        page = context.instance.fetch_run_status_changes(kind, limit=_MAX_EVENTS, cursor=after, ascending=True)
        failed = (context.instance.get_run_by_id(record.run_id) for record in page.records)
        problems = [_describe_run(context.instance, run) for run in failed if run and _concerns(run, settings)]
        return _tell(settings, "run failed", problems, after, page.cursor)

    @dg.sensor(
        name=CHECK_ALERTS,
        minimum_interval_seconds=60,
        default_status=status,
        description="Tells WKMP_ALERT_COMMAND and WKMP_ALERT_URL of checks that failed with an error, once for each "
        "finding. Warnings are left to the web UI.",
    )
    def watch_checks(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        after = _CheckCursor.parse(context.cursor) if context.cursor else None
        if after is None:
            newest = _read_evaluations(context.instance, limit=1, ascending=False)
            begin = _CheckCursor(newest[0].storage_id if newest else 0)
            return dg.SensorResult(cursor=begin.text, skip_reason=_BEGINS)
        records = _read_evaluations(context.instance, after.storage_id, limit=_MAX_EVENTS)
        told, problems = dict(after.told), []
        for record in records:
            evaluation, run = _evaluation_of(record), context.instance.get_run_by_id(record.run_id)
            if run is not None and not is_of_library(run, settings):
                continue
            finding = _finding_of(evaluation)
            if finding and told.get(evaluation.check_name) != finding:
                problems.append(_describe_check(evaluation, record.run_id))
            told[evaluation.check_name] = finding
        until = _CheckCursor(records[-1].storage_id if records else after.storage_id, told)
        return _tell(settings, "check failed", problems, after.text, until.text)

    return [watch_runs, watch_checks]


@dataclass(frozen=True)
class _CheckCursor:
    """Which evaluations were looked at, and what was told."""

    storage_id: int
    told: Mapping[str, str] = field(default_factory=dict)
    """Check -> digest of its last finding; empty when it passed."""

    @classmethod
    def parse(cls, text: str) -> "_CheckCursor":
        """Read what `text` wrote."""
        return cls(**json.loads(text))

    @property
    def text(self) -> str:
        """As Dagster keeps it."""
        return json.dumps(asdict(self))


def _hook_of(settings: Settings) -> AlertHook | None:
    command, address = settings.alert_command or "", settings.alert_url
    if not command and address is None:
        return None
    secret = address.value if address else ""
    return AlertHook(command, secret, settings.alert_timeout_s, environment_without_keys())


def _tell(settings: Settings, kind: str, problems: Sequence[_Problem], before: str, after: str) -> dg.SensorResult:
    """Tell of problems, and move the cursor; keep it where it was when nobody could be told."""
    if not problems:
        return dg.SensorResult(cursor=after, skip_reason="nothing has failed since the last tick")
    hook = _hook_of(settings)
    if hook is None:
        return dg.SensorResult(
            cursor=after, skip_reason=f"{len(problems)} x {kind}; set WKMP_ALERT_COMMAND or WKMP_ALERT_URL to be told"
        )
    try:
        hook.send(_hide_keys(settings, _write_message(settings, kind, problems)))
    except AlertError as error:
        return dg.SensorResult(cursor=before, skip_reason=f"{error}; tried again in the next tick")
    return dg.SensorResult(cursor=after, skip_reason=f"told of {len(problems)} x {kind}")


def _write_message(settings: Settings, kind: str, problems: Sequence[_Problem]) -> dict[str, Any]:
    more = len(problems) - MAX_PROBLEMS
    lines = [f"{one['name']}: {one['message']}" for one in problems[:MAX_PROBLEMS]]
    return {
        "schema": 1,
        "kind": kind,
        # Chat services show this key.
        "text": "\n".join([f"WKMP: {kind}", *lines, *([f"and {more} more"] if more > 0 else [])]),
        "library": settings.library_id,
        "problems": list(problems[:MAX_PROBLEMS]),
        "more": max(more, 0),
        "sent_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _hide_keys(settings: Settings, message: dict[str, Any]) -> dict[str, Any]:
    """Return the message without any key, should an error of some library have quoted one."""
    text = json.dumps(message)
    for key in _keys(settings):
        text = text.replace(json.dumps(key)[1:-1], "***")
    hidden: dict[str, Any] = json.loads(text)
    return hidden


def _keys(settings: Settings) -> list[str]:
    secrets = [secret.value for secret in (settings.acoustid_api_key, settings.alert_url) if secret and secret.value]
    try:
        stored = read_stored_key(settings)
    except WkmpError:  # what has failed may be that the library cannot be read
        stored = None
    return [*secrets, *([stored] if stored else [])]


def _concerns(run: dg.DagsterRun, settings: Settings) -> bool:
    return is_of_library(run, settings) and run.job_name != failed_job.name and not will_be_retried(run)


def _describe_run(instance: DagsterInstance, run: dg.DagsterRun) -> _Problem:
    of_steps = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1).records
    of_run = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE, limit=1).records
    reasons = [_reason_of(record.event_log_entry.get_dagster_event()) for record in [*of_steps, *of_run]]
    return {
        "name": run.job_name,
        "run_id": run.run_id,
        "message": _shorten(next(filter(None, reasons), "no reason is known")),
    }


def _reason_of(event: DagsterEvent) -> str:
    if event.event_type is dg.DagsterEventType.STEP_FAILURE:
        data = event.step_failure_data
        if data.user_failure_data is not None and data.user_failure_data.description:
            return data.user_failure_data.description
        error = data.error.cause or data.error if data.error else None
        return error.message if error else ""
    return event.message or ""


def _describe_check(evaluation: dg.AssetCheckEvaluation, run_id: str) -> _Problem:
    return {"name": evaluation.check_name, "run_id": run_id, "message": _shorten(evaluation.description or "")}


def _finding_of(evaluation: dg.AssetCheckEvaluation) -> str:
    """Return a digest of what a check found; empty when it found no error."""
    if evaluation.passed or evaluation.severity is not dg.AssetCheckSeverity.ERROR:
        return ""
    return sha256((evaluation.description or "").encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _read_evaluations(
    instance: DagsterInstance, after: int | None = None, *, limit: int, ascending: bool = True
) -> Sequence[dg.EventLogRecord]:
    wanted = dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION, after_cursor=after)
    return instance.event_log_storage.get_event_records(wanted, limit=limit, ascending=ascending)


def _evaluation_of(record: dg.EventLogRecord) -> dg.AssetCheckEvaluation:
    return record.event_log_entry.get_dagster_event().asset_check_evaluation_data


def _shorten(text: str) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 4]} ..."
