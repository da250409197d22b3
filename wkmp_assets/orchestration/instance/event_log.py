"""Dagster's SQLite storage with connections that stay open, for the same files and tables.

Dagster's own class opens two databases for every event, compiles its statements anew and closes them, and each close
makes SQLite checkpoint. That was most of the cost of orchestration (docs/benchmarks/import.md). dagster.yaml chooses
this storage for the web UI, the daemon and every run. Without that block Dagster uses its own class on the same files.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dagster import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorageWatchdog
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import StaticPool
from watchdog.events import FileSystemEvent
from watchdog.observers import Observer

from wkmp_assets.orchestration.instance.living_runs import LivingRuns
from wkmp_assets.runtime.file_locks import hold_lock

_BUSY_TIMEOUT_S = 60
_MAX_ENGINES = 8
_MAX_BOUND = 500
"""Partitions in one statement of Dagster's, which binds each of them. Some builds of SQLite bind only 999 values."""
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
        self._partitions: dict[str, tuple[int, list[str]]] = {}
        self.living_runs = LivingRuns(Path(base_dir, ".alive"))
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        # Dagster's own lock lets all threads share one connection.
        with self._db_lock:
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

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event. At the start of a run, this process also takes the run's lock."""
        kind = event.dagster_event_type if event.is_dagster_event else None
        if kind is DagsterEventType.RUN_START:
            self.living_runs.begin(event.run_id)
        super().store_event(event)
        if kind in _ENDS:
            self.living_runs.end(event.run_id)

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
        """Return the partitions of a set, and read them again only after another process has written.

        A run asks for them a hundred times, and Dagster reads all of them each time. With 10,000 files that was half of
        the cost of a run of 50 files, and with 100,000 files most of it.
        """
        with self.index_connection() as connection:
            # It changes with every commit of another connection. Commits of this one clear the cache above.
            (version,) = connection.exec_driver_sql("PRAGMA data_version").one()
            read_at, keys = self._partitions.get(partitions_def_name, (None, []))
            if read_at != version:
                cursor = connection.connection.cursor()
                query = "SELECT partition FROM dynamic_partitions WHERE partitions_def_name = ? ORDER BY id"
                cursor.execute(query, [partitions_def_name])
                keys = [key for (key,) in cursor.fetchall()]
                self._partitions[partitions_def_name] = version, keys
        return list(keys)

    def watch(self, run_id: str, cursor: str | None, callback: Callable[[EventLogEntry, str], None]) -> None:
        """Call back for new events of a run, which SQLite first writes to the log beside the database."""
        if not self._obs:
            self._obs = Observer()
            self._obs.start()
        watchdog = _LogWatchdog(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = (watchdog, self._obs.schedule(watchdog, self._base_dir))

    def dispose(self) -> None:
        """Close all connections."""
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
