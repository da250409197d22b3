"""The parts of Dagster's private API that the package uses exist, with the expected signature and effect.

A new Dagster version that fails here needs a change in `wkmp_assets/orchestration/instance` and nowhere else.
"""

import ast
import inspect
import itertools
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster import DagsterInstance
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.execution.context.metadata_logging import OutputMetadataAccumulator
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorageWatchdog
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from wkmp_assets.orchestration.instance.dagster_api import (
    FailedPartitions,
    add_partition_metadata,
    cancel_run,
    delete_partitions,
    executes_asset,
    executes_itself,
    find_unfinished_runs,
    instance_of,
    is_cron_expression,
    is_running,
    materialize_only,
    name_location,
    partition_bounds,
    partition_tags,
    read_backfill_partitions,
    run_of,
    skip_loggers,
    will_be_retried,
)
from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage, KeptOpenSqliteStorage
from wkmp_assets.orchestration.instance.repeated_job import RepeatedJob
from wkmp_assets.orchestration.instance.run_launcher import WatchfulRunLauncher
from wkmp_assets_tests.support.memory_instance import memory_instance
from wkmp_assets_tests.support.package_code import TREES, users_of
from wkmp_assets_tests.support.paths import ROOT

TESTED_DAGSTER_VERSIONS = ("1.13.27",)
"""Those that the README names."""


def test_this_dagster_is_among_the_tested_versions() -> None:
    assert dg.__version__ in TESTED_DAGSTER_VERSIONS, "when all tests pass with it, add it, here and in the README"


@pytest.mark.slow
def test_the_private_api_of_dagster_is_used_in_one_room() -> None:
    """Covers what ruff's PLC2701 and SLF001 overlook: imports for annotations, and the step of a context."""
    importers = {
        module
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("dagster._")
    }
    assert {module.rpartition("/")[0] for module in importers} == {"orchestration/instance"}
    assert {use.split("::")[0] for use in users_of("step_context")} == {"orchestration/instance/dagster_api.py"}


# Tags. Their names are in the run history of every user.


def test_the_tags_of_a_range_run_are_those_that_dagster_reads() -> None:
    assert partition_tags("a", "c") == {
        "dagster/asset_partition_range_start": "a",
        "dagster/asset_partition_range_end": "c",
    }


@pytest.mark.parametrize(
    ("tags", "bounds"),
    [
        ({"dagster/partition": "a"}, ("a", "a")),
        (partition_tags("a", "c"), ("a", "c")),
        ({"dagster/asset_partition_range_start": "a"}, None),
        ({}, None),
    ],
)
def test_the_bounds_of_a_run_are_read_from_its_tags(tags: dict[str, str], bounds: tuple[str, str] | None) -> None:
    assert partition_bounds(tags) == bounds


@pytest.mark.slow
def test_a_run_that_dagster_starts_again_is_marked_by_dagster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("run_retries: {enabled: true, max_retries: 1}", encoding="utf-8")

    @dg.job
    def nothing() -> None:
        pass

    with DagsterInstance.get() as instance:
        failed = instance.create_run_for_job(nothing)
        assert not will_be_retried(failed)
        instance.report_run_failed(failed)
        last = instance.get_run_by_id(failed.run_id)
        assert last is not None
        assert will_be_retried(last)


@pytest.mark.parametrize(("text", "is_one"), [("0 3 * * *", True), ("@daily", True), ("at three", False), ("", False)])
def test_a_cron_expression_is_what_dagster_accepts(text: str, is_one: bool) -> None:
    assert is_cron_expression(text) is is_one


# An IO manager's context.


class _Contexts(dg.IOManager):
    """Keeps the contexts of a run, and calls a function with each context of an output."""

    def __init__(self, on_output: Callable[[dg.OutputContext], None]) -> None:
        self._on_output = on_output
        self.inputs: list[dg.InputContext] = []

    def handle_output(self, context: dg.OutputContext, _obj: Any) -> None:
        self._on_output(context)

    def load_input(self, context: dg.InputContext) -> None:
        self.inputs.append(context)


def _materialize(manager: _Contexts, instance: DagsterInstance, selection: list[str]) -> dg.ExecuteInProcessResult:
    partitions = dg.DynamicPartitionsDefinition(name="files")

    @dg.asset(partitions_def=partitions, backfill_policy=dg.BackfillPolicy.single_run())
    def upstream() -> str:
        return "a value"

    @dg.asset(partitions_def=partitions, backfill_policy=dg.BackfillPolicy.single_run(), ins={"upstream": dg.AssetIn()})
    def downstream(upstream: Any) -> str:
        return f"made from {upstream}"

    return dg.materialize(
        [upstream, downstream],
        selection=selection,
        instance=instance,
        resources={"io_manager": manager},
        tags=partition_tags("a", "b"),
    )


