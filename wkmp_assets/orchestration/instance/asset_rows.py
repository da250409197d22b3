"""The rows that a batch of events leaves beside the events: of assets, of their tags, and of their checks.

Dagster's class writes the same rows one by one, and compiles a statement and the JSON of a whole event for each. A run
has twenty checks, so that was a tenth of what a run costs whatever it holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from dagster import DagsterEventType, EventLogRecord
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.base import AssetRecord
from dagster._record import replace
from sqlalchemy import Connection

_ASSET = """
INSERT INTO asset_keys (asset_key, last_materialization_timestamp) VALUES (?, ?)
ON CONFLICT (asset_key) DO UPDATE SET last_materialization_timestamp = excluded.last_materialization_timestamp
"""
_PLANNED = "UPDATE asset_keys SET last_run_id = ? WHERE asset_key = ?"
_MATERIALIZED = "UPDATE asset_keys SET last_run_id = ?, last_materialization = ? WHERE asset_key = ?"

_TAG = "INSERT INTO asset_event_tags (event_id, asset_key, key, value, event_timestamp) VALUES (?, ?, ?, ?, ?)"

_CHECK = """
INSERT INTO asset_check_executions (
    execution_status, evaluation_event, evaluation_event_timestamp, evaluation_event_storage_id,
    materialization_event_storage_id, asset_key, check_name, run_id, partition
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_CHECKED = """
UPDATE asset_check_executions
SET execution_status = ?, evaluation_event = ?, evaluation_event_timestamp = ?, evaluation_event_storage_id = ?,
    materialization_event_storage_id = ?
WHERE asset_key = ? AND check_name = ? AND run_id = ? AND partition IS ?
"""
_DROP_PLANNED_CHECK = """
DELETE FROM event_logs WHERE dagster_event_type = 'ASSET_CHECK_EVALUATION_PLANNED' AND id = (
    SELECT evaluation_event_storage_id FROM asset_check_executions
    WHERE asset_key = ? AND check_name = ? AND run_id = ? AND partition IS NULL
)
"""
"""Of a check without partitions. Another has one event for many of them."""

_DONE = frozenset({DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_OBSERVATION})
_MOVING = frozenset({DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_MATERIALIZATION_PLANNED})


@dataclass(frozen=True)
class StoredEvent:
    """An event and its row; of an event that plans many partitions, the last row."""

    event: EventLogEntry
    kind: DagsterEventType | None
    """None when it is not of Dagster."""
    text: str
    row_id: int
    time: str
    """As the databases hold it."""
    asset: str
    """The key of the event's asset, as the databases hold it; empty without one."""
    partition: str | None
    """The partition of an event of an asset; None without one."""
    tags: Mapping[str, str]
    """Those that are rows of their own."""


def move_records(records: Mapping[str, AssetRecord | None], batch: Sequence[StoredEvent]) -> dict[str, AssetRecord]:
    """Return what is known of assets after a batch, from what was known before it.

    An asset that was not known before, or of which the batch says more than that it is planned or materialized, is left
    out.
    """
    of_assets = [one for one in batch if one.kind in ASSET_EVENTS and records.get(one.asset) is not None]
    other = {one.asset for one in of_assets if one.kind not in _MOVING}
    last = {one.asset: one for one in of_assets}
    materialized = {one.asset: one for one in of_assets if one.kind is DagsterEventType.ASSET_MATERIALIZATION}
    moved: dict[str, AssetRecord] = {}
    for asset in last.keys() - other:
        before = cast("AssetRecord", records[asset])
        entry = replace(before.asset_entry, last_run_id=last[asset].event.run_id)
        if asset in materialized:
            done = materialized[asset]
            entry = replace(entry, last_materialization_record=EventLogRecord(done.row_id, done.event))
        moved[asset] = replace(before, asset_entry=entry)
    return moved


def store_asset_rows(index: Connection, batch: Sequence[StoredEvent]) -> set[str]:
    """Write what a batch says of assets, their tags and their checks.

    Parameters
    ----------
    index : sqlalchemy.Connection
        In a transaction.
    batch : sequence of StoredEvent
        In their order.

    Returns
    -------
    set of str
        The assets whose rows have changed.
    """
    of_assets = [one for one in batch if one.kind in ASSET_EVENTS]
    # An asset's own row is that of its last events: each kind sets columns of its own.
    last = {(one.asset, one.kind): one for one in of_assets}
    for one in sorted(last.values(), key=lambda one: one.row_id):
        _store_asset(index, one)
    _store_tags(index, (one for one in of_assets if one.kind in _DONE))
    for one in batch:
        if one.kind in ASSET_CHECK_EVENTS:
            _store_check(index, one)
    return {asset for asset, _ in last}


def _store_asset(index: Connection, one: StoredEvent) -> None:
    time, run_id = one.time, one.event.run_id
    if one.kind is DagsterEventType.ASSET_MATERIALIZATION:
        record = f'{{"__class__":"EventLogRecord","event_log_entry":{one.text},"storage_id":{one.row_id}}}'
        index.exec_driver_sql(_ASSET, (one.asset, time))
        index.exec_driver_sql(_MATERIALIZED, (run_id, record, one.asset))
    elif one.kind is DagsterEventType.ASSET_MATERIALIZATION_PLANNED:
        index.exec_driver_sql(_ASSET, (one.asset, time))
        index.exec_driver_sql(_PLANNED, (run_id, one.asset))
    elif one.kind is DagsterEventType.ASSET_OBSERVATION:
        index.exec_driver_sql(_ASSET, (one.asset, time))


def _store_tags(index: Connection, done: Iterable[StoredEvent]) -> None:
    rows = [(one.row_id, one.asset, name, value, one.time) for one in done for name, value in one.tags.items()]
    if rows:
        index.exec_driver_sql(_TAG, rows)


def _store_check(index: Connection, one: StoredEvent) -> None:
    event = one.event.get_dagster_event()
    written = (one.text, one.time, one.row_id)
    if one.kind is DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
        planned = event.asset_check_planned_data
        whole = planned.partitions_subset
        check = (planned.asset_key.to_string(), planned.check_name, one.event.run_id)
        status = AssetCheckExecutionRecordStatus.PLANNED.value
        for partition in whole.get_partition_keys() if whole else [None]:
            index.exec_driver_sql(_CHECK, (status, *written, None, *check, partition))
    elif one.kind is DagsterEventType.ASSET_CHECK_EVALUATION:
        found = event.asset_check_evaluation_data
        target = found.target_materialization_data
        succeeded, failed = AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED
        status = (succeeded if found.passed else failed).value
        which = (found.asset_key.to_string(), found.check_name, one.event.run_id, found.partition)
        values = (status, *written, target.storage_id if target else None, *which)
        if found.partition is None:
            index.exec_driver_sql(_DROP_PLANNED_CHECK, which[:3])
        # Nothing plans a check that somebody reports from outside of any run.
        if not one.event.run_id or not index.exec_driver_sql(_CHECKED, values).rowcount:
            index.exec_driver_sql(_CHECK, values)
