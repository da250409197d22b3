"""The sensor that imports what is added to the music folder or changed in it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterInstance
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from wkmp_assets.claims import claimed_keys
from wkmp_assets.db.reader import known_files
from wkmp_assets.db.report import read_failures
from wkmp_assets.errors import LibraryRootError
from wkmp_assets.jobs import import_job
from wkmp_assets.library.changes import normalise_timestamp
from wkmp_assets.library.file_key import encode_key
from wkmp_assets.library.scan import scan_folder
from wkmp_assets.library.walk import FileStat, read_stat
from wkmp_assets.partitions import audio_files, partitions_name
from wkmp_assets.settings import Settings
from wkmp_assets.watching import FailedFile, TickLimits, TickPlan, plan_tick, run_key

SENSOR = "new_files_sensor"
FILES_TAG = "wkmp/files"
"""How many files that need an import a run carries."""

_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
"""Runs that have claimed nothing yet. What a running one carries its claims tell, also after it was killed."""


def new_files_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor of a library, running from the start if the settings say so."""

    @dg.sensor(
        name=SENSOR,
        job=import_job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.watch else dg.DefaultSensorStatus.STOPPED,
        description="Imports files that were added to the music folder, or changed, moved or replaced in it.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return _tick(settings, context.instance, context.cursor, datetime.now(UTC))

    return watch


def _tick(settings: Settings, instance: DagsterInstance, cursor: str | None, now: datetime) -> dg.SensorResult:
    """Look at the library once.

    Raises
    ------
    LibraryRootError
        The music folder cannot be read, or is empty although it held files: nothing is changed then.
    """
    ordered = instance.get_dynamic_partitions(partitions_name(settings))
    changes, report = scan_folder(settings.library, "", known_files(settings.database_path))
    if ordered and not (changes.to_import or changes.unchanged):
        # With the disk its wkmp.db is gone, too, so the scan cannot tell.
        raise LibraryRootError(
            f"{settings.library} holds no audio file any more, but {len(ordered)} were found in it before; "
            "check that its disk is mounted. Nothing was changed."
        )
    wanted = _stats(settings, changes.to_import)
    waiting = instance.get_runs(filters=dg.RunsFilter(job_name=import_job.name, statuses=_WAITING))
    in_flight = claimed_keys(settings.claims_dir).union(*(_keys_of(run, ordered) for run in waiting))
    failures = {
        encode_key(failure.path): normalise_timestamp(failure.failed_at)
        for failure in read_failures(settings.database_path)
    }
    most = None if settings.files_per_run == "all" else settings.files_per_run
    limits = TickLimits(max(settings.watch_runs - len(waiting), 0), most, settings.watch_settle_s)
    plan = plan_tick(wanted, ordered, in_flight, failures, _read_cursor(cursor), limits, now)
    requests = [
        dg.RunRequest(
            run_key=run_key(files, wanted, now),
            tags={
                ASSET_PARTITION_RANGE_START_TAG: files.first,
                ASSET_PARTITION_RANGE_END_TAG: files.last,
                FILES_TAG: str(len(files.keys)),
            },
        )
        for files in plan.ranges
    ]
    registration = [audio_files(settings).build_add_request(list(plan.register))] if plan.register else []
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else _reason(plan, len(changes.unchanged), report.unreadable_folders),
        dynamic_partitions_requests=registration,
        cursor=json.dumps({key: asdict(failed) for key, failed in plan.failed.items()}),
    )


def _stats(settings: Settings, paths: tuple[str, ...]) -> dict[str, FileStat]:
    found: dict[str, FileStat] = {}
    for path in paths:
        try:
            found[encode_key(path)] = read_stat(settings.library / path)
        except OSError:  # deleted since the scan; the next tick sees it as it is then
            continue
    return found


def _keys_of(run: dg.DagsterRun, ordered: Sequence[str]) -> Sequence[str]:
    """Return the partitions a run carries; none if they are no longer registered."""
    single = run.tags.get(PARTITION_NAME_TAG)
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, single)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG, single)
    if first not in ordered or last not in ordered:
        return []
    return ordered[ordered.index(first) : ordered.index(last) + 1]


def _read_cursor(cursor: str | None) -> dict[str, FailedFile]:
    return {key: FailedFile(**failed) for key, failed in json.loads(cursor or "{}").items()}


def _reason(plan: TickPlan, unchanged: int, unreadable: list[str]) -> str:
    parts = [
        f"{unchanged} files unchanged",
        f"{plan.in_flight} in a run already",
        f"{plan.settling} still being written",
        f"{plan.resting} failed before and not changed since (wkmp failures names them)",
        f"{plan.later} for a later tick",
        f"{len(unreadable)} folders unreadable ({', '.join(unreadable[:3])})" if unreadable else "0",
    ]
    return "Nothing to request: " + ", ".join(part for part in parts if not part.startswith("0"))
