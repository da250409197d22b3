"""Old runs go, and what people and imports ask of the history stays as it was."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEventType, DagsterInstance
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from sqlalchemy import Engine, event

from wkmp_assets.orchestration.instance.old_runs import (
    find_old_runs,
    prune_run,
    remove_orphans,
    return_free_pages,
)
from wkmp_assets_tests.support.memory_instance import event_storage, memory_instance

pytestmark = pytest.mark.slow  # they store much

FILES = dg.DynamicPartitionsDefinition(name="files")
ENTRY = dg.AssetKey("library_entry")
TOMORROW = datetime.now(UTC) + timedelta(days=1)


class Choice(dg.Config):
    library: str = "mine"
    breaks: bool = False


@dg.asset(partitions_def=FILES, backfill_policy=dg.BackfillPolicy.single_run())
def library_entry(config: Choice) -> dg.MaterializeResult[None]:
    if config.breaks:
        raise ValueError("a full disk")
    return dg.MaterializeResult(metadata={"library": config.library, "write_locks": 1})


@dg.asset_check(asset=library_entry)
def is_whole() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def run(instance: DagsterInstance, first: str, last: str, **choice: Any) -> str:
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    config = {"ops": {"library_entry": {"config": choice}}}
    done = dg.materialize(
        [library_entry, is_whole], instance=instance, tags=tags, run_config=config, raise_on_error=False
    )
    assert done.success is not choice.get("breaks", False)
    return done.run_id


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with memory_instance() as made:
        made.add_dynamic_partitions("files", ["a", "b", "c", "d"])
        yield made


def answers(instance: DagsterInstance) -> dict[str, Any]:
    """What a person and the next import see of the files."""
    storage = event_storage(instance)
    latest = instance.get_latest_storage_id_by_partition(ENTRY, DagsterEventType.ASSET_MATERIALIZATION)
    wanted = dg.AssetRecordsFilter(asset_key=ENTRY, storage_ids=list(latest.values()))
    found = instance.fetch_materializations(wanted, limit=100).records
    waiting = storage.get_latest_asset_partition_materialization_attempts_without_materializations(ENTRY)
    (check,) = storage.get_asset_check_execution_history(dg.AssetCheckKey(ENTRY, "is_whole"), limit=1)
    return {
        "partitions": storage.get_materialized_partitions(ENTRY),
        "receipts": {record.partition_key: record.event_log_entry for record in found},
        "latest": latest,
        "failed": waiting,
        "statuses of failed": {one: instance.get_run_by_id(run_id).status for one, (run_id, _) in waiting.items()},  # type: ignore[union-attr]  # each of these runs is there
        "versions": storage.get_latest_tags_by_partition(
            ENTRY, DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
        ),
        "check": (check.status, check.event),
    }


def prune(instance: DagsterInstance, folder: Path) -> int:
    return prune_all(instance, list(find_old_runs(instance, TOMORROW)), folder)


def prune_all(instance: DagsterInstance, runs: list[dg.DagsterRun], folder: Path) -> int:
    return sum(prune_run(instance, one.run_id, folder) for one in runs)


def event_count(instance: DagsterInstance) -> int:
    with event_storage(instance).index_connection() as index:
        return int(index.exec_driver_sql("SELECT count(*) FROM event_logs").scalar_one())


def test_the_last_of_each_partition_stays_and_the_rest_goes(instance: DagsterInstance, tmp_path: Path) -> None:
    first, second = run(instance, "a", "c"), run(instance, "b", "c")
    failed = run(instance, "c", "d", breaks=True)
    captured = tmp_path / first
    captured.mkdir()
    before, count = answers(instance), event_count(instance)
    assert set(before["failed"]) == {"c", "d"}
    assert prune(instance, tmp_path) == count - event_count(instance) > count / 2
    assert answers(instance) == before
    assert [one.run_id for one in instance.get_runs()] == [failed]
    assert not captured.exists()
    assert instance.all_logs(second, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    assert prune(instance, tmp_path) == 0


def test_a_receipt_that_only_another_library_has_replaced_stays(instance: DagsterInstance, tmp_path: Path) -> None:
    """Files at equal paths have equal partitions."""
    run(instance, "a", "b", library="mine")
    run(instance, "b", "b", library="yours")
    prune(instance, tmp_path)
    found = instance.fetch_materializations(ENTRY, limit=100).records
    told = sorted((one.partition_key, one.asset_materialization.metadata["library"].value) for one in found)  # type: ignore[union-attr,type-var]  # each is of a materialization
    assert told == [("a", "mine"), ("b", "mine"), ("b", "yours")]


def test_a_receipt_of_an_earlier_version_is_replaced_by_a_later_one(instance: DagsterInstance, tmp_path: Path) -> None:
    """The text of a value has been written with and without its class."""
    run(instance, "a", "a", library="mine")
    with event_storage(instance).index_connection() as index:
        old = '{"__class__":"TextMetadataEntryData","text":"mine"}'
        query = """
            UPDATE event_logs SET event = replace(event, '"entry_data":"mine"', ?)
            WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND event LIKE '%"entry_data":"mine"%'
        """
        assert index.exec_driver_sql(query, (f'"entry_data":{old}',)).rowcount == 1
    assert len(instance.fetch_materializations(ENTRY, limit=9).records) == 1
    second = run(instance, "a", "a", library="mine")
    prune(instance, tmp_path)
    assert [one.run_id for one in instance.fetch_materializations(ENTRY, limit=9).records] == [second]


def test_runs_that_live_or_are_young_are_left_alone(instance: DagsterInstance) -> None:
    living_runs = event_storage(instance).living_runs
    ended = run(instance, "a", "a")
    living = instance.create_run_for_job(_job())
    instance.report_dagster_event(
        dg.DagsterEvent(DagsterEventType.PIPELINE_START.value, living.job_name), living.run_id
    )
    assert [one.run_id for one in find_old_runs(instance, TOMORROW)] == [ended]
    assert not list(find_old_runs(instance, datetime.now(UTC) - timedelta(hours=1)))
    living_runs.close()
    assert {one.run_id for one in find_old_runs(instance, TOMORROW)} == {ended, living.run_id}


def _job() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None:
        pass

    @dg.job
    def nothing_job() -> None:
        nothing()

    return nothing_job


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_what_was_interrupted_can_be_opened_and_is_finished_the_next_time(
    instance: DagsterInstance, tmp_path: Path, stop_at: int
) -> None:
    """SQLite takes back what a killed process had not committed, as it does after an error."""
    for first in ("a", "b"):
        run(instance, first, "c")
    before = answers(instance)
    seen = 0

    def stop(_connection: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == stop_at:
            raise KeyboardInterrupt

    runs = list(find_old_runs(instance, TOMORROW))
    event.listen(Engine, "commit", stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            prune_all(instance, runs, tmp_path)
    finally:
        event.remove(Engine, "commit", stop)
    index = Path(event_storage(instance).path_for_shard("index"))
    theirs = SqliteEventLogStorage(str(index.parent))
    assert theirs.get_materialized_partitions(ENTRY) == before["partitions"]
    theirs.dispose()
    prune(instance, tmp_path)
    assert answers(instance) == before
    assert not instance.get_runs()


def test_databases_of_runs_that_nobody_knows_are_removed(instance: DagsterInstance) -> None:
    folder = Path(event_storage(instance).path_for_shard("index")).parent
    known = run(instance, "a", "a")
    for name in (known, "forgotten"):
        sqlite3.connect(folder / f"{name}.db").close()
        (folder / f"{name}.db").touch()
    assert remove_orphans(instance, datetime.now(UTC) - timedelta(days=1)) == 0
    assert remove_orphans(instance, TOMORROW) == 1
    assert [path.stem for path in folder.glob("*-*.db")] == [known]


@pytest.mark.parametrize("mode", ["INCREMENTAL", "NONE"])
def test_free_pages_are_returned(instance: DagsterInstance, tmp_path: Path, mode: str) -> None:
    index = Path(event_storage(instance).path_for_shard("index"))
    event_storage(instance).dispose()
    with closing(sqlite3.connect(index)) as database:
        database.executescript(
            f"PRAGMA journal_mode=DELETE; PRAGMA auto_vacuum={mode}; VACUUM; PRAGMA journal_mode=WAL"
        )
    for _ in range(8):
        run(instance, "a", "d")
    prune(instance, tmp_path)
    is_whole_only = mode == "NONE"
    if is_whole_only:
        assert return_free_pages(instance, may_rewrite=False) == 0
    assert return_free_pages(instance, may_rewrite=True) > 0
    with closing(sqlite3.connect(index)) as database:
        assert database.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_history_that_is_in_no_file_of_ours_is_left_alone(tmp_path: Path) -> None:
    with DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("files", ["a"])
        done = run(instance, "a", "a")
        assert prune_run(instance, done, tmp_path) == 0
        assert remove_orphans(instance, TOMORROW) == 0
        assert return_free_pages(instance, may_rewrite=True) == 0
        assert instance.get_run_by_id(done) is not None


def test_pages_are_returned_the_next_time_when_somebody_writes(instance: DagsterInstance, tmp_path: Path) -> None:
    run(instance, "a", "d")
    run(instance, "a", "d")
    prune(instance, tmp_path)
    index = Path(event_storage(instance).path_for_shard("index"))
    with closing(sqlite3.connect(index)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert return_free_pages(instance, may_rewrite=True) == 0
