"""The commits that Dagster has recorded: the metadata of each partition's latest materialization."""

from collections.abc import Collection, Iterator, Sequence
from weakref import WeakKeyDictionary

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.instance.dagster_api import find_own_receipts
from wkmp_assets.report.partition_metadata import RecordedCommit, parse_commit
from wkmp_assets.settings import Settings

_LIBRARY = "library"
_PAGE_SIZE = 1000
_KEY = dg.AssetKey(ENTRY)
_last_read: WeakKeyDictionary[DagsterInstance, dict[int, tuple[dg.AssetMaterialization, str]]] = WeakKeyDictionary()
"""By the id in the storage. No other event gets it."""


def name_library(settings: Settings) -> dict[str, str]:
    """Return the metadata by which a receipt names its library.

    Several libraries of one Dagster instance have the same assets, and files at the same paths have the same keys.
    """
    return {_LIBRARY: settings.library_id}


def recorded_commits(instance: DagsterInstance, settings: Settings, keys: Collection[str]) -> dict[str, RecordedCommit]:
    """Read the last commit of each partition.

    Parameters
    ----------
    instance : DagsterInstance
        Keeps the events.
    settings : Settings
        Of the library. Receipts of other libraries are passed over. Those of earlier versions name none, and count.
    keys : collection of str
        Partition keys, a few hundred at most, because their events are in memory together.

    Returns
    -------
    dict
        Partition key -> commit, without partitions that were never materialized.
    """
    commits: dict[str, RecordedCommit] = {}
    foreign: set[str] = set()
    for event, run_id in _read_latest(instance, keys):
        if _is_of(event, settings):
            commits[str(event.partition)] = _parse(event, run_id)
        else:
            foreign.add(str(event.partition))
    for event, run_id in _read_all(instance, foreign):
        if _is_of(event, settings):
            commits.setdefault(str(event.partition), _parse(event, run_id))
            foreign.discard(str(event.partition))
        if not foreign:
            break
    return commits


def _is_of(event: dg.AssetMaterialization, settings: Settings) -> bool:
    named = event.metadata.get(_LIBRARY)
    return named is None or named.value == settings.library_id


def _parse(event: dg.AssetMaterialization, run_id: str) -> RecordedCommit:
    return parse_commit({name: value.value for name, value in event.metadata.items()}, run_id)


def _read_latest(instance: DagsterInstance, keys: Collection[str]) -> Iterator[tuple[dg.AssetMaterialization, str]]:
    """Yield the last materialization of each partition, of whichever library, with the id of its run."""
    materialized = dg.DagsterEventType.ASSET_MATERIALIZATION
    # To Dagster, no keys mean all keys.
    ids = instance.get_latest_storage_id_by_partition(_KEY, materialized, set(keys)) if keys else {}
    # Several checks of a run ask for the same events, and to read one takes longer than to judge it.
    known = {one: event for one, event in _last_read.get(instance, {}).items() if one in set(ids.values())}
    known |= find_own_receipts(instance, set(ids.values()) - known.keys())
    unread = sorted(set(ids.values()) - known.keys())
    if unread:
        wanted = dg.AssetRecordsFilter(asset_key=_KEY, storage_ids=unread)
        page = instance.fetch_materializations(wanted, limit=len(unread))
        known |= {record.storage_id: event for record in page.records for event in _events([record])}
    _last_read[instance] = known
    yield from known.values()


def _read_all(instance: DagsterInstance, keys: Collection[str]) -> Iterator[tuple[dg.AssetMaterialization, str]]:
    """Yield all materializations of some partitions with the ids of their runs, latest first."""
    wanted = dg.AssetRecordsFilter(asset_key=_KEY, asset_partitions=sorted(keys))
    cursor, has_more = None, bool(keys)
    while has_more:
        page = instance.fetch_materializations(wanted, limit=_PAGE_SIZE, cursor=cursor)
        yield from _events(page.records)
        cursor, has_more = page.cursor, page.has_more


def _events(records: Sequence[dg.EventLogRecord]) -> Iterator[tuple[dg.AssetMaterialization, str]]:
    for record in records:
        event = record.asset_materialization
        if event is not None and event.partition is not None:
            yield event, record.run_id
