"""Dagster's SQLite storage with connections that stay open, for the same files and tables.

Dagster's own class opens two databases for every event, compiles its statements anew and closes them, and each close
makes SQLite checkpoint. That was most of the cost of orchestration (docs/benchmarks/import.md). dagster.yaml chooses
this storage for the web UI, the daemon and every run. Without that block Dagster uses its own class on the same files.
"""

import atexit
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorageWatchdog
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import StaticPool
from watchdog.events import FileSystemEvent
from watchdog.observers import Observer

from wkmp_assets.orchestration.instance import run_tables
from wkmp_assets.orchestration.instance.event_batch import EventBatch
from wkmp_assets.orchestration.instance.living_runs import LivingRuns
from wkmp_assets.orchestration.instance.web_guard import guard_web_ui
from wkmp_assets.runtime.file_locks import hold_lock
from wkmp_assets.settings import load_settings

_BUSY_TIMEOUT_S = 60
_MAX_ENGINES = 8
_MAX_BOUND = 500
"""Partitions in one statement of Dagster's, which binds each of them. Some builds of SQLite bind only 999 values."""
_BATCHED = {DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
_ENDS = {DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED}


class _LogWatchdog(SqliteEventLogStorageWatchdog):
    """Dagster's watcher of one run, which also watches the write-ahead log, where new events stay for a while."""

    def __init__(
        self,
        storage: SqliteEventLogStorage,
        run_id: str,
        callback: Callable[[EventLogEntry, str], None],
        cursor: str | None,
    ) -> None:
        super().__init__(storage, run_id, callback, cursor)
        self._patterns = [self._log_path, f"{self._log_path}-wal"]

    def on_modified(self, _event: FileSystemEvent) -> None:
        """Pass new events on after a change of either file."""
        self._process_log()


class KeptOpenEventLogStorage(SqliteEventLogStorage):
    """Event log with open connections to the index and to the databases of the latest runs.

    It also knows which runs are alive, because the process that executes a run stores the event of its start.
    """

    living_runs: LivingRuns
    _obs: Any  # the observer of watched runs; None until the first is watched

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._partitions: dict[str, tuple[int, dict[str, None]]] = {}
        self._tables: set[str] = set()
        self._has_asset_columns: bool | None = None
        self._batch = EventBatch(self._store_batch)
        atexit.register(self._batch.flush)
        self.living_runs = LivingRuns(Path(base_dir, ".alive"))
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        self._batch.flush()  # whoever reads in this process finds what it has recorded
        # Dagster's own lock lets all threads share one connection.
        with self._db_lock, self._unlocked_transaction(shard) as connection:
            yield connection

    @contextmanager
    def _unlocked_transaction(self, shard: str) -> Iterator[Connection]:
        engine = self._engine(shard)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        with engine.connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            self._engines[shard] = self._open(shard)
            oldest = next(iter(self._engines))
            if len(self._engines) > _MAX_ENGINES and oldest != INDEX_SHARD_NAME:
                self._engines.pop(oldest).dispose()
        if INDEX_SHARD_NAME in self._engines:
            self._engines.move_to_end(INDEX_SHARD_NAME)
        return self._engines[shard]

    def _open(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False},
        )
        with engine.connect() as connection:
            # In WAL mode NORMAL cannot corrupt the database. A power cut may lose the last events, and the library does
            # not depend on them.
            connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
        return engine

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Put our layer in front of the web UI; Dagster calls this in the web server before it makes the UI."""
        super().optimize_for_webserver(statement_timeout, pool_recycle, max_overflow)
        guard_web_ui(load_settings().ui_host_names)

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Create the tables of a database unless it has them."""
        with engine.connect() as connection:
            if run_tables.are_there(connection) or (not for_index_shard and run_tables.make(connection)):
                return
        super()._initdb(engine, for_index_shard)
        if not for_index_shard:
            with engine.connect() as connection:
                run_tables.learn(connection)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event. At the start of a run, this process also takes the run's lock.

        An event of an asset waits for the next one of another kind, for a read, or for `event_batch.MAX_WAIT_S`.
        """
        kind = event.dagster_event_type if event.is_dagster_event else None
        if kind in _BATCHED:
            self._batch.add(event)
            return
        if kind is DagsterEventType.RUN_START:
            self.living_runs.begin(event.run_id)
        super().store_event(event)
        if kind in _ENDS:
            self.living_runs.end(event.run_id)

    def _store_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of assets of one run as `store_event` stores them one by one: the same rows in the same order.

        The index and the database of the run are both written before either is committed, so that an error leaves
        neither. The index is committed first: it says what is materialized, and after a crash between the two only the
        run's own page lacks these events.
        """
        rows = [self._event_to_row(event) for event in events]
        with (
            self._db_lock,
            self._unlocked_transaction(events[0].run_id) as of_run,
            self._unlocked_transaction(INDEX_SHARD_NAME) as index,
        ):
            of_run.execute(SqlEventLogStorageTable.insert(), rows)
            self._index_events(index, events, rows)

    def _index_events(self, index: Connection, events: Sequence[EventLogEntry], rows: list[dict[str, Any]]) -> None:
        table = SqlEventLogStorageTable
        insert = table.insert().returning(table.c.id, sort_by_parameter_order=True)
        ids = list(index.execute(insert, rows).scalars())
        self._store_asset_event_tags(index, events, ids)
        # An asset's own row is that of its last events: each kind sets columns of its own.
        last = {(event.get_dagster_event().asset_key, event.dagster_event_type): i for i, event in enumerate(events)}
        for i in sorted(last.values()):
            self._store_asset_event(index, events[i], ids[i])

    def _has_asset_key_index_cols_on_connection(self, conn: Connection) -> bool:
        """Tell whether the table of assets has its newer columns; Dagster reads all columns again for every event."""
        if self._has_asset_columns is None:
            self._has_asset_columns = super()._has_asset_key_index_cols_on_connection(conn)
        return self._has_asset_columns

    def has_table(self, table_name: str) -> bool:
        """Tell whether the index has a table. Dagster opens a connection to look, for every event with tags."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Register partitions, one process at a time, because Dagster reads and adds them in two steps."""
        with hold_lock(Path(self._base_dir, ".partitions.lock")):
            for start in range(0, len(partition_keys), _MAX_BOUND):
                super().add_dynamic_partitions(partitions_def_name, partition_keys[start : start + _MAX_BOUND])
            self._partitions.pop(partitions_def_name, None)

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Delete one partition."""
        super().delete_dynamic_partition(partitions_def_name, partition_key)
        self._partitions.pop(partitions_def_name, None)

    def delete_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Delete any number of partitions in one transaction.

        Dagster itself only deletes one at a time. For a large collection that was moved, that would take minutes.
        """
        query = "DELETE FROM dynamic_partitions WHERE partitions_def_name = ? AND partition = ?"
        with self.index_connection() as connection:
            for key in partition_keys:
                connection.exec_driver_sql(query, (partitions_def_name, key))
        self._partitions.pop(partitions_def_name, None)

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """Return the partitions of a set, in the order in which they were added."""
        return list(self._read_partitions(partitions_def_name))

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Tell whether a set has a partition."""
        return partition_key in self._read_partitions(partitions_def_name)

    def _read_partitions(self, partitions_def_name: str) -> Mapping[str, None]:
        """Read the partitions of a set, and read them again only after another process has written.

        A run asks for all of them and for single ones a hundred times each, and Dagster reads them each time. With
        10,000 files that was half of the cost of a run of 50 files, and with 100,000 files most of it.
        """
        with self.index_connection() as connection:
            # It changes with every commit of another connection. Commits of this one clear the cache above.
            (version,) = connection.exec_driver_sql("PRAGMA data_version").one()
            read_at, keys = self._partitions.get(partitions_def_name, (None, {}))
            if read_at != version:
                cursor = connection.connection.cursor()
                query = "SELECT partition FROM dynamic_partitions WHERE partitions_def_name = ? ORDER BY id"
                cursor.execute(query, [partitions_def_name])
                keys = {key: None for (key,) in cursor.fetchall()}
                self._partitions[partitions_def_name] = version, keys
        return keys

    def watch(self, run_id: str, cursor: str | None, callback: Callable[[EventLogEntry, str], None]) -> None:
        """Call back for new events of a run, which SQLite first writes to the log beside the database."""
        if not self._obs:
            self._obs = Observer()
            self._obs.start()
        watchdog = _LogWatchdog(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = (watchdog, self._obs.schedule(watchdog, self._base_dir))

    def dispose(self) -> None:
        """Store what waits, and close all connections."""
        self._batch.flush()
        atexit.unregister(self._batch.flush)
        super().dispose()
        self.living_runs.close()
        with self._db_lock:
            self._partitions.clear()
            while self._engines:
                self._engines.popitem()[1].dispose()


class KeptOpenSqliteStorage(DagsterSqliteStorage):
    """Dagster's SQLite storage with `KeptOpenEventLogStorage` for its events.

    Processes that start at the same moment open it one after another, because the first one creates the tables and
    Dagster does not expect a second.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        history = Path(base_dir, "history")
        history.mkdir(parents=True, exist_ok=True)
        with hold_lock(history / ".opening.lock"):
            super().__init__(base_dir, inst_data)
        self._event_log_storage = KeptOpenEventLogStorage(str(history / "runs"))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Build from the `config` block of dagster.yaml."""
        return cls.from_local(inst_data=inst_data, **config_value)
