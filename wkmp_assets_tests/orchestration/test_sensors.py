"""The sensor with a real Dagster instance, real files and a real library."""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.events import DagsterEvent
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    RUN_KEY_TAG,
    WILL_RETRY_TAG,
)

from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.walk import read_stat
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.run_requests import failed_runs
from wkmp_assets.orchestration.run_requests.failed_runs import RETRY_AFTER, FailedRun, find_failed_run
from wkmp_assets.orchestration.run_requests.requests import MAX_REQUESTS_A_DAY
from wkmp_assets.orchestration.run_tags import RESULT_TAG
from wkmp_assets.orchestration.sensors import SENSOR
from wkmp_assets.runtime.claims import open_claims
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.builders import commit, entry, run_sql, write_lock_held
from wkmp_assets_tests.support.memory_instance import event_storage
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY

SAMPLE = SAMPLE_LIBRARY / "Destructavator/UFO Alien Invasion"
SAMPLE /= "01 David01, First Movement.mp3"
Execute = Callable[[Settings, DagsterInstance, dg.SensorResult], None]


def add(settings: Settings, *paths: str, text: bytes = b"no audio") -> None:
    """Write files that were last changed long ago."""
    for path in paths:
        file = settings.library / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
        os.utime(file, (1_000_000_000, 1_000_000_000))


def tick(settings: Settings, instance: DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    """Evaluate the sensor once, and register the requested partitions, as the daemon does."""
    repository = build_definitions(settings).get_repository_def()
    sensor = repository.get_sensor_def(SENSOR)
    with dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository) as context:
        result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    for request in result.dynamic_partitions_requests or ():
        instance.add_dynamic_partitions(partitions_name(settings), list(request.partition_keys))
    return result


def ranges(result: dg.SensorResult) -> list[tuple[str, str]]:
    return [
        (request.tags[ASSET_PARTITION_RANGE_START_TAG], request.tags[ASSET_PARTITION_RANGE_END_TAG])
        for request in result.run_requests or ()
    ]


@pytest.fixture
def execute(workers: WorkerPool) -> Execute:
    """Run what a tick asks for, with the worker process of all tests."""

    def execute_all(settings: Settings, instance: DagsterInstance, result: dg.SensorResult) -> None:
        job = build_definitions(settings, resource_overrides={"workers": workers}).resolve_job_def(import_job.name)
        for request in result.run_requests or ():
            job.execute_in_process(instance=instance, tags=dict(request.tags), raise_on_error=False)

    return execute_all


@pytest.mark.parametrize(
    ("watch", "status"), [(False, dg.DefaultSensorStatus.STOPPED), (True, dg.DefaultSensorStatus.RUNNING)]
)
def test_it_is_off_unless_the_setting_turns_it_on(tmp_path: Path, watch: bool, status: dg.DefaultSensorStatus) -> None:
    definitions = build_definitions(load_settings(library_root=tmp_path, watch=watch))
    assert definitions.get_repository_def().get_sensor_def(SENSOR).default_status is status


def test_new_files_are_registered_and_requested_as_ranges(settings: Settings, instance: DagsterInstance) -> None:
    add(settings, "a/1, one.mp3", "a/2.mp3", "b/3.flac", "b/notes.txt")
    result = tick(settings, instance)
    assert instance.get_dynamic_partitions(partitions_name(settings)) == ["a/1%2C one.mp3", "a/2.mp3", "b/3.flac"]
    assert ranges(result) == [("a/1%2C one.mp3", "a/2.mp3"), ("b/3.flac", "b/3.flac")]
    assert [request.tags["wkmp/files"] for request in result.run_requests or ()] == ["2", "1"]
    keys = [request.run_key for request in result.run_requests or ()]
    assert keys == [request.run_key for request in tick(settings, instance, result.cursor).run_requests or ()]


