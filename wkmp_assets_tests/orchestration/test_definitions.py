"""The code location and its instance settings, as Dagster loads them."""

import multiprocessing
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import DagsterInstance, EventLogEntry

from wkmp_assets.db.read.described_tables import describe_tables
from wkmp_assets.model.phases import ENTRY, PICTURE, REPORT, SCAN
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage, KeptOpenSqliteStorage
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.patience import PATIENCE_S

PER_FILE = {
    "file_identity",
    "file_tags",
    "passage_segments",
    "fingerprints",
    "recording_lookups",
    "song_matches",
    "lead_points",
    "flavors",
    "library_entry",
}


def settings_for(folder: Path, **overrides: object) -> Settings:
    return load_settings(library_root=folder, state_dir=folder / "state", **overrides)


def assets_of(definitions: dg.Definitions) -> dict[str, dg.AssetsDefinition]:
    return {
        asset.key.to_user_string(): asset
        for asset in definitions.assets or ()
        if isinstance(asset, dg.AssetsDefinition)
    }


@pytest.mark.long
def test_the_code_location_loads_with_an_empty_environment() -> None:
    code = "from wkmp_assets.definitions import defs; print(len(list(defs.resolve_all_asset_keys())))"
    result = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code],
        env={},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) == 12 + len(describe_tables())


def test_every_asset_but_the_scan_has_one_partition_per_file(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    assets = assets_of(build_definitions(settings))
    assert set(assets) == PER_FILE | {SCAN, PICTURE, REPORT}
    assert assets[SCAN].partitions_def is None
    assert assets[REPORT].partitions_def is None
    for name in PER_FILE:
        partitions = assets[name].partitions_def
        assert isinstance(partitions, dg.DynamicPartitionsDefinition)
        assert partitions.name == partitions_name(settings)
        assert assets[name].group_names_by_key[dg.AssetKey(name)] == "import"


def test_the_backfill_policy_follows_the_setting(tmp_path: Path) -> None:
    many = assets_of(build_definitions(settings_for(tmp_path)))[ENTRY].backfill_policy
    one = assets_of(build_definitions(settings_for(tmp_path, files_per_run="all")))[ENTRY].backfill_policy
    assert many == dg.BackfillPolicy.multi_run(50)
    assert one == dg.BackfillPolicy.single_run()


def test_two_libraries_do_not_share_partitions(tmp_path: Path) -> None:
    assert partitions_name(settings_for(tmp_path / "a")) != partitions_name(settings_for(tmp_path / "b"))


def test_every_asset_says_what_it_is(tmp_path: Path) -> None:
    for name, asset in assets_of(build_definitions(settings_for(tmp_path))).items():
        description = asset.descriptions_by_key[dg.AssetKey(name)]
        assert description is not None
        assert "Stale" in description


def test_every_asset_is_in_a_group(tmp_path: Path) -> None:
    specs = [spec for asset in assets_of(build_definitions(settings_for(tmp_path))).values() for spec in asset.specs]
    assert {spec.group_name for spec in specs} == {"scan", "import", "pictures"}


def test_every_check_job_sensor_and_schedule_says_what_it_does(tmp_path: Path) -> None:
    repository = build_definitions(settings_for(tmp_path)).get_repository_def()
    checks = repository.asset_graph.asset_check_keys
    said = {
        **{key.name: repository.asset_graph.get(key).description for key in checks},
        **{job.name: job.description for job in repository.get_all_jobs() if not job.name.startswith("__")},
        **{sensor.name: sensor.description for sensor in repository.sensor_defs},
        **{schedule.name: schedule.description for schedule in repository.schedule_defs},
    }
    assert len(said) == len(checks) + 5 + 4 + 3
    assert {name for name, text in said.items() if len(text or "") < 40} == set()


def test_the_instance_keeps_its_event_index_open_and_dagster_reads_the_same_files(dagster_home: Path) -> None:
    with DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, KeptOpenEventLogStorage)
        assert not instance.telemetry_enabled
        instance.add_dynamic_partitions("files", ["a", "b"])
        instance.report_runless_asset_event(dg.AssetMaterialization("library_entry", partition="a"))
    without = yaml.safe_load((dagster_home / "dagster.yaml").read_text(encoding="utf-8"))
    del without["storage"]
    (dagster_home / "dagster.yaml").write_text(yaml.safe_dump(without), encoding="utf-8")
    with DagsterInstance.get() as plain:
        assert not isinstance(plain.event_log_storage, KeptOpenEventLogStorage)
        assert plain.get_dynamic_partitions("files") == ["a", "b"]
        assert plain.get_materialized_partitions(dg.AssetKey("library_entry")) == {"a"}


two_or_more = pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.long)])


def at_once(count: int, function: Callable[[Path, Barrier], None], folder: Path) -> None:
    """Run a function in several processes. Each gets a barrier at which they wait for each other."""
    forked = multiprocessing.get_context("fork")
    together = forked.Barrier(count)
    processes = [forked.Process(target=function, args=(folder, together)) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE_S)
    assert [process.exitcode for process in processes] == [0] * count


def _open_storage(folder: Path, together: Barrier) -> None:
    together.wait()
    KeptOpenSqliteStorage.from_local(str(folder)).dispose()