@pytest.mark.slow
def test_a_context_knows_its_run_its_instance_and_what_the_run_materializes() -> None:
    seen: list[tuple[str, bool, bool, bool]] = []

    with memory_instance() as instance:
        instance.add_dynamic_partitions("files", ["a", "b"])

        def look(context: dg.OutputContext) -> None:
            run = run_of(context)
            executed = executes_asset(context, "upstream"), executes_asset(context, "downstream")
            assert executed == (executes_itself(context, "upstream"), executes_itself(context, "downstream"))
            seen.append((run.run_id, *executed, instance_of(context) is instance))

        manager = _Contexts(look)
        wrote = _materialize(manager, instance, ["upstream"])
        read = _materialize(manager, instance, ["downstream"])
    assert seen == [(wrote.run_id, True, False, True), (read.run_id, False, True, True)]
    assert [run_of(context).run_id for context in manager.inputs] == [read.run_id], "the run that reads"


@pytest.mark.slow
def test_an_asset_knows_what_its_run_executes_itself_and_what_the_run_that_it_repeats_did() -> None:
    seen: list[tuple[bool, bool, bool]] = []

    @dg.asset
    def upstream() -> None:
        pass

    @dg.asset(deps=[upstream])
    def downstream(context: dg.AssetExecutionContext) -> None:
        seen.append(
            (executes_asset(context, "upstream"), executes_itself(context, "upstream"), executes_itself(context, "x"))
        )

    with memory_instance() as instance:
        dg.materialize([upstream, downstream], instance=instance)
        dg.materialize([upstream, downstream], selection=["downstream"], instance=instance)
        job = dg.Definitions(
            [upstream, downstream], executor=dg.in_process_executor
        ).resolve_implicit_global_asset_job_def()
        parent = instance.create_run_for_job(job).run_id
        for parents in ({}, {"parent_run_id": parent, "root_run_id": parent}):
            run = instance.create_run_for_job(job, **parents)._replace(step_keys_to_execute=["downstream"])
            execute_run(InMemoryJob(job), run, instance)
    assert seen == [(True, True, False), (False, False, False), (False, False, False), (True, False, False)]


@pytest.mark.slow
def test_metadata_reaches_the_materialization_of_its_partition_without_a_look_at_all_partitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[str] = []

    def describe(context: dg.OutputContext) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(type(instance), "get_dynamic_partitions", lambda _self, name: reads.append(name))
            add_partition_metadata(context, {"a": {"size": 1}})
            add_partition_metadata(context, {"a": {"kind": "short"}, "b": {"size": 2}})

    with memory_instance() as instance:
        instance.add_dynamic_partitions("files", ["a", "b"])
        result = _materialize(_Contexts(describe), instance, ["upstream"])
    materialized = result.asset_materializations_for_node("upstream")
    said = {one.partition: {name: value.value for name, value in one.metadata.items()} for one in materialized}
    assert said["a"].items() >= {"size": 1, "kind": "short"}.items()
    assert said["b"].items() >= {"size": 2}.items()
    assert reads == []