@pytest.mark.slow
def test_files_of_waiting_runs_are_left_alone(settings: Settings, instance: DagsterInstance) -> None:
    add(settings, "1.mp3", "2.mp3", "3.mp3")
    first = tick(settings, instance)
    job = build_definitions(settings).resolve_job_def(import_job.name)
    for request in first.run_requests or ():
        instance.create_run_for_job(job, tags=dict(request.tags), status=DagsterRunStatus.NOT_STARTED)
    add(settings, "4.mp3")
    assert ranges(tick(settings, instance, first.cursor)) == [("4.mp3", "4.mp3")]


def test_files_that_a_living_run_has_claimed_are_left_alone(settings: Settings, instance: DagsterInstance) -> None:
    add(settings, "1.mp3", "2.mp3")
    with open_claims(settings.claims_dir, "another run") as claims:
        claims.claim(["1.mp3"])
        assert ranges(tick(settings, instance)) == [("2.mp3", "2.mp3")]
    assert ranges(tick(settings, instance)) == [("2.mp3", "1.mp3")]  # in the order of registration


@pytest.mark.slow
def test_files_of_a_run_that_goes_on_after_a_failed_one_are_left_alone(
    settings: Settings, instance: DagsterInstance
) -> None:
    """It has no claims: the failed run has looked at the files."""
    add(settings, "1.mp3", "2.mp3", "3.mp3")
    (request, _) = tick(settings, instance).run_requests or ()
    job = build_definitions(settings).resolve_job_def(import_job.name)
    failed = instance.create_run_for_job(job, tags=dict(request.tags), status=DagsterRunStatus.FAILURE).run_id
    again = instance.create_run_for_job(
        job, tags=dict(request.tags), parent_run_id=failed, root_run_id=failed, status=DagsterRunStatus.STARTED
    )
    event_storage(instance).living_runs.begin(again.run_id)
    assert ranges(tick(settings, instance)) == [("3.mp3", "3.mp3")]
    instance.report_run_canceled(again)
    assert len(ranges(tick(settings, instance))) == 1, "one is tried, because the first failed as a whole"


def test_files_still_being_written_are_left_to_settle(settings: Settings, instance: DagsterInstance) -> None:
    add(settings, "1.mp3")
    os.utime(settings.library / "1.mp3", (time.time(), time.time()))
    result = tick(settings, instance)
    assert not result.run_requests
    assert result.skip_reason is not None
    assert result.skip_reason.skip_message == "Nothing to request: 1 still being written"


@pytest.mark.slow
def test_a_failed_file_is_asked_for_again_only_when_it_changed(
    settings: Settings, instance: DagsterInstance, execute: Execute
) -> None:
    add(settings, "broken.mp3")
    first = tick(settings, instance)
    execute(settings, instance, first)
    second = tick(settings, instance, first.cursor)
    assert not second.run_requests
    assert "1 failed before" in str(second.skip_reason)
    assert list(json.loads(second.cursor or "")) == ["broken.mp3"]
    add(settings, "broken.mp3", text=b"other bytes, same time")
    assert ranges(tick(settings, instance, second.cursor)) == [("broken.mp3", "broken.mp3")]


