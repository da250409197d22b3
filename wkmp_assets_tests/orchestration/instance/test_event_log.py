"""Our event storage leaves in its databases what Dagster's own class leaves, and shows it as soon."""

import pickle
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

from wkmp_assets.orchestration.instance.event_batch import MAX_WAIT_S, EventBatch
from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage
from wkmp_assets_tests.support.memory_instance import memory_instance
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until

FILES = dg.DynamicPartitionsDefinition(name="files")
RANGE = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "c"}


@dg.asset(partitions_def=FILES, backfill_policy=dg.BackfillPolicy.single_run())
def tags() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(
        metadata={"title": "x" * 1000}, tags={"genre": "rock"}, data_version=dg.DataVersion("1")
    )


@dg.asset(partitions_def=FILES, backfill_policy=dg.BackfillPolicy.single_run(), deps=[tags])
def entry() -> None:
    pass


@dg.asset_check(asset=entry)
def is_whole() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@dg.asset(deps=[tags])
def fails() -> None:
    raise ValueError("a reason")


@pytest.fixture(scope="module")
def events() -> list[EventLogEntry]:
    """Everything that three runs record, in its order; the last one fails."""
    with memory_instance() as instance:
        instance.add_dynamic_partitions("files", ["a", "b", "c"])
        for selection in ([tags, entry, is_whole], [entry, is_whole]):
            assert dg.materialize([tags, entry, is_whole], selection=selection, instance=instance, tags=RANGE).success
        assert not dg.materialize([fails], instance=instance, raise_on_error=False).success
        recorded = [event for run in instance.get_runs() for event in instance.all_logs(run.run_id)]
    assert sum(event.is_dagster_event and event.get_dagster_event().is_step_materialization for event in recorded) == 9
    return sorted(recorded, key=lambda event: event.timestamp)


def rows_of(folder: Path) -> dict[str, list[Any]]:
    """Every row of every table of every database of a storage, without the time when it was written."""
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*.db")):
        with closing(sqlite3.connect(path)) as database:
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in sorted(set(names) - {"secondary_indexes"}):  # when each one was made
                cursor = database.execute(f"SELECT * FROM {name}")  # noqa: S608 - a name of the schema
                columns = [column for column, *_ in cursor.description]
                found[f"{path.name}: {name}"] = [
                    {column: value for column, value in zip(columns, row, strict=True) if column != "create_timestamp"}
                    for row in cursor
                ]
    return found


@pytest.mark.slow
def stored_by_both(events: list[EventLogEntry], folder: Path) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """The rows that ours and Dagster's own class leave."""
    for storage in (KeptOpenEventLogStorage(str(folder / "ours")), SqliteEventLogStorage(str(folder / "theirs"))):
        for event in events:
            storage.store_event(event)
        storage.dispose()
    return rows_of(folder / "ours"), rows_of(folder / "theirs")


@pytest.mark.slow
def test_the_rows_are_those_of_dagsters_own_class(events: list[EventLogEntry], tmp_path: Path) -> None:
    """Also ids, their order, tags, and what is last known of each asset."""
    ours, theirs = stored_by_both(events, tmp_path)
    assert len(theirs["index.db: event_logs"]) > 20
    assert theirs["index.db: asset_event_tags"]
    assert ours == theirs


def test_one_batch_tells_what_is_last_known_of_each_of_its_assets(events: list[EventLogEntry], tmp_path: Path) -> None:
    """In the whole history, later batches would hide what an earlier one forgot."""
    of_assets = [event for event in events if event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS]
    planned = [event for event in of_assets if event not in materialized(events)]
    for name, batch in {"planned": planned, "both": planned + materialized(events)}.items():
        ours, theirs = stored_by_both(batch, tmp_path / name)
        assert len(theirs["index.db: asset_keys"]) > 1
        assert ours == theirs


def materialized(events: list[EventLogEntry]) -> list[EventLogEntry]:
    return [event for event in events if event.dagster_event and event.dagster_event.is_step_materialization]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[KeptOpenEventLogStorage]:
    made = KeptOpenEventLogStorage(str(tmp_path))
    yield made
    made.dispose()


def in_files(folder: Path) -> int:
    """The number of materializations that another process finds."""
    with closing(sqlite3.connect(folder / "index.db")) as index:
        query = "SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
        (count,) = index.execute(query).fetchone()
    return int(count)


