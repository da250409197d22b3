"""Dagster's SQLite storage with connections that stay open, in which each event is stored once.

Dagster's own class opens two databases for every event, compiles its statements anew and closes them, and each close
makes SQLite checkpoint. That was most of the cost of orchestration (docs/benchmarks/import.md). It also stores events
of assets twice: in the database of their run, for the run's page, and in the index of all runs. Here the index holds
all events. Runs that have a database of their own, from Dagster's class, keep it.

dagster.yaml chooses this storage for the web UI, the daemon and every run. Without that block Dagster uses its own
class on the same index: assets, partitions and runs are there, and only the log of a run on its page is not.
"""

import atexit
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any, Self, SupportsIndex, TypeGuard

from dagster import AssetKey, DagsterEventType, EventLogRecord, EventRecordsFilter
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.events import EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.base import AssetRecord
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorageWatchdog
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.pool import NullPool, StaticPool
from watchdog.events import FileSystemEvent
from watchdog.observers import Observer

from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.instance.asset_answers import AssetAnswers, State
from wkmp_assets.orchestration.instance.asset_rows import StoredEvent, move_records, store_asset_rows
from wkmp_assets.orchestration.instance.event_batch import EventBatch
from wkmp_assets.orchestration.instance.event_json import EventRows, Row, asset_of, kind_of, naive_utc
from wkmp_assets.orchestration.instance.living_runs import LivingRuns
from wkmp_assets.orchestration.instance.run_storage import open_runs, open_schedules
from wkmp_assets.orchestration.instance.web_guard import guard_web_ui
from wkmp_assets.runtime.file_locks import hold_lock
from wkmp_assets.settings import load_settings

_BUSY_TIMEOUT_S = 60
_MAX_ENGINES = 8
_PAGE_BYTES = 16_384
"""SQLite's usual 4,096 hold one event, and leave a third of the page empty. 32,768 leave more of the indexes empty."""
_MAX_RETURNED_PAGES = 200
"""At the end of a run; what the planned events of 500 files took."""
_MAX_BOUND = 500
"""Partitions in one statement of Dagster's, which binds each of them. Some builds of SQLite bind only 999 values."""
_AT_ONCE = {*EVENT_TYPE_TO_PIPELINE_RUN_STATUS, DagsterEventType.STEP_FAILURE}
_LEFT_OUT = {DagsterEventType.LOADED_INPUT, DagsterEventType.STEP_INPUT}
"""A step says of each of its inputs that it was read and is of the right type. When that fails, the step says so."""
_READ_AGAIN = AssetKey(ENTRY).to_string()
"""The asset whose events hold receipts, which the checks of the same run judge."""
_TAGGED = {DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_OBSERVATION}
_ENDS = {DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED}

_INSERT = """
INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition, id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

_DROP_PLANNED = """
DELETE FROM event_logs WHERE id IN (
    SELECT planned.id
    FROM event_logs AS done JOIN event_logs AS planned
        ON planned.asset_key = done.asset_key
        AND planned.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
        AND planned.partition IS done.partition
        AND planned.id < done.id
    WHERE done.run_id = ? AND +done.dagster_event_type = 'ASSET_MATERIALIZATION'
) AND id NOT IN (
    SELECT (
        SELECT max(last.id) FROM event_logs AS last
        WHERE last.asset_key = known.asset_key AND last.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
    )
    FROM asset_keys AS known WHERE known.last_run_id IS NOT NULL
)
"""
"""Of each asset the last one stays, because the web UI learns from it which run is the asset's latest."""
_DROP_EARLIER = """
DELETE FROM event_logs WHERE id IN (
    SELECT earlier.id
    FROM asset_keys AS known JOIN event_logs AS earlier ON earlier.id = (
        SELECT one.id FROM event_logs AS one
        WHERE one.asset_key = known.asset_key AND one.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
        ORDER BY one.id DESC LIMIT 1 OFFSET 1
    )
    WHERE known.last_run_id = ? AND EXISTS (
        SELECT 1 FROM event_logs AS done
        WHERE done.asset_key = earlier.asset_key AND done.dagster_event_type = 'ASSET_MATERIALIZATION'
            AND done.partition IS earlier.partition AND done.id > earlier.id
    )
)
"""
"""The one that was the last of its asset when an earlier run ended."""
_NARROW_TAG_INDEX = """
CREATE INDEX idx_asset_event_tags ON asset_event_tags (asset_key, "key", value) WHERE "key" <> 'dagster/data_version'
"""
"""Dagster asks for the versions of events that it knows. The index of all tags holds each version once more."""


