"""Two libraries in one Dagster instance, with files at the same paths."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.storage.tags import PARTITION_NAME_TAG, RUN_KEY_TAG

from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.gone_files import find_partitions_in_use
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.recorded_commits import name_library, recorded_commits
from wkmp_assets.orchestration.run_requests import failed_runs
from wkmp_assets.orchestration.run_requests.failed_runs import find_failed_run
from wkmp_assets.orchestration.run_requests.survey import find_pending_runs
from wkmp_assets.orchestration.run_tags import LIBRARY_TAG
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.orchestration.test_sensors import add, tick
from wkmp_assets_tests.support.builders import column
from wkmp_assets_tests.support.checked_library import CheckedLibrary
from wkmp_assets_tests.support.tones import tone

pytestmark = pytest.mark.slow


@pytest.fixture
def other(settings: Settings, tmp_path: Path) -> Settings:
    """Of the second library."""
    (tmp_path / "other").mkdir()
    return load_settings(
        library_root=tmp_path / "other", state_dir=settings.state_dir, files_per_run=2, workers=1, watch_runs=1
    )


def run_of(settings: Settings, instance: DagsterInstance, status: DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    """A run of a library, as the daemon and the Launchpad make it: with the tags of its job."""
    job = build_definitions(settings).resolve_job_def(import_job.name)
    return instance.create_run_for_job(job, tags={**job.run_tags, PARTITION_NAME_TAG: "1.mp3", **tags}, status=status)


def test_each_library_reads_its_own_receipts(library: CheckedLibrary, tmp_path: Path) -> None:
    other = library.with_settings(library_root=tmp_path / "other")
    other.music = tmp_path / "other"
    other.music.mkdir()
    for one, pitch in ((library, 300), (other, 400)):
        tone(one.music / "1.wav", pitch)
    library.import_all()
    other.import_all()
    for one in (library, other):
        commit = recorded_commits(one.instance, one.settings, ["1.wav"])["1.wav"]
        assert commit.receipt is not None
        assert commit.receipt.written is not None
        assert [commit.receipt.written.file] == column(one.database, "SELECT guid FROM files")
        assert one.instance.get_run_by_id(commit.run_id).tags[LIBRARY_TAG] == one.settings.library_id  # type: ignore[union-attr]  # the run has just written
    evaluations = library.check("file_is_all_or_nothing")
    assert evaluations["file_is_all_or_nothing"].passed


def test_receipts_of_earlier_versions_count_and_those_of_other_libraries_hide_none(
    settings: Settings, other: Settings, instance: DagsterInstance
) -> None:
    def materialize(result: str, **metadata: str) -> None:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(ENTRY, partition="1.mp3", metadata={"result": result, **metadata})
        )

    materialize("imported")
    assert recorded_commits(instance, settings, ["1.mp3"])["1.mp3"].result == "imported"
    materialize("moved", **name_library(settings))
    for _ in range(3):
        materialize("duplicate", **name_library(other))
    assert recorded_commits(instance, settings, ["1.mp3", "2.mp3"])["1.mp3"].result == "moved"
    assert recorded_commits(instance, other, ["1.mp3"])["1.mp3"].result == "duplicate"
    assert recorded_commits(instance, other, []) == {}


def test_the_queue_of_one_library_holds_up_no_other(
    settings: Settings, other: Settings, instance: DagsterInstance
) -> None:
    add(settings, "1.mp3")
    add(other, "1.mp3")
    for one in (settings, other):
        instance.add_dynamic_partitions(partitions_name(one), ["1.mp3"])
    waiting = run_of(settings, instance, DagsterRunStatus.NOT_STARTED)
    assert find_pending_runs(other, instance) == []
    assert len(tick(other, instance).run_requests or ()) == 1
    assert find_partitions_in_use(other, instance, ["1.mp3"]) == frozenset()
    assert [run.run_id for run in find_pending_runs(settings, instance)] == [waiting.run_id]
    assert not tick(settings, instance).run_requests
    assert find_partitions_in_use(settings, instance, ["1.mp3"]) == {"1.mp3"}


def test_a_breakdown_of_one_library_pauses_no_other(
    settings: Settings, other: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_runs, "_MAX_RUNS", 2)
    broken = run_of(settings, instance, DagsterRunStatus.STARTED)
    instance.report_run_failed(broken, "a full disk")
    now = datetime.now(UTC)
    assert find_failed_run(other, instance, now) is None
    for _ in range(2):
        instance.report_run_failed(run_of(other, instance, DagsterRunStatus.STARTED), "another full disk")
    found = find_failed_run(settings, instance, now)
    assert found is not None
    assert (found.run_id, found.is_over) == (broken.run_id, False)


def test_runs_of_earlier_versions_count(settings: Settings, instance: DagsterInstance) -> None:
    job = build_definitions(settings).resolve_job_def(import_job.name)
    for status in (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED):
        run = instance.create_run_for_job(job, tags={PARTITION_NAME_TAG: "1.mp3"}, status=status)
        instance.run_storage.add_run_tags(run.run_id, {})
    assert [LIBRARY_TAG in run.tags for run in instance.get_runs()] == [False, False]
    assert len(find_pending_runs(settings, instance)) == 1
    instance.report_run_failed(run, "a full disk")
    assert find_failed_run(settings, instance, datetime.now(UTC)) is not None


def test_equal_files_of_two_libraries_have_different_run_keys(
    settings: Settings, other: Settings, instance: DagsterInstance
) -> None:
    keys = set()
    for one in (settings, other):
        add(one, "1.mp3")
        (request,) = tick(one, instance).run_requests or ()
        keys.add(request.run_key)
        run_of(one, instance, DagsterRunStatus.SUCCESS, **{RUN_KEY_TAG: str(request.run_key)})
    assert len(keys) == 2
