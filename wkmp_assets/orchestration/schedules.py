"""The schedules: look for changes every night, ask again every week for what no service could be asked for."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from wkmp_assets.errors import SettingsError
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.orchestration.instance.dagster_api import is_cron_expression
from wkmp_assets.orchestration.jobs import KEEP_MEASUREMENTS, import_job, retry_job
from wkmp_assets.orchestration.partitions import partitions_name, partitions_per_run
from wkmp_assets.orchestration.run_requests.look import look_at_library, note_when_idle
from wkmp_assets.orchestration.run_requests.ranges import plan_ranges, range_tags
from wkmp_assets.orchestration.top_up import find_waiting
from wkmp_assets.settings import Settings

RESCAN = "nightly_rescan"
TOP_UP = "weekly_top_up"
MOST_RUNS = 1000
"""Waiting at once: 50,000 files at the default 50 a run."""


def schedules(settings: Settings) -> Sequence[dg.ScheduleDefinition]:
    """Return the schedules of a library, running from the start if the settings say so.

    Raises
    ------
    SettingsError
        A cron expression of the settings is none.
    """
    return [_nightly_rescan(settings), _weekly_top_up(settings)]


def _nightly_rescan(settings: Settings) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=RESCAN,
        job=import_job,
        cron_schedule=_cron("WKMP_RESCAN_CRON", settings.rescan_cron),
        execution_timezone=settings.time_zone,
        default_status=_status(settings),
        description="Looks through the whole music folder, imports what is new, changed or moved, and marks what is "
        "gone. For libraries without the sensor, or on file systems on which it is too slow.",
    )
    def rescan(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        now = datetime.now(UTC)
        look = look_at_library(settings, context.instance, {}, MOST_RUNS, now)
        note_when_idle(settings, look, context.log, now)
        if look.plan.register:
            context.instance.add_dynamic_partitions(partitions_name(settings), list(look.plan.register))
        return look.requests(RESCAN, now) or dg.SkipReason(f"Nothing to request: {look.summary()}")

    return rescan


def _weekly_top_up(settings: Settings) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=TOP_UP,
        job=retry_job,
        cron_schedule=_cron("WKMP_TOP_UP_CRON", settings.top_up_cron),
        execution_timezone=settings.time_zone,
        default_status=_status(settings),
        description="Asks AcoustID, MusicBrainz and AcousticBrainz again where they gave no answer before; decodes "
        "nothing.",
    )
    def top_up(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        ordered = context.instance.get_dynamic_partitions(partitions_name(settings))
        waiting = find_waiting(settings)
        deferred = {encode_key(path) for path in waiting.paths if (settings.library / path).exists()}
        ranges = plan_ranges(ordered, deferred.intersection(ordered), partitions_per_run(settings))
        if not ranges:
            return dg.SkipReason(f"Nothing to request: {str(waiting) or 'no passage waits for a service'}")
        return [dg.RunRequest(run_config=KEEP_MEASUREMENTS, tags=range_tags(files, TOP_UP)) for files in ranges]

    return top_up


def _status(settings: Settings) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if settings.schedules else dg.DefaultScheduleStatus.STOPPED


def _cron(setting: str, expression: str) -> str:
    if not is_cron_expression(expression):
        raise SettingsError(
            f"{setting}={expression!r} is no cron expression: minute, hour, day of the month, month, day of the week, "
            "like '0 3 * * *' for three o'clock every night"
        )
    return expression