@pytest.mark.slow
@two_or_more
def test_processes_that_start_together_share_one_new_storage(tmp_path: Path, count: int) -> None:
    """Dagster itself does not protect the creation of its tables against two first imports at once."""
    at_once(count, _open_storage, tmp_path)


def _register_partitions(folder: Path, together: Barrier) -> None:
    storage = KeptOpenSqliteStorage.from_local(str(folder)).event_log_storage
    for start in range(0, 1_000, 100):
        together.wait(PATIENCE_S)
        storage.add_dynamic_partitions("files", [str(number) for number in range(start, start + 100)])
    storage.dispose()


@pytest.mark.slow
@two_or_more
def test_processes_that_find_the_same_files_register_them_once(tmp_path: Path, count: int) -> None:
    at_once(count, _register_partitions, tmp_path)
    storage = KeptOpenSqliteStorage.from_local(str(tmp_path)).event_log_storage
    assert sorted(storage.get_dynamic_partitions("files"), key=int) == [str(number) for number in range(1_000)]
    storage.dispose()


@pytest.mark.slow
def test_more_partitions_than_a_statement_can_bind_are_registered_and_dropped(tmp_path: Path) -> None:
    """Builds of SQLite bind 999, 32,766 or 250,000 values. Dropping is one transaction, not one for each partition."""
    storage = KeptOpenSqliteStorage.from_local(str(tmp_path)).event_log_storage
    keys = [str(number) for number in range(2_001)]
    statements: list[str] = []
    with storage.index_connection() as connection:
        connection.connection.driver_connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    storage.add_dynamic_partitions("files", keys)
    storage.add_dynamic_partitions("others", keys[:1])
    assert storage.get_dynamic_partitions("files") == keys
    with storage.index_connection() as connection:
        connection.connection.set_trace_callback(statements.append)
    storage.delete_dynamic_partitions("files", keys[:-1])
    storage.delete_dynamic_partitions("files", [])
    assert sum(statement.startswith("BEGIN") for statement in statements) == 1
    assert storage.get_dynamic_partitions("files") == keys[-1:]
    assert storage.get_dynamic_partitions("others") == keys[:1]
    storage.dispose()


@pytest.mark.slow
def test_partitions_are_read_again_only_when_somebody_has_changed_them(tmp_path: Path) -> None:
    """A run asks for them a hundred times, and must see what another process registers or removes."""
    ours, theirs = (KeptOpenSqliteStorage.from_local(str(tmp_path)).event_log_storage for _ in range(2))
    statements: list[str] = []
    ours.add_dynamic_partitions("files", ["a", "b"])
    ours.add_dynamic_partitions("others", ["x"])
    assert ours.get_dynamic_partitions("files") == ["a", "b"]
    with ours.index_connection() as connection:
        connection.connection.set_trace_callback(statements.append)
    given = ours.get_dynamic_partitions("files")
    assert (given.index("b"), given[1:], [*given, "c"]) == (1, ["b"], ["a", "b", "c"])
    with pytest.raises(TypeError):
        given.append("not registered")
    with pytest.raises(ValueError, match="x"):
        given.index("x")
    assert ours.get_dynamic_partitions("files") == ["a", "b"]
    assert [statement for statement in statements if "dynamic_partitions" in statement] == []
    assert [ours.has_dynamic_partition("files", key) for key in ("a", "x")] == [True, False]
    theirs.add_dynamic_partitions("files", ["c"])
    assert ours.has_dynamic_partition("files", "c")
    assert ours.get_dynamic_partitions("files") == ["a", "b", "c"]
    theirs.delete_dynamic_partition("files", "c")
    theirs.add_dynamic_partitions("files", ["d"])  # with the row id of the other
    assert ours.get_dynamic_partitions("files") == ["a", "b", "d"]
    ours.delete_dynamic_partition("files", "a")
    ours.add_dynamic_partitions("files", ["e"])
    assert ours.get_dynamic_partitions("files") == ["b", "d", "e"]
    assert ours.get_dynamic_partitions("others") == ["x"]
    for storage in (ours, theirs):
        storage.dispose()
    assert ours.get_dynamic_partitions("files") == ["b", "d", "e"], "opened anew"
    ours.dispose()


@pytest.mark.slow
@pytest.mark.usefixtures("dagster_home")
def test_whoever_watches_a_run_hears_of_its_events() -> None:
    heard = threading.Event()
    with DagsterInstance.get() as instance:

        @dg.job
        def nothing() -> None: ...

        run = instance.create_run_for_job(nothing)
        # The first event makes the run's database; only later ones go to the log beside it alone.
        instance.report_engine_event("first", run)

        def listen(event: EventLogEntry, _cursor: str) -> None:
            if "second" in event.message:
                heard.set()

        instance.watch_event_logs(run.run_id, None, listen)
        time.sleep(1)  # late notifications of the first event must not count for the second
        instance.report_engine_event("second", run)
        assert heard.wait(PATIENCE_S)


def test_every_value_of_the_instance_settings_has_its_reason() -> None:
    lines = (ROOT / "dagster.yaml").read_text(encoding="utf-8").splitlines()
    blocks = [number for number, line in enumerate(lines) if line and not line.startswith((" ", "#"))]
    assert blocks
    assert all(lines[number - 1].startswith("#") for number in blocks)