@pytest.mark.slow
@pytest.mark.parametrize("level", ["CRITICAL", "DEBUG"])
def test_events_that_skip_the_loggers_are_the_same(
    level: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal that shows events, none of them is missing. Who listens to the run hears them all."""

    @dg.asset
    def whole(context: dg.AssetExecutionContext) -> str:
        context.log.info("said by the asset")
        return "a value"

    def run(on_output: Callable[[dg.OutputContext], None]) -> tuple[list[Any], int]:
        heard: list[str] = []
        with memory_instance() as instance:

            def listen(context: dg.OutputContext) -> None:
                instance.add_event_listener(context.run_id, lambda event: heard.append(event.message))
                on_output(context)

            result = dg.materialize(
                [whole],
                instance=instance,
                resources={"io_manager": _Contexts(listen)},
                run_config={"loggers": {"console": {"config": {"log_level": level}}}},
            )
            logs = instance.all_logs(result.run_id)
        said = [
            (
                one.level,
                *(re.sub(r" in \d.*|\d", "", text) for text in (one.user_message, one.message)),
                one.step_key,
                one.job_name,
            )
            for one in logs
        ]
        assert all(before.timestamp <= after.timestamp for before, after in itertools.pairwise(logs))
        assert "Materialized value whole." in heard
        return said, capsys.readouterr().err.count("ASSET_MATERIALIZATION - ")

    plain, quick = run(lambda _context: None), run(skip_loggers)
    assert quick == plain
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "10")
    assert run(skip_loggers) == plain
    assert quick[1] == (1 if level == "DEBUG" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("written", [["b"], []])
def test_an_output_materializes_the_partitions_it_names_and_its_check_runs(written: list[str]) -> None:
    """An output without partitions materializes nothing; it must not materialize the asset as a whole."""
    partitions = dg.DynamicPartitionsDefinition(name="files")

    @dg.asset(partitions_def=partitions, backfill_policy=dg.BackfillPolicy.single_run())
    def upstream() -> str:
        return "a value"

    @dg.asset_check(asset=upstream)
    def is_good() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    manager = _Contexts(lambda context: materialize_only(context, written))
    with memory_instance() as instance:
        instance.add_dynamic_partitions("files", ["a", "b"])
        result = dg.materialize(
            [upstream, is_good],
            instance=instance,
            resources={"io_manager": manager},
            tags=partition_tags("a", "b"),
        )
        records = instance.fetch_materializations(dg.AssetKey("upstream"), limit=10).records
    assert result.success
    assert [record.partition_key for record in records] == written
    assert [one.passed for one in result.get_asset_check_evaluations()] == [True]


@pytest.mark.slow
def test_a_partition_is_red_alone_and_until_it_is_materialized(dagster_home: Path) -> None:
    """The run succeeds. The run recorded for the failure is never retried, whatever the instance's settings."""
    settings = yaml.safe_load((dagster_home / "dagster.yaml").read_text(encoding="utf-8"))
    assert settings["run_retries"]["enabled"]
    partitions = dg.DynamicPartitionsDefinition(name="files")

    def status(instance: DagsterInstance, asset: str) -> list[str]:
        found = instance.get_status_by_partition(dg.AssetKey(asset), ["a", "b"], partitions)
        return [one.value if one else "MISSING" for one in (found or {}).values()]

    def fail(context: dg.OutputContext) -> None:
        if context.asset_key.path[-1] == "downstream":
            tags = {"kind": "failure"}
            FailedPartitions(context, "failed").record("a", ["downstream", "elsewhere"], "a is broken", tags)
            materialize_only(context, ["b"])

    with DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("files", ["a", "b"])
        both = ["upstream", "downstream"]
        assert _materialize(_Contexts(lambda _context: None), instance, both).success
        assert status(instance, "downstream") == ["MATERIALIZED", "MATERIALIZED"]
        assert _materialize(_Contexts(fail), instance, both).success
        assert [status(instance, asset) for asset in both] == [
            ["MATERIALIZED", "MATERIALIZED"],
            ["FAILED", "MATERIALIZED"],
        ]
        (failed,) = instance.get_runs(dg.RunsFilter(job_name="failed"))
        assert failed.status is dg.DagsterRunStatus.FAILURE
        assert failed.tags.items() >= {"kind": "failure", "dagster/partition": "a"}.items()
        assert not will_be_retried(failed)
        said = [event.message for event in instance.all_logs(failed.run_id) if event.is_dagster_event]
        assert said[-1] == "a is broken"
        assert _materialize(_Contexts(lambda _context: None), instance, both).success
        assert status(instance, "downstream") == ["MATERIALIZED", "MATERIALIZED"]


def test_a_run_that_was_asked_to_end_is_cancelled() -> None:
    with memory_instance() as instance:
        instance.add_dynamic_partitions("files", ["a", "b"])
        run_id = _materialize(_Contexts(lambda _context: None), instance, ["upstream"]).run_id
        cancel_run(instance, run_id, "stopped")
        run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.CANCELED


@pytest.mark.parametrize(("has_workspace", "name"), [(False, "package.module"), (True, "package")])
def test_a_run_of_this_process_names_its_code_location_once_it_has_succeeded(
    has_workspace: bool, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The web UI's timeline leaves out runs without one, and the daemon starts failed runs with one again."""
    with memory_instance() as instance:
        monkeypatch.setattr(type(instance), "root_directory", property(lambda _instance: str(tmp_path)))
        if has_workspace:
            (tmp_path / "workspace.yaml").touch()
        instance.add_dynamic_partitions("files", ["a", "b"])
        run_id = _materialize(_Contexts(lambda _context: None), instance, ["upstream"]).run_id
        before = instance.get_run_by_id(run_id)
        assert before is not None
        name_location(instance, before, "package.module")
        after = instance.get_run_by_id(run_id)
        cancel_run(instance, run_id, "stopped")
        failed = instance.create_run_for_job(dg.job(name="nothing")(lambda: None))
        instance.report_run_failed(failed)
        name_location(instance, failed, "package.module")
        left = instance.get_run_by_id(failed.run_id)
    assert before.remote_job_origin is None
    assert after is not None
    assert after.remote_job_origin is not None
    assert (after.remote_job_origin.location_name, after.remote_job_origin.job_name) == (name, before.job_name)
    assert after.remote_job_origin.repository_origin.repository_name == "__repository__"
    assert after.status is dg.DagsterRunStatus.SUCCESS
    assert left is not None
    assert left.remote_job_origin is None


def test_the_accumulator_of_metadata_takes_a_partition() -> None:
    parameters = inspect.signature(OutputMetadataAccumulator.with_additional_asset_metadata).parameters
    assert list(parameters) == ["self", "asset_key", "partition_key", "metadata"]


# Repeated jobs.


@dg.op(config_schema={"breaks": bool})
def breaks_if_told(context: dg.OpExecutionContext) -> int:
    if context.op_config["breaks"]:
        raise ValueError("as told")
    return 1


@dg.job(run_tags={"of": "the job"})
def repeated() -> None:
    breaks_if_told()


def test_a_repeated_job_leaves_the_runs_that_execute_in_process_leaves() -> None:
    with memory_instance() as instance:
        job = RepeatedJob(repeated)
        for breaks in (False, False, True, False):  # planned once for the first two
            config = {"ops": {"breaks_if_told": {"config": {"breaks": breaks}}}}
            ours = job.execute(config, instance, {"number": "1"})
            theirs = repeated.execute_in_process(config, instance, tags={"number": "1"}, raise_on_error=False)
            assert ours.success == theirs.success == (not breaks)
            assert [event.event_type for event in ours.all_events] == [event.event_type for event in theirs.all_events]
            run, other = (instance.get_run_by_id(result.run_id) for result in (ours, theirs))
            assert run is not None
            assert other is not None
            assert run._replace(run_id=other.run_id) == other
            assert run.tags.items() >= {"of": "the job", "number": "1"}.items()
            if not breaks:
                assert ours.output_for_node("breaks_if_told") == 1


# Storage. The base classes of our classes have the methods and attributes that ours override and use.


@pytest.mark.parametrize(
    ("base", "method", "parameters"),
    [
        (SqliteEventLogStorage, "__init__", ["self", "base_dir", "inst_data"]),
        (SqliteEventLogStorage, "_connect", ["self", "shard"]),
        (SqliteEventLogStorage, "_initdb", ["self", "engine", "for_index_shard"]),
        (SqliteEventLogStorage, "_event_to_row", ["self", "event"]),
        (SqliteEventLogStorage, "_has_asset_key_index_cols_on_connection", ["self", "conn"]),
        (SqliteEventLogStorage, "_store_asset_event", ["self", "conn", "event", "event_id"]),
        (SqliteEventLogStorage, "_store_asset_event_tags", ["self", "conn", "events", "event_ids"]),
        (SqliteEventLogStorage, "has_table", ["self", "table_name"]),
        (SqliteEventLogStorage, "add_dynamic_partitions", ["self", "partitions_def_name", "partition_keys"]),
        (SqliteEventLogStorage, "conn_string_for_shard", ["self", "shard_name"]),
        (SqliteEventLogStorage, "delete_dynamic_partition", ["self", "partitions_def_name", "partition_key"]),
        (SqliteEventLogStorage, "dispose", ["self"]),
        (SqliteEventLogStorage, "get_dynamic_partitions", ["self", "partitions_def_name"]),
        (SqliteEventLogStorage, "has_dynamic_partition", ["self", "partitions_def_name", "partition_key"]),
        (SqliteEventLogStorage, "index_connection", ["self"]),
        (SqliteEventLogStorage, "store_event", ["self", "event"]),
        (SqliteEventLogStorage, "watch", ["self", "run_id", "cursor", "callback"]),
        (
            SqliteEventLogStorageWatchdog,
            "__init__",
            ["self", "event_log_storage", "run_id", "callback", "cursor", "kwargs"],
        ),
        (SqliteEventLogStorageWatchdog, "_process_log", ["self"]),
        (SqliteEventLogStorageWatchdog, "on_modified", ["self", "event"]),
        (DagsterSqliteStorage, "__init__", ["self", "base_dir", "inst_data"]),
        (SqliteRunStorage, "__init__", ["self", "conn_string", "inst_data"]),
        (SqliteRunStorage, "from_local", ["base_dir", "inst_data"]),
        (SqliteRunStorage, "connect", ["self"]),
        (SqliteRunStorage, "_has_snapshot_id", ["self", "snapshot_id"]),
        (SqliteRunStorage, "has_backfill_id_column", ["self"]),
        (SqliteRunStorage, "has_execution_plan_snapshot", ["self", "execution_plan_snapshot_id"]),
        (SqliteRunStorage, "has_run_stats_index_cols", ["self"]),
        (
            SqliteRunStorage,
            "get_run_records",
            ["self", "filters", "limit", "order_by", "ascending", "cursor", "bucket_by"],
        ),
        (SqliteRunStorage, "_get_run_by_id", ["self", "run_id"]),
        (SqliteRunStorage, "_row_to_run", ["self", "row"]),
        (SqliteScheduleStorage, "__init__", ["self", "conn_string", "inst_data"]),
        (SqliteScheduleStorage, "from_local", ["base_dir", "inst_data"]),
        (DagsterSqliteStorage, "from_config_value", ["inst_data", "config_value"]),
        (DagsterSqliteStorage, "from_local", ["base_dir", "inst_data"]),
        (DefaultRunLauncher, "check_run_worker_health", ["self", "run"]),
        (ConfigurableClassData, "__new__", ["cls", "module_name", "class_name", "config_yaml"]),
    ],
)
def test_a_method_is_there_with_its_parameters(base: type, method: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(base, method)).parameters) == parameters


def test_an_event_log_has_the_attributes_that_ours_uses(tmp_path: Path) -> None:
    storage = SqliteEventLogStorage(str(tmp_path))
    try:
        watchdog = SqliteEventLogStorageWatchdog(storage, "a-run", lambda _event, _cursor: None, None)
        assert {"_base_dir", "_db_lock", "_initialized_dbs", "_obs", "_watchers"} <= set(vars(storage))
        assert {"_log_path", "_patterns"} <= set(vars(watchdog))
        assert storage.path_for_shard(INDEX_SHARD_NAME) == str(tmp_path / "index.db")
        with storage.index_connection() as connection:
            columns = connection.exec_driver_sql("PRAGMA table_info(dynamic_partitions)").all()
        assert {"id", "partitions_def_name", "partition"} <= {column[1] for column in columns}
    finally:
        storage.dispose()


@pytest.mark.slow
def test_a_storage_keeps_its_parts_under_the_names_and_in_the_places_that_ours_sets(tmp_path: Path) -> None:
    storage = DagsterSqliteStorage.from_local(str(tmp_path))
    try:
        parts = {"_event_log_storage", "_run_storage", "_schedule_storage"}
        assert set(vars(storage)) - {"_instance_weakref"} == {"base_dir", "_inst_data", *parts}
        assert storage.event_log_storage is vars(storage)["_event_log_storage"]
        assert storage.run_storage is vars(storage)["_run_storage"]
        assert storage.schedule_storage is vars(storage)["_schedule_storage"]
        assert Path(vars(storage.event_log_storage)["_base_dir"]) == tmp_path / "history" / "runs"
        assert vars(storage.run_storage)["_conn_string"] == create_db_conn_string(str(tmp_path / "history"), "runs")
        assert (tmp_path / "history" / "runs.db").is_file()
        assert (tmp_path / "schedules" / "schedules.db").is_file()
    finally:
        storage.dispose()


def test_a_launcher_can_say_that_a_process_is_gone() -> None:
    assert {"status", "msg"} <= set(CheckRunHealthResult._fields)
    assert {WorkerStatus.RUNNING.value, WorkerStatus.FAILED.value} == {"RUNNING", "FAILED"}
    assert isinstance(inspect.getattr_static(DefaultRunLauncher, "supports_check_run_worker_health"), property)
    assert isinstance(inspect.getattr_static(DefaultRunLauncher, "_instance"), property)


# dagster.yaml.


OLD_NAMES = {"storage": "wkmp_assets.event_storage", "run_launcher": "wkmp_assets.run_launcher"}


@pytest.mark.slow
@pytest.mark.parametrize("has_old_names", [False, True])
def test_an_instance_opens_with_the_classes_that_dagster_yaml_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_old_names: bool
) -> None:
    """Both the current classes and those that a dagster.yaml of an earlier release names."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    if has_old_names:
        settings = yaml.safe_load((tmp_path / "dagster.yaml").read_text(encoding="utf-8"))
        settings["storage"]["custom"]["module"] = OLD_NAMES["storage"]
        settings["run_launcher"]["module"] = OLD_NAMES["run_launcher"]
        (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    with DagsterInstance.get() as instance:
        assert type(instance.event_log_storage) is KeptOpenEventLogStorage
        assert type(instance.run_launcher) is WatchfulRunLauncher
        instance.add_dynamic_partitions("files", ["a"])
        again = DagsterInstance.from_ref(instance.get_ref())  # as a run's process opens it
        with again:
            assert again.get_dynamic_partitions("files") == ["a"]
            assert type(again.event_log_storage) is KeptOpenEventLogStorage
            assert isinstance(again.run_launcher, WatchfulRunLauncher)


def test_the_storage_is_the_one_that_old_names_lead_to() -> None:
    from wkmp_assets import event_storage, run_launcher

    assert event_storage.KeptOpenSqliteStorage is KeptOpenSqliteStorage
    assert run_launcher.WatchfulRunLauncher is WatchfulRunLauncher


def test_the_partitions_of_unfinished_backfills_are_known_or_none_is(instance: DagsterInstance) -> None:
    """Of assets they are known by `AssetBackfillData`: see `test_gone_partitions`."""
    unfinished, ended = BulkActionStatus.REQUESTED, BulkActionStatus.COMPLETED_FAILED
    for number, (status, keys) in enumerate([(unfinished, ["1", "2"]), (ended, ["3"]), (unfinished, ["4"])]):
        instance.add_backfill(
            PartitionBackfill(
                str(number), status, from_failure=False, tags={}, backfill_timestamp=0.0, partition_names=keys
            )
        )
    assert read_backfill_partitions(instance) == {"1", "2", "4"}
    silent = PartitionBackfill("silent", unfinished, from_failure=False, tags={}, backfill_timestamp=0.0)
    instance.add_backfill(silent)
    assert read_backfill_partitions(instance) is None


def test_a_started_run_whose_process_is_gone_is_finished(dagster_home: Path) -> None:
    assert dagster_home
    with DagsterInstance.get() as instance:
        statuses = dg.DagsterRunStatus
        runs = {}
        for status in (statuses.NOT_STARTED, statuses.STARTED, statuses.SUCCESS):
            run = dg.DagsterRun(job_name="job", run_id=f"{status.value}-0000-0000-0000-000000000000", status=status)
            runs[status] = instance.run_storage.add_run(run).run_id
        assert [run.run_id for run in find_unfinished_runs(instance)] == [runs[statuses.NOT_STARTED]]
        storage = instance.event_log_storage
        assert isinstance(storage, KeptOpenEventLogStorage)
        storage.living_runs.begin(runs[statuses.STARTED])
        assert len(find_unfinished_runs(instance)) == 2


@pytest.mark.slow
def test_the_web_server_tells_its_storage_that_it_starts_and_makes_its_pages_in_one_place() -> None:
    # Here and in other tests of the web server: every process that collects tests would load it for a second.
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.cli import dagster_webserver

    assert list(inspect.signature(SqliteEventLogStorage.optimize_for_webserver).parameters) == [
        "self",
        "statement_timeout",
        "pool_recycle",
        "max_overflow",
    ]
    started = inspect.getsource(dagster_webserver.callback)
    assert started.index("optimize_for_webserver") < started.index("host_dagster_ui_with_workspace_process_context")
    assert "create_asgi_app(" in inspect.getsource(create_app_from_workspace_process_context)


def test_partitions_can_be_deleted_in_any_storage_and_a_run_that_is_unknown_does_not_run() -> None:
    with DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("files", ["a", "b", "c"])
        delete_partitions(instance, "files", ["a", "c"])
        assert instance.get_dynamic_partitions("files") == ["b"]
        instance.add_dynamic_partitions("files", ["a"])
        running: list[bool] = []
        manager = _Contexts(lambda context: running.append(is_running(context.step_context.instance, context.run_id)))
        ended = _materialize(manager, instance, ["upstream"])
        assert running == [True]
        assert not is_running(instance, ended.run_id)
        assert not is_running(instance, "11111111-1111-4111-8111-111111111111")
