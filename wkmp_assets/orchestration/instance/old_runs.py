"""Old runs and their events, and the room that they leave in Dagster's databases."""

import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster import DagsterInstance
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage
from wkmp_assets.orchestration.instance.living_runs import living_runs_of

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_STARTED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_PAGE_SIZE = 100
_FREE_PAGES = 1_000
"""Returned at a time. Other writers go on in between."""
_INCREMENTAL = 2
"""SQLite's number for a database that can return pages one by one."""
_MAX_FREE_SHARE = 0.25
"""Of an index that can only be rewritten as a whole."""

_LIBRARY_OF = """
(SELECT coalesce(json_extract(one.value, '$.entry_data.text'), json_extract(one.value, '$.entry_data')) FROM json_each(
    CASE WHEN json_valid({0}.event) THEN {0}.event ELSE '{{}}' END,
    '$.dagster_event.event_specific_data.materialization.metadata_entries'
) AS one WHERE json_extract(one.value, '$.label') = 'library')
"""
_OLD_EVENTS = f"""
SELECT id FROM event_logs AS old
WHERE run_id = :run AND id < (SELECT max(id) FROM event_logs) AND NOT (
    asset_key IS NOT NULL AND dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION') AND NOT EXISTS (
        SELECT 1 FROM event_logs AS later
        WHERE later.asset_key = old.asset_key AND later.dagster_event_type = old.dagster_event_type
            AND later.partition IS old.partition AND later.id > old.id
            AND {_LIBRARY_OF.format("later")} IS {_LIBRARY_OF.format("old")}
    )
) AND NOT (
    asset_key IS NOT NULL AND dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED' AND NOT EXISTS (
        SELECT 1 FROM event_logs AS later
        WHERE later.asset_key = old.asset_key AND later.partition IS old.partition AND later.id > old.id
            AND later.dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_MATERIALIZATION_PLANNED')
    )
)
"""  # noqa: S608 - literals only
"""The last event never goes: SQLite would give its id to the next one, and sensors have seen that id."""

_OLD_CHECKS = """
DELETE FROM asset_check_executions AS old WHERE run_id = :run AND EXISTS (
    SELECT 1 FROM asset_check_executions AS later
    WHERE later.asset_key = old.asset_key AND later.check_name = old.check_name
        AND later.partition IS old.partition AND later.id > old.id
)
"""
_STANDS = (
    "SELECT 1 FROM event_logs WHERE run_id = :run AND dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED' LIMIT 1"
)


def find_old_runs(instance: DagsterInstance, before: datetime) -> Iterator[dg.DagsterRun]:
    """Yield the runs that ended before a time, oldest first. A run whose process is gone has ended when it began.

    Parameters
    ----------
    instance : DagsterInstance
        Keeps the runs.
    before : datetime
        With a time zone.
    """
    living = living_runs_of(instance.event_log_storage)
    filters = dg.RunsFilter(statuses=[*_ENDED, *(_STARTED if living else [])], created_before=before)
    cursor = None
    while page := instance.get_run_records(filters, limit=_PAGE_SIZE, cursor=cursor, ascending=True):
        for record in page:
            run, ended = record.dagster_run, record.end_time
            if run.status in _STARTED:
                if living is None or living.is_alive(run.run_id):
                    continue
                ended = record.start_time
            if ended is None or datetime.fromtimestamp(ended, UTC) < before:
                yield run
        cursor = page[-1].dagster_run.run_id


def prune_run(instance: DagsterInstance, run_id: str, storage_folder: Path) -> int:
    """Delete the events of an old run that nothing asks for any more, and its record.

    The last materialization of each partition stays, with its receipt, and so do the last evaluation of each check and
    what is planned and was never materialized: with that, the run stays too, because Dagster calls the partition
    failed by it. A kill in between leaves a history that can be opened, and the next call does the rest.

    Parameters
    ----------
    instance : DagsterInstance
        Keeps the run.
    run_id : str
        Of a run that has ended.
    storage_folder : Path
        Holds what the run captured, in a folder of its id.

    Returns
    -------
    int
        Number of deleted events.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        return 0
    with storage.index_connection() as index:
        ids = [(one,) for one in index.exec_driver_sql(_OLD_EVENTS, {"run": run_id}).scalars()]
        if ids:
            index.exec_driver_sql("DELETE FROM event_logs WHERE id = ?", ids)
            index.exec_driver_sql("DELETE FROM asset_event_tags WHERE event_id = ?", ids)
        index.exec_driver_sql(_OLD_CHECKS, {"run": run_id})
        stays = index.exec_driver_sql(_STANDS, {"run": run_id}).first() is not None
    if not stays:
        if isinstance(storage, KeptOpenEventLogStorage):
            storage.close_run(run_id)
        _remove_database(Path(storage.path_for_shard(run_id)))
        shutil.rmtree(storage_folder / run_id, ignore_errors=True)
        instance.run_storage.delete_run(run_id)
    return len(ids)


def remove_orphans(instance: DagsterInstance, before: datetime) -> int:
    """Delete databases of runs that Dagster no longer knows, and that nobody has written since a time."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        return 0
    removed = 0
    for run_id in storage.get_all_run_ids():
        path = Path(storage.path_for_shard(run_id))
        is_old = datetime.fromtimestamp(path.stat().st_mtime, UTC) < before
        if run_id and is_old and instance.get_run_by_id(run_id) is None:
            _remove_database(path)
            removed += 1
    return removed


def return_free_pages(instance: DagsterInstance, *, may_rewrite: bool) -> int:
    """Make the event index smaller by the pages that are free.

    An index of this storage returns them in small transactions. An older one can only be rewritten as a whole, which
    keeps others from writing meanwhile.

    Parameters
    ----------
    instance : DagsterInstance
        Its index.
    may_rewrite : bool
        Whether no run is alive. An index is rewritten only when a quarter of it is free.

    Returns
    -------
    int
        unit=bytes
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        return 0
    path = Path(storage.path_for_shard(INDEX_SHARD_NAME))
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 1, "isolation_level": None})
    with closing(engine.raw_connection()) as index, suppress(engine.dialect.loaded_dbapi.OperationalError):
        cursor = index.cursor()

        def ask(pragma: str) -> int:
            return int(cursor.execute(f"PRAGMA {pragma}").fetchone()[0])

        before, free = ask("page_count"), ask("freelist_count")
        if ask("auto_vacuum") == _INCREMENTAL:
            for returned in range(0, free, _FREE_PAGES):
                cursor.execute("BEGIN IMMEDIATE")
                for _ in range(min(_FREE_PAGES, free - returned)):
                    cursor.execute("PRAGMA incremental_vacuum(1)")  # Python's sqlite3 takes one step, which is one page
                cursor.execute("COMMIT")
        elif may_rewrite and free > _MAX_FREE_SHARE * before:
            cursor.execute("VACUUM")
        ask("wal_checkpoint(TRUNCATE)")
        return (before - ask("page_count")) * ask("page_size")
    return 0  # somebody else is writing: the next time will do


def _remove_database(path: Path) -> None:
    for suffix in ("-wal", "-shm", ""):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