@pytest.mark.slow
def test_after_an_import_that_failed_as_a_whole_one_is_tried_and_then_the_others(
    settings: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch, execute: Execute
) -> None:
    for name in ("1.mp3", "2.mp3", "3.mp3"):
        shutil.copy(SAMPLE, settings.library / name)
        os.utime(settings.library / name, (1_000_000_000, 1_000_000_000))
    settings.phase_dir.parent.mkdir(parents=True)
    settings.phase_dir.write_text("in the way of a folder")
    first = tick(settings, instance)
    assert ranges(first) == [("1.mp3", "2.mp3"), ("3.mp3", "3.mp3")]
    execute(settings, instance, first)
    resting = tick(settings, instance, first.cursor)
    assert not resting.run_requests
    run = instance.get_runs()[0].run_id[:8]
    assert f"the last import failed as a whole: run {run} shows the reason" in str(resting.skip_reason)

    monkeypatch.setattr(failed_runs, "RETRY_AFTER", timedelta(0))
    trial = tick(settings, instance, first.cursor)
    assert ranges(trial) == [("1.mp3", "2.mp3")]
    with open_claims(settings.claims_dir, "the trial") as claims:
        claims.claim(["1.mp3", "2.mp3"])
        assert not tick(settings, instance, first.cursor).run_requests, "until it is known how it went"
    settings.phase_dir.unlink()
    execute(settings, instance, trial)
    rest = tick(settings, instance, first.cursor)
    assert ranges(rest) == [("3.mp3", "3.mp3")]
    keys = [[request.run_key for request in result.run_requests or ()] for result in (first, rest)]
    assert keys[0][1] != keys[1][0], "Dagster runs nothing twice under the same key"


@pytest.mark.slow
def test_a_file_that_failed_alone_holds_up_nobody(
    settings: Settings, instance: DagsterInstance, execute: Execute
) -> None:
    add(settings, "broken.mp3")
    first = tick(settings, instance)
    execute(settings, instance, first)
    assert instance.get_runs()[0].status is DagsterRunStatus.FAILURE
    add(settings, "1.mp3", "2.mp3", "3.mp3")
    assert len(ranges(tick(settings, instance, first.cursor))) == 2


def test_a_run_that_dagster_starts_again_holds_up_nobody(settings: Settings, instance: DagsterInstance) -> None:
    job = build_definitions(settings).resolve_job_def(import_job.name)
    for tags in ({WILL_RETRY_TAG: "false"}, {WILL_RETRY_TAG: "true"}):
        run = instance.create_run_for_job(job, tags=tags, status=DagsterRunStatus.STARTED)
        instance.report_run_failed(run, "its process is gone")
        assert instance.get_runs()[0].tags[WILL_RETRY_TAG] == tags[WILL_RETRY_TAG]
    broken = find_failed_run(settings, instance, datetime.now(UTC))
    assert broken is not None
    assert (broken.run_id, broken.is_over) == (instance.get_runs()[1].run_id, True)


def end(settings: Settings, instance: DagsterInstance, request: dg.RunRequest, status: DagsterRunStatus) -> str:
    """Record that a requested run has ended, as the daemon and the run do."""
    job = build_definitions(settings).resolve_job_def(import_job.name)
    tags = {**request.tags, RUN_KEY_TAG: str(request.run_key), RESULT_TAG: "1 imported"}
    return instance.create_run_for_job(job, tags=tags, status=status).run_id


def only_request(result: dg.SensorResult) -> dg.RunRequest:
    (request,) = result.run_requests or ()
    return request


@pytest.mark.slow
def test_what_a_lost_library_had_today_is_requested_again_under_a_key_that_dagster_has_not_seen(
    settings: Settings, instance: DagsterInstance
) -> None:
    """`wkmp.db` is deleted or an older one restored, as often as a person tries it in a day."""
    add(settings, "1.mp3")
    used: set[str | None] = set()
    for _ in range(MAX_REQUESTS_A_DAY):
        request = only_request(tick(settings, instance))
        assert request.run_key not in used
        used.add(request.run_key)
        last = end(settings, instance, request, DagsterRunStatus.SUCCESS)
    result = tick(settings, instance)
    assert not result.run_requests
    assert f"1 file from 1.mp3 on: 4 runs of today have ended, and they still need an import. Run {last[:8]}" in str(
        result.skip_reason
    )
    add(settings, "2.mp3")
    assert tick(settings, instance).run_requests, "other files make another key"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "tags", "said"),
    [
        (DagsterRunStatus.STARTED, {}, "has them"),
        (DagsterRunStatus.CANCELED, {}, "was cancelled. They are requested again after midnight UTC"),
        (DagsterRunStatus.FAILURE, {WILL_RETRY_TAG: "true"}, "failed, and Dagster starts it again"),
    ],
)
def test_a_request_that_dagster_would_ignore_is_said_and_not_made(
    settings: Settings, instance: DagsterInstance, status: DagsterRunStatus, tags: dict[str, str], said: str
) -> None:
    add(settings, "1.mp3")
    request = only_request(tick(settings, instance))
    run_id = end(settings, instance, request, status)
    instance.add_run_tags(run_id, tags)
    result = tick(settings, instance)
    assert not result.run_requests
    assert f"Nothing to request: 1 file from 1.mp3 on: run {run_id[:8]} {said}" in str(result.skip_reason)


