"""The schedules with real Dagster instances, real files, and services on this machine."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance
from werkzeug import Response

from wkmp_assets.db.read.counts import Deferred, read_deferred
from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.errors import LibraryRootError, SettingsError
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.run_tags import FILES_TAG, REQUESTED_BY_TAG
from wkmp_assets.orchestration.schedules import NIGHTLY_RESCAN, NIGHTLY_TIDY, WEEKLY_TOP_UP
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.music_services import KEY, MusicServices
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY

pytestmark = pytest.mark.slow

SAMPLE = SAMPLE_LIBRARY / "azrael1322/azrael1.mp3"


@pytest.fixture
def instance(dagster_home: Path) -> Iterator[DagsterInstance]:  # noqa: ARG001 - the place of what is made
    """An instance on disk, because a schedule's runs refer to it by its DAGSTER_HOME."""
    with DagsterInstance.get() as made:
        yield made


def add(settings: Settings, *paths: str) -> None:
    for path in paths:
        file = settings.library / path
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SAMPLE, file)
        with file.open("ab") as end:
            end.write(path.encode())  # or they were duplicates
        os.utime(file, (1_000_000_000, 1_000_000_000))


def evaluate(settings: Settings, instance: DagsterInstance, name: str) -> list[dg.RunRequest] | dg.SkipReason:
    repository = build_definitions(settings).get_repository_def()
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime(2026, 3, 1, 3, tzinfo=UTC), repository_def=repository
    )
    found = repository.get_schedule_def(name)(context)
    assert isinstance(found, list | dg.SkipReason)
    return found


Execute = Callable[[Settings, str], list[dict[str, str]]]


@pytest.fixture
def execute(instance: DagsterInstance, workers: WorkerPool) -> Execute:
    """Evaluate a schedule, run what it requests, and return the tags of the runs."""

    def execute_one(settings: Settings, name: str) -> list[dict[str, str]]:
        definitions = build_definitions(settings, resource_overrides={"workers": workers})
        requests = evaluate(settings, instance, name)
        assert isinstance(requests, list), requests
        job = definitions.resolve_job_def(definitions.get_repository_def().get_schedule_def(name).job_name)
        for request in requests:
            assert job.execute_in_process(
                instance=instance, tags=dict(request.tags), run_config=dict(request.run_config)
            ).success
        return [dict(request.tags) for request in requests]

    return execute_one


def skipped(settings: Settings, instance: DagsterInstance, name: str) -> str:
    found = evaluate(settings, instance, name)
    assert isinstance(found, dg.SkipReason)
    assert found.skip_message
    return found.skip_message


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(settings.database_path)) as library:
        return library.execute(query).fetchall()


@pytest.mark.parametrize(
    ("schedules", "status"), [(False, dg.DefaultScheduleStatus.STOPPED), (True, dg.DefaultScheduleStatus.RUNNING)]
)
def test_when_and_whether_they_run_is_set(tmp_path: Path, schedules: bool, status: dg.DefaultScheduleStatus) -> None:
    settings = load_settings(
        library_root=tmp_path, schedules=schedules, rescan_cron="1 2 * * *", top_up_cron="3 4 * * 5",
        tidy_cron="5 6 * * *", time_zone="Europe/Berlin",
    )  # fmt: skip
    repository = build_definitions(settings).get_repository_def()
    for name, cron in ((NIGHTLY_RESCAN, "1 2 * * *"), (WEEKLY_TOP_UP, "3 4 * * 5"), (NIGHTLY_TIDY, "5 6 * * *")):
        made = repository.get_schedule_def(name)
        assert (made.cron_schedule, made.execution_timezone, made.default_status) == (cron, "Europe/Berlin", status)


@pytest.mark.parametrize("setting", ["rescan_cron", "top_up_cron", "tidy_cron"])
def test_what_is_no_cron_expression_is_refused_by_the_setting_s_name(tmp_path: Path, setting: str) -> None:
    settings = load_settings(library_root=tmp_path, **{setting: "every night"})
    with pytest.raises(SettingsError, match=f"WKMP_{setting.upper()} is 'every night', which is no cron expression"):
        build_definitions(settings)


def test_what_is_no_time_zone_is_refused_by_the_setting_s_name() -> None:
    with pytest.raises(SettingsError, match=r"WKMP_TIME_ZONE.*like Europe/Berlin"):
        load_settings(time_zone="Berlin")


def test_the_rescan_imports_what_is_new_and_then_nothing(
    settings: Settings, instance: DagsterInstance, execute: Execute
) -> None:
    add(settings, "a/1.mp3", "a/2.mp3", "b/3.mp3")
    tags = execute(settings, NIGHTLY_RESCAN)
    assert [(one[FILES_TAG], one[REQUESTED_BY_TAG]) for one in tags] == [("2", NIGHTLY_RESCAN), ("1", NIGHTLY_RESCAN)]
    assert instance.get_dynamic_partitions(partitions_name(settings)) == ["a/1.mp3", "a/2.mp3", "b/3.mp3"]
    assert rows(settings, "SELECT DISTINCT status, count(*) FROM files") == [("INGEST COMPLETE", 3)]
    (settings.library / "a/2.mp3").unlink()
    assert skipped(settings, instance, NIGHTLY_RESCAN) == "Nothing to request: 2 files unchanged, 1 no longer on disk"
    assert [one.path for one in read_missing(settings.database_path)] == ["a/2.mp3"]
    assert instance.get_dynamic_partitions(partitions_name(settings)) == ["a/1.mp3", "b/3.mp3"]


