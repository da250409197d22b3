"""The commits that Dagster has recorded: the metadata of each partition's latest materialization."""

from collections.abc import Collection

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.model.phases import ENTRY
from wkmp_assets.report.partition_metadata import RecordedCommit, parse_commit


def recorded_commits(instance: DagsterInstance, keys: Collection[str]) -> dict[str, RecordedCommit]:
    """Read the last commit of each partition.

    Parameters
    ----------
    instance : DagsterInstance
        Keeps the events.
    keys : collection of str
        Partition keys, a few hundred at most, because their events are in memory together.

    Returns
    -------
    dict
        Partition key -> commit, without partitions that were never materialized.
    """
    entry, materialized = dg.AssetKey(ENTRY), dg.DagsterEventType.ASSET_MATERIALIZATION
    # To Dagster, no keys mean all keys.
    ids = instance.get_latest_storage_id_by_partition(entry, materialized, set(keys)) if keys else {}
    if not ids:
        return {}
    wanted = dg.AssetRecordsFilter(asset_key=entry, storage_ids=list(ids.values()))
    commits: dict[str, RecordedCommit] = {}
    for record in instance.fetch_materializations(wanted, limit=len(ids)).records:
        event = record.asset_materialization
        if event is not None and event.partition is not None:
            metadata = {name: value.value for name, value in event.metadata.items()}
            commits[event.partition] = parse_commit(metadata, record.run_id)
    return commits