def test_a_tick_without_any_file_says_so(settings: Settings, instance: DagsterInstance) -> None:
    assert "Nothing to request: there is no audio file" in str(tick(settings, instance).skip_reason)


def end_at(settings: Settings, instance: DagsterInstance, kind: dg.DagsterEventType, time: datetime) -> None:
    """Record an import that ended at a time, by the clock of its machine."""
    job = build_definitions(settings).resolve_job_def(import_job.name)
    run = instance.create_run_for_job(job, status=DagsterRunStatus.STARTED)
    instance.run_storage.handle_run_event(run.run_id, DagsterEvent(kind.value, run.job_name), time)


@pytest.mark.slow
def test_a_clock_that_was_ahead_pauses_nothing(settings: Settings, instance: DagsterInstance) -> None:
    add(settings, "1.mp3", "2.mp3", "3.mp3")
    now = datetime.now(UTC)
    end_at(settings, instance, dg.DagsterEventType.RUN_FAILURE, now + timedelta(days=365))
    assert len(ranges(tick(settings, instance))) == 1, "one is tried at once"
    end_at(settings, instance, dg.DagsterEventType.RUN_SUCCESS, now)
    assert len(ranges(tick(settings, instance))) == 2, "then the others"
    end_at(settings, instance, dg.DagsterEventType.RUN_FAILURE, now)
    assert "One run is tried after" in str(tick(settings, instance).skip_reason), "by a clock that is right"


def test_how_many_runs_may_be_requested_after_an_import_that_failed_as_a_whole() -> None:
    ended = datetime(2026, 1, 1, tzinfo=UTC)
    broken, later = FailedRun("run", ended, is_over=False), ended + RETRY_AFTER
    assert broken.limit_runs(5, later - timedelta(seconds=1), is_busy=False) == 0
    assert broken.limit_runs(5, later, is_busy=True) == 0
    assert broken.limit_runs(5, later, is_busy=False) == 1
    assert broken.limit_runs(0, later, is_busy=False) == 0
    assert FailedRun("run", ended, is_over=True).limit_runs(5, ended, is_busy=True) == 5
    assert broken.limit_runs(5, ended - timedelta(days=365), is_busy=False) == 1, "the clock was ahead when it ended"


def test_an_emptied_folder_is_an_error_and_changes_nothing(settings: Settings, instance: DagsterInstance) -> None:
    add(settings, "1.mp3")
    tick(settings, instance)
    (settings.library / "1.mp3").unlink()
    with pytest.raises(LibraryRootError, match=r"1 were found in it before; check that its disk is mounted"):
        tick(settings, instance)
    assert instance.get_dynamic_partitions(partitions_name(settings)) == ["1.mp3"]


def test_a_folder_that_is_gone_is_an_error(settings: Settings, instance: DagsterInstance) -> None:
    settings.library.rmdir()
    with pytest.raises(LibraryRootError, match="cannot read the music folder"):
        tick(settings, instance)