class PartitionKeys(list[str]):
    """The partitions of a set, which know their places. All who ask share one list."""

    def __init__(self, keys: Iterable[str]) -> None:
        super().__init__(keys)
        self._places = {key: place for place, key in enumerate(self)}

    def index(self, key: str, *bounds: SupportsIndex) -> int:
        """Return the place of a partition, without comparing it with all others."""
        if bounds or key not in self._places:
            return super().index(key, *bounds)
        return self._places[key]

    def __contains__(self, key: object) -> bool:
        """Tell whether a partition is among them."""
        return key in self._places

    def append(self, key: str) -> None:
        """Refuse it.

        Raises
        ------
        TypeError
            Always: the list belongs to all who ask for the partitions.
        """
        raise TypeError(f"{key} cannot be appended to a list that belongs to all who ask; copy it first")


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
        index = storage.path_for_shard(INDEX_SHARD_NAME)
        self._patterns = [one for path in (self._log_path, index) for one in (path, f"{path}-wal")]

    def on_modified(self, _event: FileSystemEvent) -> None:
        """Pass new events on after a change of a file that may hold them."""
        self._process_log()


class KeptOpenEventLogStorage(SqliteEventLogStorage):
    """Event log with open connections to the index and to the databases of the latest runs.

    It also knows which runs are alive, because the process that executes a run stores the event of its start.
    """

    living_runs: LivingRuns
    _obs: Any  # the observer of watched runs; None until the first is watched

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._partitions: dict[str, tuple[int, PartitionKeys]] = {}
        self._sqlite: Any = None  # SQLite's own connection to the index; None until the first use
        self._tables: set[str] = set()
        self._migrated: set[str] = set()
        self._own_databases: set[str] = set()
        self._rows = EventRows()
        self._answers = AssetAnswers()
        self._asset_columns: set[str] = set()
        self._batch = EventBatch(self._store_batch)
        self._given: EventLogEntry | None = None
        atexit.register(self._batch.flush_at_exit)
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
            # Dagster reads all of its migrations to find that out.
            there = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").all()
            if there and connection.exec_driver_sql("SELECT version_num FROM alembic_version").all():
                return
        super()._initdb(engine, for_index_shard)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        """Open the database that holds the events of a run: the index, or the run's own one if it has one."""
        return self._connect(run_id if run_id and self._has_own_database(run_id) else INDEX_SHARD_NAME)

    def _has_own_database(self, run_id: str) -> bool:
        """Tell whether a run has a database of its own, from Dagster's class; none is made here."""
        if run_id not in self._own_databases and Path(self.path_for_shard(run_id)).exists():
            self._own_databases.add(run_id)
        return run_id in self._own_databases

    def narrow_tag_index(self) -> None:
        """Take the data versions out of the index of tags, which stay in its table."""
        with self.index_connection() as index:
            index.exec_driver_sql("DROP INDEX idx_asset_event_tags")
            index.exec_driver_sql(_NARROW_TAG_INDEX)

    def close_run(self, run_id: str) -> None:
        """Close the database of a run that is about to be deleted."""
        with self._db_lock:
            if run_id in self._engines:
                self._engines.pop(run_id).dispose()
            self._initialized_dbs.discard(run_id)
            self._own_databases.discard(run_id)

    @property
    def is_run_sharded(self) -> bool:
        """False, because one database holds the events of all runs."""
        return False

    @property
    def supports_partition_subset_in_asset_materialization_planned_events(self) -> bool:
        """True: one event plans all partitions of an asset. It is stored as an event for each of them."""
        return True

    def get_event_records(
        self, event_records_filter: EventRecordsFilter, limit: int | None = None, ascending: bool = False
    ) -> Sequence[EventLogRecord]:
        """Return events of all runs."""
        return SqlEventLogStorage.get_event_records(self, event_records_filter, limit, ascending)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event. At the start of a run, this process also takes the run's lock.

        An event waits for one that changes the status of the run, for a read, or for `event_batch.MAX_WAIT_S`. Events
        that only say that an input or output was handled are left out. Those of the outputs of checks are taken back.
        """
        kind = kind_of(event)
        before, self._given = self._given, event
        if kind in _LEFT_OUT or (kind is DagsterEventType.HANDLED_OUTPUT and not _has_metadata(event)):
            return
        if kind is DagsterEventType.ASSET_CHECK_EVALUATION and _is_output_of(before, event):
            self._batch.take_back(before)
        if kind is DagsterEventType.RUN_START:
            self.living_runs.begin(event.run_id)
        self._batch.add(event)
        if kind in _AT_ONCE:
            self._batch.flush()
        if kind in _ENDS:
            self.living_runs.end(event.run_id)

    def _store_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of one run, all or none, in one transaction.

        The rows are those that Dagster's own class has in its index and in the database of the run. An event that plans
        many partitions is a row for each of them.
        """
        rows = [list(self._rows.make(event)) for event in events]
        run_id = events[0].run_id
        with self._db_lock:
            with ExitStack() as transactions:
                # Both are written before either is committed, and the index is committed first: it says what is
                # materialized. After a crash between the two only the page of the run lacks these events.
                if self._has_own_database(run_id):
                    of_run = transactions.enter_context(self._unlocked_transaction(run_id))
                    of_run.exec_driver_sql(_INSERT, [(*row, None) for of_event in rows for row in of_event])
                index = transactions.enter_context(self._unlocked_transaction(INDEX_SHARD_NAME))
                index.exec_driver_sql("BEGIN IMMEDIATE")  # nobody else may take the ids that follow
                self._answers.see(_state_of(_sqlite_of(index)))
                batch = self._insert(index, events, rows)
                changed = store_asset_rows(index, batch)
                if any(one.kind in _ENDS for one in batch):
                    index.exec_driver_sql(_DROP_PLANNED, (run_id,))
                    index.exec_driver_sql(_DROP_EARLIER, (run_id,))
                    _return_pages(index)
                records = self._answers.find(changed, "record")
                self._answers.move(changed, _state_of(_sqlite_of(index)))
            self._answers.keep(move_records(records, batch), "record")
            for one in batch:
                if one.kind is DagsterEventType.ASSET_MATERIALIZATION and one.partition is not None:
                    kept = one.event if one.asset == _READ_AGAIN else None
                    self._answers.note_latest(one.asset, run_id, one.partition, one.row_id, one.tags, kept)

    def _insert(
        self, index: Connection, events: Sequence[EventLogEntry], rows: Sequence[Sequence[Row]]
    ) -> list[StoredEvent]:
        """Write the rows of events in the index, and return the events with their ids."""
        (last_id,) = index.exec_driver_sql("SELECT coalesce(max(id), 0) FROM event_logs").one()
        flat = [row for of_event in rows for row in of_event]
        index.exec_driver_sql(_INSERT, [(*row, last_id + place) for place, row in enumerate(flat, start=1)])
        ends = accumulate((len(of_event) for of_event in rows), initial=last_id)
        return [
            self._note_stored(event, of_event, row_id)
            for event, of_event, row_id in zip(events, rows, list(ends)[1:], strict=True)
        ]

    def _note_stored(self, event: EventLogEntry, rows: Sequence[Row], row_id: int) -> StoredEvent:
        kind = kind_of(event)
        tags = self._tags_for_asset_event(event) if kind in _TAGGED else {}
        if not rows:  # an event may plan no partition
            return StoredEvent(event, kind, "", row_id, naive_utc(event.timestamp), asset_of(event) or "", None, tags)
        _, text, _, when, _, asset, partition = rows[-1]
        return StoredEvent(event, kind, text, row_id, when, asset or "", partition, tags)

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> Sequence[AssetRecord]:
        """Return what is last known of assets, of all without keys; of an asset that is not known nothing."""
        if asset_keys is None:
            return super().get_asset_records()

        def read(keys: Sequence[AssetKey]) -> Mapping[AssetKey, AssetRecord | None]:
            found = {record.asset_entry.asset_key: record for record in super_read(keys)}
            return {key: found.get(key) for key in keys}

        super_read = super().get_asset_records
        records = self._ask(asset_keys, "record", read)
        in_order = sorted(set(asset_keys), key=lambda key: key.to_string())
        return [record for key in in_order if (record := records[key]) is not None]

    def get_latest_tags_by_partition(
        self,
        asset_key: AssetKey,
        event_type: DagsterEventType,
        tag_keys: Sequence[str],
        asset_partitions: Sequence[str] | None = None,
        before_cursor: int | None = None,
        after_cursor: int | None = None,
    ) -> Mapping[str, Mapping[str, str]]:
        """Return tags of the last event of each partition of an asset."""
        options = (event_type, tag_keys, asset_partitions, before_cursor, after_cursor)
        if asset_partitions is None:  # there may be a hundred thousand, which are not kept
            return super().get_latest_tags_by_partition(asset_key, *options)

        def read(_keys: Sequence[AssetKey]) -> Mapping[AssetKey, Mapping[str, Mapping[str, str]]]:
            return {asset_key: super_read(asset_key, *options)}

        is_latest = before_cursor is None and after_cursor is None
        if event_type is DagsterEventType.ASSET_MATERIALIZATION and is_latest and set(tag_keys) == {DATA_VERSION_TAG}:
            with self._known_answers(asset_key) as (answers, asset):
                noted = answers.find_tags(asset, tag_keys, asset_partitions)
            if noted is not None:
                return noted
        super_read = super().get_latest_tags_by_partition
        question = (event_type, tuple(tag_keys), tuple(asset_partitions), before_cursor, after_cursor)
        tags: Mapping[str, Mapping[str, str]] = self._ask([asset_key], question, read)[asset_key]
        return tags

    def get_latest_storage_id_by_partition(
        self,
        asset_key: AssetKey,
        event_type: DagsterEventType,
        partitions: set[str] | None = None,
        after_cursor: int | None = None,
    ) -> Mapping[str, int]:
        """Return the id of the last event of each partition of an asset."""
        if event_type is DagsterEventType.ASSET_MATERIALIZATION and partitions and after_cursor is None:
            with self._known_answers(asset_key) as (answers, asset):
                noted = answers.find_ids(asset, partitions)
            if noted is not None:
                return noted
        return super().get_latest_storage_id_by_partition(asset_key, event_type, partitions, after_cursor)

    def find_receipts(self, event_ids: Iterable[int]) -> dict[int, EventLogEntry]:
        """Return the materializations of `library_entry` with these ids that this process has just stored.

        They are as they were given, and equal what is read back.
        """
        with self._known_answers(AssetKey(ENTRY)) as (answers, asset):
            return answers.find_events(asset, event_ids)

    @contextmanager
    def _known_answers(self, asset_key: AssetKey) -> Iterator[tuple[AssetAnswers, str]]:
        """Hold the answers that are up to date about an asset, with its name in them."""
        asset = asset_key.to_string()
        if self._batch.has_event_of([asset]):
            self._batch.flush()
        with self._db_lock:
            self._answers.see(self._read_state())
            yield self._answers, asset

    def _ask(
        self,
        keys: Sequence[AssetKey],
        question: Hashable,
        read: Callable[[Sequence[AssetKey]], Mapping[AssetKey, Any]],
    ) -> dict[AssetKey, Any]:
        """Return the answer to a question about each asset, and read only what is not known."""
        names = {key: key.to_string() for key in keys}
        if self._batch.has_event_of(names.values()):
            self._batch.flush()
        with self._db_lock:
            self._answers.see(self._read_state())
            known = self._answers.find(names.values(), question)
        unknown = [key for key, name in names.items() if name not in known]
        if unknown:
            self._batch.flush()
            with self._db_lock:
                before = self._read_state()
            answers = read(unknown)
            known |= {names[key]: answers[key] for key in unknown}
            with self._db_lock:
                if self._read_state() == before:  # else they may be answers to an earlier state
                    self._answers.see(before)
                    self._answers.keep({names[key]: answers[key] for key in unknown}, question)
        return {key: known[name] for key, name in names.items()}

    def _read_state(self) -> State:
        return _state_of(self._index())

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        """Tell whether the table of assets has a column. Dagster reads all columns again for every look at an asset."""
        if column_name not in self._asset_columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._asset_columns.add(column_name)
        return column_name in self._asset_columns

    def has_asset_key_col(self, column_name: str) -> bool:
        """Tell whether the table of assets has a column."""
        return column_name in self._asset_columns or super().has_asset_key_col(column_name)

    def has_table(self, table_name: str) -> bool:
        """Tell whether the index has a table. Dagster opens a connection to look, for every event with tags."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def has_secondary_index(self, name: str) -> bool:
        """Tell whether a migration of Dagster's has been done. Dagster reads that for every look at an asset."""
        if name not in self._migrated and super().has_secondary_index(name):
            self._migrated.add(name)
        return name in self._migrated

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Register partitions, one process at a time, because Dagster reads and adds them in two steps."""
        with hold_lock(Path(self._base_dir, ".partitions.lock")):
            known = self._read_partitions(partitions_def_name)
            new = [key for key in partition_keys if key not in known]
            for start in range(0, len(new), _MAX_BOUND):
                super().add_dynamic_partitions(partitions_def_name, new[start : start + _MAX_BOUND])
            if new:
                self._partitions.pop(partitions_def_name, None)

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Delete one partition."""
        super().delete_dynamic_partition(partitions_def_name, partition_key)
        self._partitions.pop(partitions_def_name, None)

    def delete_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Delete any number of partitions in one transaction.

        Dagster itself only deletes one at a time. For a large collection that was moved, that would take minutes.
        """
        if not partition_keys:
            return
        query = "DELETE FROM dynamic_partitions WHERE partitions_def_name = ? AND partition = ?"
        with self.index_connection() as connection:
            for key in partition_keys:
                connection.exec_driver_sql(query, (partitions_def_name, key))
        self._partitions.pop(partitions_def_name, None)

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """Return the partitions of a set, in the order in which they were added."""
        return self._read_partitions(partitions_def_name)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Tell whether a set has a partition."""
        return partition_key in self._read_partitions(partitions_def_name)

    def _read_partitions(self, partitions_def_name: str) -> PartitionKeys:
        """Read the partitions of a set, and read them again only after another process has written.

        A run asks for all of them and for single ones a hundred times each, and Dagster reads them each time. With
        10,000 files that was half of the cost of a run of 50 files, and with 100,000 files most of it.
        """
        with self._db_lock:
            index = self._index()
            # It changes with every commit of another connection. Commits of this one clear the cache above.
            version, _ = _state_of(index)
            read_at, keys = self._partitions.get(partitions_def_name, (None, PartitionKeys([])))
            if read_at != version:
                query = "SELECT partition FROM dynamic_partitions WHERE partitions_def_name = ? ORDER BY id"
                keys = PartitionKeys(key for (key,) in index.execute(query, [partitions_def_name]))
                self._partitions[partitions_def_name] = version, keys
        return keys

    def _index(self) -> Any:
        """Return SQLite's connection to the index. To take it from the pool costs more than a small question."""
        if self._sqlite is None:
            with self._unlocked_transaction(INDEX_SHARD_NAME) as index:
                self._sqlite = _sqlite_of(index)
        return self._sqlite

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
        atexit.unregister(self._batch.flush_at_exit)
        super().dispose()
        self.living_runs.close()
        with self._db_lock:
            self._partitions.clear()
            self._sqlite = None
            while self._engines:
                self._engines.popitem()[1].dispose()


