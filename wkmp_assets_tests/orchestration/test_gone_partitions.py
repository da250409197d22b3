"""The partitions of moved and deleted files: scans drop them, unless a run or backfill names them."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, closing

import dagster as dg
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.execution.asset_backfill import AssetBackfillData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import PARTITION_NAME_TAG

from wkmp_assets.cli.importer import LibraryImporter
from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.outcomes import Skipped, SkipReason
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.instance.dagster_api import partition_tags
from wkmp_assets.orchestration.jobs import import_job, retry_job, scan_job
from wkmp_assets.orchestration.partitions import library_keys, partitions_name
from wkmp_assets.orchestration.recorded_commits import recorded_commits
from wkmp_assets.orchestration.sensors import SENSOR
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.conftest import NOBODY
from wkmp_assets_tests.support.builders import commit, entry
from wkmp_assets_tests.support.checked_library import QUIET
from wkmp_assets_tests.support.memory_instance import event_storage

pytestmark = pytest.mark.slow

ODD = "b/2, odd.mp3"


def put(settings: Settings, *paths: str) -> None:
    """Put files on disk and into the library as they are, and register their partitions."""
    for path in paths:
        file = settings.library / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode())
        os.utime(file, (1_000_000_000, 1_000_000_000))
        stat = read_stat(file)
        known = {"size_bytes": stat.size_bytes, "modified_at": stat.modified_at}
        commit(settings.database_path, entry(path, path, **known))


def scan(settings: Settings, instance: DagsterInstance, folder: str = "") -> dict[str, object]:
    """Run the scan, and return what it shows."""
    job = build_definitions(settings).resolve_job_def(scan_job.name)
    config = {"ops": {"library_scan": {"config": {"folder": folder}}}, **QUIET}
    (event,) = job.execute_in_process(instance=instance, run_config=config).get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def tick(settings: Settings, instance: DagsterInstance) -> None:
    repository = build_definitions(settings).get_repository_def()
    with dg.build_sensor_context(instance=instance, repository_def=repository) as context:
        repository.get_sensor_def(SENSOR)(context)


def import_all(settings: Settings, instance: DagsterInstance) -> None:
    with closing(LibraryImporter(settings, instance, RunControl())) as importer:
        importer.scan()


def registered(settings: Settings, instance: DagsterInstance) -> list[str]:
    return list(instance.get_dynamic_partitions(partitions_name(settings)))


@pytest.mark.parametrize("look", [scan, tick, import_all])
def test_every_scan_drops_the_partitions_of_what_was_moved_or_deleted(
    settings: Settings, instance: DagsterInstance, look: Callable[[Settings, DagsterInstance], object]
) -> None:
    put(settings, "a/1.mp3", "a/moved.mp3", ODD, "b/there.mp3")
    scan(settings, instance)
    assert registered(settings, instance) == ["a/1.mp3", "a/moved.mp3", encode_key(ODD), "b/there.mp3"]
    (settings.library / "a/moved.mp3").rename(settings.library / "b/new name.mp3")
    (settings.library / ODD).unlink()
    look(settings, instance)
    assert set(registered(settings, instance)) - {"b/new name.mp3"} == {"a/1.mp3", "b/there.mp3"}
    put(settings, ODD)
    scan(settings, instance)
    assert encode_key(ODD) in registered(settings, instance), "it is back"


def test_the_scan_says_how_many_it_dropped(settings: Settings, instance: DagsterInstance) -> None:
    put(settings, "a/1.mp3", "a/2.mp3", "b/1.mp3", "b/2.mp3")
    scan(settings, instance)
    for path in ("a/2.mp3", "b/2.mp3"):
        (settings.library / path).unlink()
    shown = scan(settings, instance, "b")
    assert (shown["partitions_dropped"], shown["partitions_kept_for_runs"]) == (1, 0)
    assert registered(settings, instance) == ["a/1.mp3", "a/2.mp3", "b/1.mp3"], "only in the folder that was scanned"


@pytest.mark.parametrize("status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED])
def test_what_a_waiting_or_running_run_names_stays_until_it_ends(
    settings: Settings, instance: DagsterInstance, status: DagsterRunStatus
) -> None:
    put(settings, "1.mp3", "2.mp3", "3.mp3", "4.mp3", "5.mp3")
    scan(settings, instance)
    definitions = build_definitions(settings)
    for job, tags in ((import_job, partition_tags("1.mp3", "3.mp3")), (retry_job, {PARTITION_NAME_TAG: "4.mp3"})):
        run = instance.create_run_for_job(definitions.resolve_job_def(job.name), tags=tags, status=status)
        if status is DagsterRunStatus.STARTED:
            event_storage(instance).living_runs.begin(run.run_id)
    for name in ("2.mp3", "3.mp3", "4.mp3", "5.mp3"):
        (settings.library / name).unlink()
    shown = scan(settings, instance)
    assert (shown["partitions_dropped"], shown["partitions_kept_for_runs"]) == (1, 3)
    assert registered(settings, instance) == ["1.mp3", "2.mp3", "3.mp3", "4.mp3"]
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=[status])):
        instance.report_run_canceled(run)
    assert scan(settings, instance)["partitions_dropped"] == 3
    assert registered(settings, instance) == ["1.mp3"]


def test_what_an_unfinished_backfill_names_stays_until_it_ends(settings: Settings, instance: DagsterInstance) -> None:
    put(settings, "1.mp3", "2.mp3", "3.mp3")
    scan(settings, instance)
    data = AssetBackfillData.from_asset_partitions(
        asset_graph=build_definitions(settings).resolve_asset_graph(),
        partition_names=["1.mp3", "2.mp3"],
        asset_selection=[dg.AssetKey(ENTRY)],
        dynamic_partitions_store=instance,
        all_partitions=False,
        backfill_start_timestamp=0.0,
    )
    backfill = PartitionBackfill(
        "backfill", BulkActionStatus.REQUESTED, from_failure=False, tags={}, backfill_timestamp=0.0,
        asset_backfill_data=data, asset_selection=[dg.AssetKey(ENTRY)],
    )  # fmt: skip
    instance.add_backfill(backfill)
    for name in ("2.mp3", "3.mp3"):
        (settings.library / name).unlink()
    scan(settings, instance)
    assert registered(settings, instance) == ["1.mp3", "2.mp3"]
    instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    scan(settings, instance)
    assert registered(settings, instance) == ["1.mp3"]


def test_nothing_is_dropped_while_a_disk_may_be_unplugged(settings: Settings, instance: DagsterInstance) -> None:
    """A disk that is mounted inside the library, and then the whole library."""
    put(settings, "there.mp3", "usb/Artist/1.mp3", "usb/Artist/2.mp3")
    scan(settings, instance)
    (settings.library / "usb/Artist").rename(settings.state_dir.parent / "unplugged")
    scan(settings, instance)
    assert registered(settings, instance) == ["there.mp3", "usb/Artist/1.mp3", "usb/Artist/2.mp3"]
    (settings.library / "usb").rmdir()
    scan(settings, instance)
    assert registered(settings, instance) == ["there.mp3"], "a person has removed the folder"
    (settings.library / "there.mp3").unlink()
    for look in (scan, tick):
        with pytest.raises(LibraryRootError, match="disk is mounted"):
            look(settings, instance)
    assert registered(settings, instance) == ["there.mp3"]


def test_nothing_is_dropped_in_a_folder_that_cannot_be_read(
    public_folder: os.PathLike[str], instance: DagsterInstance, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    settings = load_settings(library_root=public_folder, state_dir=os.fspath(public_folder) + "/state")
    put(settings, "there.mp3", "A/1.mp3", "gone.mp3")
    for path in (settings.library, settings.state_dir):
        path.mkdir(exist_ok=True)
        path.chmod(0o777)
    settings.state_dir.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(settings.state_dir, NOBODY, NOBODY)
    settings.database_path.chmod(0o666)
    instance.add_dynamic_partitions(partitions_name(settings), ["there.mp3", "A/1.mp3", "A/2.mp3", "gone.mp3"])
    (settings.library / "A").chmod(0)
    (settings.library / "gone.mp3").unlink()
    with unprivileged():
        tick(settings, instance)
    assert registered(settings, instance) == ["there.mp3", "A/1.mp3", "A/2.mp3"]


def test_an_import_goes_on_though_another_scan_drops_what_it_planned(
    settings: Settings, instance: DagsterInstance
) -> None:
    for name in ("0.mp3", "1.mp3", "2.mp3", "3.mp3"):
        (settings.library / name).write_bytes(b"no audio")
    control = RunControl()
    said = {}
    control.on_commit = lambda one: said.update({one.key: one.outcome})
    with closing(LibraryImporter(settings, instance, control)) as importer:
        found = importer.scan().to_import
        (settings.library / "0.mp3").unlink()
        tick(settings, instance)
        ranges = importer.plan(found)
        assert [(files.first, files.last) for files in ranges] == [("1.mp3", "2.mp3"), ("3.mp3", "3.mp3")]
        (settings.library / "2.mp3").unlink()
        tick(settings, instance)
        assert list(importer.run(ranges)) == ranges
    assert said.keys() == {"1.mp3", "2.mp3", "3.mp3"}
    assert said["2.mp3"] == Skipped(SkipReason.GONE)


def test_the_receipts_of_a_dropped_partition_are_still_there(settings: Settings, instance: DagsterInstance) -> None:
    put(settings, "1.mp3", "2.mp3")
    scan(settings, instance)
    receipt = dg.AssetMaterialization(ENTRY, partition="2.mp3", metadata={"result": "imported"})
    instance.report_runless_asset_event(receipt)
    (settings.library / "2.mp3").unlink()
    scan(settings, instance)
    assert registered(settings, instance) == ["1.mp3"]
    assert library_keys(settings, instance) == ["1.mp3", "2.mp3"]
    assert recorded_commits(instance, settings, library_keys(settings, instance))["2.mp3"].result == "imported"


def test_a_file_that_a_pattern_passes_over_is_missing_and_loses_its_partition(
    settings: Settings, instance: DagsterInstance
) -> None:
    put(settings, "a/1.mp3", "Demos/2.mp3", "Demos/3.mp3")
    scan(settings, instance)
    (settings.library / ".wkmpignore").write_text("Demos/\n")
    shown = scan(settings, instance)
    assert registered(settings, instance) == ["a/1.mp3"]
    assert (shown["missing"], shown["ignored_in_library"]) == (2, 2)
    assert shown["passed_over_by_pattern"] == "1 by .wkmpignore"
    (settings.library / ".wkmpignore").unlink()
    shown = scan(settings, instance)
    assert (shown["missing"], shown["found_again"], shown["unchanged"]) == (0, 2, 3), "nothing is lost"


def test_a_pattern_counts_from_the_next_scan_on_in_a_process_that_lives_long(
    settings: Settings, instance: DagsterInstance
) -> None:
    put(settings, "a/1.mp3", "Demos/2.mp3")
    job = build_definitions(settings).resolve_job_def(scan_job.name)
    for patterns, expected in (("", 2), ("Demos/", 1), ("", 2)):
        (settings.library / ".wkmpignore").write_text(patterns)
        (event,) = job.execute_in_process(instance=instance, run_config=QUIET).get_asset_materialization_events()
        assert event.materialization.metadata["files"].value == expected