def test_who_reads_finds_what_was_recorded_before(
    events: list[EventLogEntry], storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    first, second = materialized(events)[:2]
    storage.store_event(first)
    storage.store_event(second)
    assert in_files(tmp_path) == 0
    assert storage.get_materialized_partitions(dg.AssetKey("tags")) == {first.dagster_event.partition} | {  # type: ignore[union-attr]
        second.dagster_event.partition  # type: ignore[union-attr]
    }
    assert in_files(tmp_path) == 2


def test_other_events_of_a_run_do_not_overtake(
    events: list[EventLogEntry], storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    first = materialized(events)[0]
    storage.store_event(first)
    storage.store_event(events[-1])
    assert in_files(tmp_path) == 1


def test_other_processes_see_events_soon(
    events: list[EventLogEntry], storage: KeptOpenEventLogStorage, tmp_path: Path
) -> None:
    storage.store_event(materialized(events)[0])
    assert MAX_WAIT_S <= 1
    wait_until(lambda: in_files(tmp_path) == 1, "the event in the database")


def test_what_cannot_be_stored_goes_on_waiting_in_its_order(events: list[EventLogEntry]) -> None:
    stored: list[EventLogEntry] = []
    is_full = True

    def store(batch: list[EventLogEntry]) -> None:
        if is_full:
            raise sqlite3.OperationalError("database or disk is full")
        stored.extend(batch)

    batch = EventBatch(store)
    batch.add(events[0])
    with pytest.raises(sqlite3.OperationalError):
        batch.flush()
    batch.add(events[1])
    is_full = False
    batch.flush()
    assert stored == events[:2]


def test_a_batch_holds_one_run_so_that_all_of_it_or_nothing_is_stored(events: list[EventLogEntry]) -> None:
    """Each run has a database of its own. Stored again after an error, events of another run would be there twice."""
    stored: list[list[EventLogEntry]] = []
    batch = EventBatch(stored.append)
    first, *_, last = materialized(events)
    assert first.run_id != last.run_id
    for event in (first, first, last, first):
        batch.add(event)
    batch.flush()
    assert stored == [[first, first], [last], [first]]


def test_who_reads_waits_for_a_batch_that_another_thread_is_storing(events: list[EventLogEntry]) -> None:
    is_storing, may_end = threading.Event(), threading.Event()

    def store(_batch: list[EventLogEntry]) -> None:
        is_storing.set()
        assert may_end.wait(PATIENCE_S)

    batch = EventBatch(store)
    batch.add(events[0])
    timer, reader = threading.Thread(target=batch.flush), threading.Thread(target=batch.flush)
    timer.start()
    try:
        assert is_storing.wait(PATIENCE_S)
        reader.start()
        reader.join(0.2)
        assert reader.is_alive()
    finally:
        may_end.set()
    timer.join()
    reader.join()


CRASH = """
import os, pickle, sys
from pathlib import Path
from sqlalchemy import Engine, event
from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage

folder, pickled, crash_at = sys.argv[1], sys.argv[2], int(sys.argv[3])
events = pickle.loads(Path(pickled).read_bytes())
storage = KeptOpenEventLogStorage(folder)
for one in events[:-1]:
    storage.store_event(one)
storage.get_materialized_partitions(events[0].get_dagster_event().asset_key)
seen = 0

@event.listens_for(Engine, "commit")
def commit(connection):
    global seen
    seen += 1
    if seen == crash_at:
        os._exit(9)

storage.store_event(events[-1])
storage.dispose()
print(seen)
"""


@pytest.mark.slow
@pytest.mark.parametrize("crash_at", [1, 2])
def test_a_crash_between_the_commits_of_a_batch_leaves_a_history_that_dagster_opens(
    events: list[EventLogEntry], tmp_path: Path, crash_at: int
) -> None:
    """Before the index is committed, both databases lack the batch; before the run's, only the run's lacks it."""
    (tmp_path / "events").write_bytes(pickle.dumps(materialized(events)[:3]))
    command = [sys.executable, "-c", CRASH, str(tmp_path / "runs"), str(tmp_path / "events"), str(crash_at)]
    crashed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert crashed.returncode == 9, crashed.stderr
    theirs = SqliteEventLogStorage(str(tmp_path / "runs"))
    run_id = materialized(events)[0].run_id
    assert in_files(tmp_path / "runs") == 2 + (crash_at == 2)
    assert len(theirs.get_logs_for_run(run_id)) == 2
    assert len(theirs.get_materialized_partitions(dg.AssetKey("tags"))) >= 1
    theirs.dispose()


@pytest.mark.slow
def test_the_databases_of_later_runs_are_like_the_first(tmp_path: Path) -> None:
    ours, theirs = KeptOpenEventLogStorage(str(tmp_path / "ours")), SqliteEventLogStorage(str(tmp_path / "theirs"))
    for number in range(3):
        for storage in (ours, theirs):
            storage.get_logs_for_run(f"run {number}")
    ours.dispose()
    theirs.dispose()

    def schema(path: Path) -> list[Any]:
        with closing(sqlite3.connect(path)) as database:
            version = database.execute("SELECT version_num FROM alembic_version").fetchall()
            journal = database.execute("PRAGMA journal_mode").fetchall()
            return [version, journal, *database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")]

    expected = schema(tmp_path / "theirs/run 0.db")
    assert expected[1] == [("wal",)]
    for number in range(3):
        assert schema(tmp_path / f"ours/run {number}.db") == expected
