"""Dagster's SQLite storage of runs with connections that stay open.

Dagster's own class makes an engine, opens the database, compiles its statements anew and closes it for every statement,
and each close makes SQLite checkpoint. It also reads a whole plan to learn whether it is stored, and the columns of the
table of runs to learn whether they are there.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

from dagster import DagsterRun, RunRecord, RunsFilter
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Select, bindparam, create_engine, event, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

BUSY_TIMEOUT_S = 60
"""unit=s: how long a statement waits for another process that writes."""
_MAX_RUNS = 16
"""Runs that are kept as they were read; a process that executes runs reads each six times."""
_OF_RUN = RunsTable.c.run_id == bindparam("run_id")
_RUN = select(RunsTable.c.run_body, RunsTable.c.status).where(_OF_RUN)
_RECORD = select(
    RunsTable.c.id,
    RunsTable.c.run_body,
    RunsTable.c.status,
    RunsTable.c.create_timestamp,
    RunsTable.c.update_timestamp,
    RunsTable.c.start_time,
    RunsTable.c.end_time,
).where(_OF_RUN)


class KeptOpenRunStorage(SqliteRunStorage):
    """Storage of runs that keeps a few connections open."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        # A web server asks from many threads. Connections beyond the usual five are closed after their use.
        self._engine = create_engine(
            conn_string,
            max_overflow=-1,
            connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        )
        event.listen(self._engine, "connect", _set_up)
        self._columns: set[str] = set()
        self._runs: OrderedDict[tuple[str, str], DagsterRun] = OrderedDict()
        super().__init__(conn_string, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a transaction on a connection of this thread."""
        with self._engine.begin() as connection:
            yield connection

    def has_execution_plan_snapshot(self, execution_plan_snapshot_id: str) -> bool:
        """Tell whether a plan is stored, without reading it."""
        return self._has_snapshot_id(execution_plan_snapshot_id)

    def _has_snapshot_id(self, snapshot_id: str) -> bool:
        """Tell whether a snapshot of a job or plan is stored, without composing a statement."""
        with self.connect() as runs:
            query = "SELECT 1 FROM snapshots WHERE snapshot_id = ?"
            return runs.exec_driver_sql(query, (snapshot_id,)).first() is not None

    def get_run_records(
        self,
        filters: RunsFilter | None = None,
        limit: int | None = None,
        order_by: str | None = None,
        ascending: bool = False,
        cursor: str | None = None,
        bucket_by: Any = None,
    ) -> Sequence[RunRecord]:
        """Return runs with their times. A single run is asked for by its id, without composing a statement."""
        run_id = _only_run(filters)
        if run_id is None or cursor or bucket_by or not self.has_run_stats_index_cols():
            return super().get_run_records(filters, limit, order_by, ascending, cursor, bucket_by)
        row = self._read_row(_RECORD, run_id)
        if row is None:
            return []
        created, updated = (row[name].replace(tzinfo=UTC) for name in ("create_timestamp", "update_timestamp"))
        return [RunRecord(row["id"], self._row_to_run(row), created, updated, row["start_time"], row["end_time"])]

    def _get_run_by_id(self, run_id: str) -> DagsterRun | None:
        """Return a run; None when there is none with that id."""
        row = self._read_row(_RUN, run_id)
        return None if row is None else self._row_to_run(row)

    def _read_row(self, query: Select[Any], run_id: str) -> dict[str, Any] | None:
        with self.connect() as runs:
            row = runs.execute(query, {"run_id": run_id}).one_or_none()
        return None if row is None else row._asdict()

    def _row_to_run(self, row: dict[str, Any]) -> DagsterRun:
        """Return the run of a row. The text of one that was read lately is not read again."""
        text = row["run_body"], row["status"]
        run = self._runs.get(text)
        if run is None:
            run = self._runs[text] = super()._row_to_run(row)
            if len(self._runs) > _MAX_RUNS:
                self._runs.popitem(last=False)
        return run

    def has_run_stats_index_cols(self) -> bool:
        """Tell whether the table of runs has the columns of their times."""
        return "times" in self._columns or self._note("times", super().has_run_stats_index_cols())

    def has_backfill_id_column(self) -> bool:
        """Tell whether the table of runs has the column of backfills."""
        return "backfill" in self._columns or self._note("backfill", super().has_backfill_id_column())

    def _note(self, column: str, is_there: bool) -> bool:
        """Keep that a column is there. One that is not may be added by a migration."""
        if is_there:
            self._columns.add(column)
        return is_there

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        super().dispose()


def _only_run(filters: RunsFilter | None) -> str | None:
    """Return the id of the run that a filter asks for by nothing else; None for any other filter."""
    if filters is None or not filters.run_ids or len(filters.run_ids) > 1 or filters != RunsFilter(filters.run_ids):
        return None
    return filters.run_ids[0]


def _set_up(connection: Any, _record: Any) -> None:
    """Let commits return before the disk has them. A power cut may lose the last; no library needs them."""
    connection.execute("PRAGMA synchronous = NORMAL")


def open_runs(folder: Path) -> KeptOpenRunStorage:
    """Open the storage of runs in a folder, which is made if it is not there."""
    if _is_made(folder / "runs.db", {"alembic_version", "instance_info"}):
        return KeptOpenRunStorage(create_db_conn_string(str(folder), "runs"))
    return KeptOpenRunStorage.from_local(str(folder))


def open_schedules(folder: Path) -> SqliteScheduleStorage:
    """Open Dagster's storage of schedules and sensors in a folder, which is made if it is not there."""
    if _is_made(folder / "schedules.db", {"alembic_version"}):
        return SqliteScheduleStorage(create_db_conn_string(str(folder), "schedules"))
    return SqliteScheduleStorage.from_local(str(folder))


def _is_made(path: Path, tables: set[str]) -> bool:
    """Tell whether a database is complete. To find that out, Dagster reads all of its migrations, 0.03 s of CPU."""
    if not path.exists():
        return False
    try:
        with create_engine(
            create_db_conn_string(str(path.parent), path.stem), poolclass=NullPool
        ).connect() as database:
            there = {name for (name,) in database.exec_driver_sql("SELECT name FROM sqlite_master")}
            if not tables <= there:
                return False
            return database.exec_driver_sql("SELECT version_num FROM alembic_version").first() is not None
    except DBAPIError:  # Dagster's own opening says what is wrong
        return False