def _has_metadata(event: EventLogEntry) -> bool:
    handled: Any = event.get_dagster_event().event_specific_data
    return bool(handled.metadata)


def _is_output_of(before: EventLogEntry | None, evaluation: EventLogEntry) -> TypeGuard[EventLogEntry]:
    """Tell whether an event says that a step has yielded the result of a check, whose evaluation follows.

    No step reads it, and a run that goes on after a failure does not look for it.
    """
    return (
        before is not None
        and kind_of(before) is DagsterEventType.STEP_OUTPUT
        and (before.run_id, before.step_key) == (evaluation.run_id, evaluation.step_key)
    )


def _sqlite_of(database: Connection) -> Any:
    return database.connection.driver_connection


def _state_of(database: Any) -> State:
    """Return what changes with every write: with those of other connections, and with rows that this one changed."""
    ((by_others,),) = database.execute("PRAGMA data_version").fetchall()
    return by_others, database.total_changes


def _return_pages(index: Connection) -> None:
    """Give free pages back to the file system, if the index was made for that; `wkmp tidy` returns the others."""
    (free,) = index.exec_driver_sql("PRAGMA freelist_count").one()
    for _ in range(min(free, _MAX_RETURNED_PAGES)):
        index.exec_driver_sql("PRAGMA incremental_vacuum(1)")  # Python's sqlite3 takes one step, which is one page