def test_unreadable_folders_are_named(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    settings = load_settings(library_root=public_folder, state_dir=public_folder / "state")
    public_folder.chmod(0o777)
    (settings.library / "locked").mkdir(mode=0)
    with unprivileged(), DagsterInstance.ephemeral() as instance:  # which has no files
        settings.state_dir.mkdir()
        result = tick(settings, instance)
    assert "1 folders unreadable (locked)" in str(result.skip_reason)


def known(settings: Settings, *paths: str) -> None:
    """Put files on disk, and into the library with their size and time."""
    add(settings, *paths)
    for path in paths:
        stat = read_stat(settings.library / path)
        known = {"size_bytes": stat.size_bytes, "modified_at": stat.modified_at}
        commit(settings.database_path, entry(path, path, **known))


def test_a_tick_with_nothing_to_import_marks_what_is_gone(settings: Settings, instance: DagsterInstance) -> None:
    known(settings, "a.mp3", "gone.mp3")
    (settings.library / "gone.mp3").unlink()
    add(settings, "new.mp3")
    tick(settings, instance)
    assert read_missing(settings.database_path) == [], "the new one may be it, moved"
    (settings.library / "new.mp3").unlink()
    assert "1 no longer on disk" in str(tick(settings, instance).skip_reason)
    assert [one.path for one in read_missing(settings.database_path)] == ["gone.mp3"]


@pytest.mark.slow
def test_a_locked_library_costs_no_tick(settings: Settings, instance: DagsterInstance) -> None:
    known(settings, "a.mp3", "gone.mp3")
    run_sql(settings.database_path, "INSERT INTO settings (key, value) VALUES ('ai_database_max_lock_wait_ms', '500')")
    (settings.library / "gone.mp3").unlink()
    with write_lock_held(settings.database_path):
        assert "1 no longer on disk" in str(tick(settings, instance).skip_reason)
    assert read_missing(settings.database_path) == []
    tick(settings, instance)
    assert [one.path for one in read_missing(settings.database_path)] == ["gone.mp3"]


@pytest.mark.slow
def test_a_failed_file_whose_name_is_not_utf8_rests_like_any_other(
    settings: Settings, instance: DagsterInstance, execute: Execute
) -> None:
    add(settings, "caf\udce9.mp3")
    first = tick(settings, instance)
    execute(settings, instance, first)
    second = tick(settings, instance, first.cursor)
    assert not second.run_requests
    assert "1 failed before" in str(second.skip_reason)


@pytest.mark.slow
def test_an_imported_file_is_left_alone_until_it_is_moved(
    settings: Settings, instance: DagsterInstance, execute: Execute
) -> None:
    shutil.copy(SAMPLE, settings.library / "1.mp3")
    os.utime(settings.library / "1.mp3", (1_000_000_000, 1_000_000_000))
    first = tick(settings, instance)
    execute(settings, instance, first)
    second = tick(settings, instance, first.cursor)
    assert not second.run_requests
    assert "1 files unchanged" in str(second.skip_reason)
    (settings.library / "1.mp3").rename(settings.library / "2.mp3")
    third = tick(settings, instance, second.cursor)
    assert ranges(third) == [("2.mp3", "2.mp3")]
    execute(settings, instance, third)
    with closing(sqlite3.connect(settings.database_path)) as library:
        assert library.execute("SELECT path, status FROM files").fetchall() == [("2.mp3", "INGEST COMPLETE")]


@pytest.mark.slow
def test_a_file_of_any_year_is_imported_once(settings: Settings, instance: DagsterInstance, execute: Execute) -> None:
    for number, seconds in enumerate((-3_000_000_000_000, -11_644_473_600, -1, 910_692_730_085)):
        file = settings.library / f"{number}.mp3"
        file.write_bytes(SAMPLE.read_bytes() + bytes(number))
        os.utime(file, (seconds, seconds))  # the file system may round it to what it can store
    first = tick(settings, instance)
    assert [file for one in ranges(first) for file in one] == ["0.mp3", "1.mp3", "2.mp3", "3.mp3"]
    execute(settings, instance, first)
    second = tick(settings, instance, first.cursor)
    assert ranges(second) == []
    assert "4 files unchanged" in str(second.skip_reason)
