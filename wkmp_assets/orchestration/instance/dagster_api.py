"""What the code location uses of Dagster beyond its public API, under names of its own.

`test_dagster_api` states for each name what Dagster must have, and fails when a new Dagster has it no longer.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster import DagsterInstance
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    WILL_RETRY_TAG,
)
from dagster._utils.schedules import is_valid_cron_schedule


def partition_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags of a run over the partitions from `first` to `last`, both included."""
    return {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}


def partition_bounds(tags: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the first and the last partition of a run by its tags; None when it has no partitions.

    They are the same partition when the run has only one.
    """
    single = tags.get(PARTITION_NAME_TAG)
    first = tags.get(ASSET_PARTITION_RANGE_START_TAG, single)
    last = tags.get(ASSET_PARTITION_RANGE_END_TAG, single)
    return None if first is None or last is None else (first, last)


def will_be_retried(run: dg.DagsterRun) -> bool:
    """Tell whether Dagster starts a failed run again by itself."""
    return run.tags.get(WILL_RETRY_TAG) == "true"


def is_cron_expression(text: str) -> bool:
    """Tell whether Dagster accepts a text as the time of a schedule."""
    return is_valid_cron_schedule(text)


def run_of(context: dg.InputContext | dg.OutputContext) -> dg.DagsterRun:
    """Return the run that calls an IO manager; for an input, the run that reads and not the run that wrote."""
    return context.step_context.dagster_run


def instance_of(context: dg.OutputContext) -> DagsterInstance:
    """Return the instance of the run that calls an IO manager."""
    return context.step_context.instance


def executes_asset(context: dg.OutputContext, asset: str) -> bool:
    """Tell whether the run that calls an IO manager materializes an asset."""
    return dg.AssetKey(asset) in context.step_context.job.get_definition().asset_layer.executable_asset_keys


def add_partition_metadata(context: dg.OutputContext, partition: str, metadata: Mapping[str, Any]) -> None:
    """Add metadata to the materialization of one partition.

    The public `add_asset_metadata` reads all registered partitions anew on each call, to look the partition up among
    them. With 50,000 files that costs more than the import itself.

    Parameters
    ----------
    context : dagster.OutputContext
        Of the IO manager.
    partition : str
        One of the output's partitions; this is not checked.
    metadata : mapping
        Name -> value, as Dagster takes them.
    """
    step = context.step_context
    step._metadata_accumulator = step._metadata_accumulator.with_additional_asset_metadata(
        asset_key=context.asset_key, partition_key=partition, metadata=metadata
    )
