"""Our storage of runs says what Dagster's own class says, on the same database, and keeps its connections."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.api import create_execution_plan
from dagster._core.snap import snapshot_from_execution_plan
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.utils import make_new_run_id
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError

from wkmp_assets.orchestration.instance.run_storage import KeptOpenRunStorage, open_runs, open_schedules


@dg.op
def one() -> None:
    """Do nothing."""


@dg.job
def job() -> None:
    one()


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[KeptOpenRunStorage]:
    storage = open_runs(tmp_path)
    yield storage
    storage.dispose()


def add_run(storage: SqliteRunStorage, tags: dict[str, str]) -> str:
    storage.add_job_snapshot(job.get_job_snapshot())
    run = dg.DagsterRun("job", run_id=make_new_run_id(), job_snapshot_id=job.get_job_snapshot_id(), tags=tags)
    return storage.add_run(run).run_id


def test_runs_are_read_as_dagsters_own_class_reads_them(runs: KeptOpenRunStorage, tmp_path: Path) -> None:
    first = add_run(runs, {"color": "red"})
    theirs = SqliteRunStorage.from_local(str(tmp_path))
    second = add_run(theirs, {"color": "blue"})
    runs.add_run_tags(first, {"size": "1"})
    assert [record.dagster_run.run_id for record in runs.get_run_records()] == [second, first]
    assert runs.get_run_records() == theirs.get_run_records()
    assert runs.get_run_records(dg.RunsFilter(tags={"size": "1"})) == theirs.get_run_records(
        dg.RunsFilter(tags={"color": "red"})
    )
    assert runs.get_run_storage_id() == theirs.get_run_storage_id()


def test_a_single_run_is_read_as_dagsters_own_class_reads_it_whoever_has_changed_it(
    runs: KeptOpenRunStorage, tmp_path: Path
) -> None:
    """Our storage keeps the runs that it has read, by their text."""
    theirs = SqliteRunStorage.from_local(str(tmp_path))
    others, run_id = add_run(runs, {}), add_run(runs, {"color": "red"})
    only = dg.RunsFilter(run_ids=[run_id])

    changes: list[Callable[[], object]] = [
        lambda: None,
        lambda: theirs.add_run_tags(run_id, {"size": "1"}),
        lambda: runs.add_run_tags(run_id, {"color": "blue"}),
        lambda: theirs.handle_run_event(run_id, _job_event(dg.DagsterEventType.RUN_START)),
        lambda: runs.handle_run_event(run_id, _job_event(dg.DagsterEventType.RUN_SUCCESS)),
    ]
    for change in changes:
        change()
        for limit in (None, 1):
            assert runs.get_run_records(only, limit=limit) == theirs.get_run_records(only, limit=limit)
    (record,) = runs.get_run_records(only)
    assert record.dagster_run.is_success
    assert None not in (record.start_time, record.end_time)
    assert record.dagster_run.tags == {"color": "blue", "size": "1"}
    for filters in (
        dg.RunsFilter(run_ids=["no run"]),
        dg.RunsFilter(run_ids=[run_id, others]),
        dg.RunsFilter(run_ids=[run_id], job_name="another job"),
        dg.RunsFilter(run_ids=[run_id], statuses=[dg.DagsterRunStatus.FAILURE]),
        dg.RunsFilter(run_ids=[run_id], tags={"color": "red"}),
    ):
        assert runs.get_run_records(filters) == theirs.get_run_records(filters)
    assert runs.get_run_records(only, cursor=others) == theirs.get_run_records(only, cursor=others)
    theirs.delete_run(run_id)
    assert runs.get_run_records(only) == []


def _job_event(kind: dg.DagsterEventType) -> dg.DagsterEvent:
    return dg.DagsterEvent(kind.value, "job")


def test_a_plan_is_known_once_it_is_stored(runs: KeptOpenRunStorage) -> None:
    plan = snapshot_from_execution_plan(create_execution_plan(job), job.get_job_snapshot_id())
    assert not runs.has_execution_plan_snapshot("a0")
    plan_id = runs.add_execution_plan_snapshot(plan)
    assert runs.has_execution_plan_snapshot(plan_id)
    assert runs.get_execution_plan_snapshot(plan_id) == plan


def test_one_connection_serves_all_that_ask_one_after_another(runs: KeptOpenRunStorage) -> None:
    opened: list[object] = []
    runs.dispose()
    event.listen(vars(runs)["_engine"], "connect", lambda connection, _record: opened.append(connection))
    for number in range(5):
        add_run(runs, {"number": str(number)})
    assert (runs.get_runs_count(), len(opened)) == (5, 1)


@pytest.mark.slow
def test_many_threads_ask_at_once(runs: KeptOpenRunStorage) -> None:
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda number: add_run(runs, {"number": str(number)}), range(36)))
    assert {run.tags["number"] for run in runs.get_runs()} == {str(number) for number in range(36)}


@pytest.mark.parametrize("lost", ["alembic_version", "instance_info"])
def test_a_database_of_an_older_dagster_is_completed(runs: KeptOpenRunStorage, tmp_path: Path, lost: str) -> None:
    run_id = add_run(runs, {})
    runs.dispose()
    with closing(sqlite3.connect(tmp_path / "runs.db")) as database:
        database.execute(f"DROP TABLE {lost}")
    again = open_runs(tmp_path)
    try:
        assert again.has_run(run_id)
        assert again.get_run_storage_id()
        assert again.alembic_version()[0]
    finally:
        again.dispose()


def test_what_is_no_database_is_told_as_by_dagsters_own_class(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_bytes(b"no database, and longer than the header of one" * 9)
    with pytest.raises(DatabaseError, match="file is not a database"):
        open_runs(tmp_path)


def test_schedules_are_made_once(tmp_path: Path) -> None:
    made = open_schedules(tmp_path)
    made.optimize()
    revision = made.alembic_version()
    assert revision[0] == revision[1]
    again = open_schedules(tmp_path)
    assert again.alembic_version() == revision
    assert again.all_instigator_state() == []
