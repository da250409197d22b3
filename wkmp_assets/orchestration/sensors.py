"""The sensor that imports what is added to the music folder or changed in it."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import dagster as dg

from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.partitions import audio_files
from wkmp_assets.orchestration.run_requests.failed_runs import last_breakdown
from wkmp_assets.orchestration.run_requests.look import look_at_library, note_when_idle
from wkmp_assets.orchestration.run_requests.tick import FailedFile
from wkmp_assets.settings import Settings

SENSOR = "new_files_sensor"


def new_files_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor of a library, running from the start if the settings say so."""

    @dg.sensor(
        name=SENSOR,
        job=import_job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.watch else dg.DefaultSensorStatus.STOPPED,
        description="Imports files that were added to the music folder, or changed, moved or replaced in it, and marks "
        "those that are gone.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        broken = last_breakdown(context.instance)
        remembered = _read_cursor(context.cursor)
        look = look_at_library(settings, context.instance, remembered, settings.watch_runs, now, broken)
        requests, register = look.requests(SENSOR, now, broken.run_id if broken else ""), list(look.plan.register)
        waits = f"; {broken}" if broken and not broken.is_over and look.plan.later else ""
        for folder in look.changes.unreadable:
            context.log.warning("%s cannot be read: so no file in it is imported", settings.library / folder)
        note_when_idle(settings, look, context.log, now)
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else f"Nothing to request: {look.summary()}{waits}",
            dynamic_partitions_requests=[audio_files(settings).build_add_request(register)] if register else [],
            cursor=json.dumps({key: asdict(failed) for key, failed in look.plan.failed.items()}),
        )

    return watch


def _read_cursor(cursor: str | None) -> dict[str, FailedFile]:
    return {key: FailedFile(**failed) for key, failed in json.loads(cursor or "{}").items()}