def test_the_rescan_takes_an_empty_root_for_an_error(
    settings: Settings, instance: DagsterInstance, execute: Execute
) -> None:
    add(settings, "a/1.mp3")
    execute(settings, NIGHTLY_RESCAN)
    before = rows(settings, "SELECT * FROM files")
    (settings.library / "a/1.mp3").unlink()
    with pytest.raises(LibraryRootError, match="disk is mounted"):
        evaluate(settings, instance, NIGHTLY_RESCAN)
    assert rows(settings, "SELECT * FROM files") == before
    assert instance.get_dynamic_partitions(partitions_name(settings)) == ["a/1.mp3"]


def asking_of(settings: Settings, services: MusicServices) -> Settings:
    return replace(
        settings,
        acoustid_api_key=Secret(KEY), acoustid_url=services.acoustid_url, acoustid_interval_ms=0,
        musicbrainz_url=services.musicbrainz_url, musicbrainz_interval_ms=0,
        acousticbrainz_url=services.acousticbrainz_url, acousticbrainz_interval_ms=0,
    )  # fmt: skip


def test_the_top_up_asks_for_what_was_deferred_and_nothing_else(
    settings: Settings, instance: DagsterInstance, services: MusicServices, execute: Execute
) -> None:
    asking = asking_of(settings, services)
    add(settings, "a/1.mp3")
    execute(asking, NIGHTLY_RESCAN)
    assert skipped(asking, instance, WEEKLY_TOP_UP) == "Nothing to request: no lookup is deferred"
    add(settings, "a/2.mp3", "b/3.mp3")
    shutil.rmtree(settings.services_dir)
    services.musicbrainz_behaviour = lambda _request: Response(status=503, headers={"Retry-After": "3600"})
    execute(asking, NIGHTLY_RESCAN)
    assert read_deferred(settings.database_path).lookups == ["a/2.mp3", "b/3.mp3"]
    services.musicbrainz_behaviour = lambda _request: None
    tags = execute(asking, WEEKLY_TOP_UP)
    assert [(one[FILES_TAG], one[REQUESTED_BY_TAG]) for one in tags] == [("2", WEEKLY_TOP_UP)]
    assert read_deferred(settings.database_path) == Deferred([], [])
    assert isinstance(evaluate(asking, instance, WEEKLY_TOP_UP), dg.SkipReason)


def test_the_top_up_fetches_classes_once_acousticbrainz_answers_and_measures_nothing_again(
    settings: Settings, instance: DagsterInstance, services: MusicServices, execute: Execute
) -> None:
    asking = asking_of(settings, services)
    down = Response(status=503, headers={"Retry-After": "3600"})
    services.acousticbrainz_behaviour = lambda _request: down
    add(settings, "a/1.mp3")
    execute(asking, NIGHTLY_RESCAN)
    measured = rows(settings, "SELECT musical_flavor_vector, lead_out_start_ticks FROM passages")
    assert read_deferred(settings.database_path).classes == ["a/1.mp3"]
    assert services.count("AcousticBrainz") == 1
    left = "1 files lack only classes, and AcousticBrainz is not asked: HTTP 503, come back in 3600 s"
    assert skipped(asking, instance, WEEKLY_TOP_UP) == f"Nothing to request: {left}"
    services.acousticbrainz_behaviour = lambda _request: None
    ((recording,),) = rows(settings, "SELECT recording_mbid FROM passages")
    services.classes[str(recording)] = {"highlevel": {"mood_happy": {"all": {"happy": 0.75, "not_happy": 0.25}}}}
    shutil.rmtree(settings.pcm_dir)
    (settings.library / "a/1.mp3").rename(settings.library / "a/1.mp3.away")
    gone = "Nothing to request: 1 file with deferred lookups no longer on disk"
    assert skipped(asking, instance, WEEKLY_TOP_UP) == gone
    (settings.library / "a/1.mp3").write_bytes(b"opening this would fail")
    execute(asking, WEEKLY_TOP_UP)
    ((vector, lead_out),) = rows(settings, "SELECT musical_flavor_vector, lead_out_start_ticks FROM passages")
    flavor = json.loads(str(vector))
    assert flavor.pop("mood_happy") == {"happy": 0.75, "not_happy": 0.25}
    assert [(json.dumps(flavor), lead_out)] == measured
    assert not settings.pcm_dir.exists()
    assert read_deferred(settings.database_path) == Deferred([], [])