def _make_index(path: Path) -> bool:
    """Make an index whose pages hold several events, and whose free pages `wkmp tidy` can return while others write.

    Returns
    -------
    bool
        False when there is an index, which stays as it is.
    """
    if path.exists():
        return False
    path.parent.mkdir(exist_ok=True)
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    with engine.connect() as index:
        index.exec_driver_sql(f"PRAGMA page_size = {_PAGE_BYTES}")
        index.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")
        index.exec_driver_sql("PRAGMA journal_mode = WAL")
    return True


class KeptOpenSqliteStorage(DagsterSqliteStorage):
    """Dagster's SQLite storage with `KeptOpenEventLogStorage` for its events.

    Processes that start at the same moment open it one after another, because the first one creates the tables and
    Dagster does not expect a second.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        history = Path(base_dir, "history")
        history.mkdir(parents=True, exist_ok=True)
        with hold_lock(history / ".opening.lock"):
            is_new = _make_index(history / "runs" / f"{INDEX_SHARD_NAME}.db")
            # Dagster's own `__init__` makes these three of its own classes.
            self._run_storage = open_runs(history)
            self._schedule_storage = open_schedules(Path(base_dir, "schedules"))
            events = KeptOpenEventLogStorage(str(history / "runs"))
            if is_new:  # as Dagster does with an index that it makes
                events.reindex_events()
                events.reindex_assets()
                events.narrow_tag_index()
        self._event_log_storage = events
        self.base_dir = base_dir
        self._inst_data = inst_data
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]  # Dagster gives its constructor no types

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Build from the `config` block of dagster.yaml."""
        return cls.from_local(inst_data=inst_data, **config_value)
