"""The schedules: import changes and forget old runs every night, and retry deferred lookups every week."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from wkmp_assets.errors import SettingsError
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.orchestration.gone_files import drop_gone
from wkmp_assets.orchestration.instance.dagster_api import is_cron_expression
from wkmp_assets.orchestration.jobs import KEEP_MEASUREMENTS, import_job, retry_job, scan_job
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.retry_deferred import plan_retry
from wkmp_assets.orchestration.run_requests.ranges import plan_ranges, range_tags
from wkmp_assets.orchestration.run_requests.requests import RunKeys
from wkmp_assets.orchestration.run_requests.run_sizes import size_by_count
from wkmp_assets.orchestration.run_requests.survey import mark_missing_when_idle, survey_library
from wkmp_assets.orchestration.tidy import tidy
from wkmp_assets.report.text import counted
from wkmp_assets.settings import Settings, name_source

NIGHTLY_RESCAN = "nightly_rescan"
WEEKLY_TOP_UP = "weekly_top_up"
NIGHTLY_TIDY = "nightly_tidy"
MAX_TIDIED_RUNS = 200
"""In one night, because Dagster gives a schedule a minute: 10,000 files with the default of 50 a run."""
MAX_PENDING_RUNS = 1000
"""50,000 files with the default of 50 a run."""


def schedules(settings: Settings) -> Sequence[dg.ScheduleDefinition]:
    """Return the schedules of a library. With WKMP_SCHEDULES they run from the start.

    Raises
    ------
    SettingsError
        A setting is not a cron expression.
    """
    return [_nightly_rescan(settings), _weekly_retry(settings), _nightly_tidy(settings)]


def _nightly_rescan(settings: Settings) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=NIGHTLY_RESCAN,
        job_name=import_job.name,
        cron_schedule=_cron("rescan_cron", settings.rescan_cron),
        execution_timezone=settings.time_zone,
        default_status=_status(settings),
        description="Scans the whole music folder, imports new, changed and moved files, and marks missing ones. Use "
        "it instead of the sensor, for example on a file system that is slow to scan.",
    )
    def rescan(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        now = datetime.now(UTC)
        survey = survey_library(settings, context.instance, {}, MAX_PENDING_RUNS, now)
        mark_missing_when_idle(settings, survey, context.log, now)
        drop_gone(settings, context.instance, survey.changes).log(context.log)
        if survey.plan.register:
            context.instance.add_dynamic_partitions(partitions_name(settings), list(survey.plan.register))
        requests = RunKeys(settings, context.instance, survey, now).request(NIGHTLY_RESCAN)
        reasons = filter(None, [str(survey), *requests.withheld])
        return list(requests.runs) or dg.SkipReason(f"Nothing to request: {'; '.join(reasons)}")

    return rescan


def _weekly_retry(settings: Settings) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=WEEKLY_TOP_UP,
        job_name=retry_job.name,
        cron_schedule=_cron("top_up_cron", settings.top_up_cron),
        execution_timezone=settings.time_zone,
        default_status=_status(settings),
        description="Asks AcoustID, MusicBrainz and AcousticBrainz again about files with deferred lookups. Decodes no "
        "file.",
    )
    def retry_lookups(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        ordered = context.instance.get_dynamic_partitions(partitions_name(settings))
        retry = plan_retry(settings)
        on_disk = {encode_key(path) for path in retry.paths if (settings.library / path).exists()}
        registered = on_disk.intersection(ordered)
        ranges = plan_ranges(ordered, registered, size_by_count(settings))
        if not ranges:
            gone, unknown = len(retry.paths) - len(on_disk), len(on_disk - registered)
            reasons = [
                str(retry),
                f"{counted(gone, 'file')} with deferred lookups no longer on disk" if gone else "",
                f"{counted(unknown, 'file')} with deferred lookups without a partition: scan the library"
                if unknown
                else "",
            ]
            return dg.SkipReason(f"Nothing to request: {'; '.join(filter(None, reasons)) or 'no lookup is deferred'}")
        return [
            dg.RunRequest(run_config=KEEP_MEASUREMENTS, tags=range_tags(files, WEEKLY_TOP_UP, settings))
            for files in ranges
        ]

    return retry_lookups


def _nightly_tidy(settings: Settings) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=NIGHTLY_TIDY,
        job_name=scan_job.name,
        cron_schedule=_cron("tidy_cron", settings.tidy_cron),
        execution_timezone=settings.time_zone,
        default_status=_status(settings),
        description="Removes runs that ended more than WKMP_HISTORY_DAYS ago, with their events. What was found last "
        "of each file stays. It does this itself and requests no run.",
    )
    def forget_old_runs(context: dg.ScheduleEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(str(tidy(settings, context.instance, datetime.now(UTC), MAX_TIDIED_RUNS)))

    return forget_old_runs


def _status(settings: Settings) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if settings.schedules else dg.DefaultScheduleStatus.STOPPED


def _cron(setting: str, expression: str) -> str:
    if not is_cron_expression(expression):
        raise SettingsError(
            f"{name_source(setting)} is {expression!r}, which is no cron expression. Give minute, hour, day of the "
            "month, month and day of the week, for example '0 3 * * *' for every night at three o'clock"
        )
    return expression
