"""The sensor that imports new and changed files of the music folder."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import dagster as dg

from wkmp_assets.orchestration.gone_files import drop_gone
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.partitions import audio_files
from wkmp_assets.orchestration.run_requests.failed_runs import find_failed_run
from wkmp_assets.orchestration.run_requests.requests import RunKeys
from wkmp_assets.orchestration.run_requests.survey import mark_missing_when_idle, survey_library
from wkmp_assets.orchestration.run_requests.tick import FailedFile
from wkmp_assets.settings import Settings

SENSOR = "new_files_sensor"


def new_files_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor of a library. With WKMP_WATCH it runs from the start."""

    @dg.sensor(
        name=SENSOR,
        job_name=import_job.name,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.watch else dg.DefaultSensorStatus.STOPPED,
        description="Imports files that are new, changed, moved or replaced in the music folder, and marks files that "
        "are missing. A tick without a run says what it found. A file that failed is tried again when it changes.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        failed_run = find_failed_run(settings, context.instance, now)
        remembered = _read_cursor(context.cursor)
        survey = survey_library(settings, context.instance, remembered, settings.watch_runs, now, failed_run)
        after = failed_run.run_id if failed_run else ""
        requests = RunKeys(settings, context.instance, survey, now, after).request(SENSOR)
        register = list(survey.plan.register)
        is_paused = failed_run and not failed_run.is_over and survey.plan.postponed_count
        reasons = [str(survey), *requests.withheld, *([str(failed_run)] if is_paused else [])]
        for folder in survey.changes.unreadable:
            context.log.warning(
                "%s cannot be read, so no file in it is imported; check its permissions", settings.library / folder
            )
        if requests.runs:
            for reason in requests.withheld:
                context.log.info("not requested: %s", reason)
        mark_missing_when_idle(settings, survey, context.log, now)
        drop_gone(settings, context.instance, survey.changes).log(context.log)
        return dg.SensorResult(
            run_requests=requests.runs,
            skip_reason=None if requests.runs else f"Nothing to request: {'; '.join(filter(None, reasons))}",
            dynamic_partitions_requests=[audio_files(settings).build_add_request(register)] if register else [],
            cursor=json.dumps({key: asdict(failed) for key, failed in survey.plan.failed.items()}),
        )

    return watch


def _read_cursor(cursor: str | None) -> dict[str, FailedFile]:
    return {key: FailedFile(**failed) for key, failed in json.loads(cursor or "{}").items()}
