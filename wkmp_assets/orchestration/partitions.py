"""The partitions: one per audio file of the library, registered by `library_scan`."""

from collections.abc import Sequence
from itertools import chain

import dagster as dg
from dagster import DagsterInstance

from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.orchestration.instance.dagster_api import partition_bounds
from wkmp_assets.settings import Settings

FILES_PER_BACKFILL_RUN = 50
"""Files in one run of a backfill, unless WKMP_FILES_PER_RUN says otherwise."""


def partitions_name(settings: Settings) -> str:
    """Return the name of the library's partition set.

    Each library has its own set, because one Dagster instance may serve several and a range of partitions must stay
    within one library.
    """
    return f"audio_files_{settings.library_id}"


def audio_files(settings: Settings) -> dg.DynamicPartitionsDefinition:
    """Return the partitions definition of the library."""
    return dg.DynamicPartitionsDefinition(name=partitions_name(settings))


def backfill_policy(settings: Settings) -> dg.BackfillPolicy:
    """Return how a backfill of many files is divided into runs.

    By default into many runs, which can resume. With WKMP_FILES_PER_RUN=all into one run, which `--partition-range`
    needs.
    """
    count = partitions_per_run(settings)
    return dg.BackfillPolicy.single_run() if count is None else dg.BackfillPolicy.multi_run(count)


def partitions_per_run(settings: Settings) -> int | None:
    """Return the number of partitions that a run may span which is cut by count; None for no limit."""
    if settings.files_per_run == "all":
        return None
    return FILES_PER_BACKFILL_RUN if settings.files_per_run == "auto" else settings.files_per_run


def library_keys(settings: Settings, instance: DagsterInstance) -> Sequence[str]:
    """Return the partitions of the whole library, with those of missing files, which are no longer registered."""
    registered = instance.get_dynamic_partitions(partitions_name(settings))
    missing = [encode_key(file.path) for file in read_missing(settings.database_path)]
    known = frozenset(registered) if missing else frozenset()
    return [*registered, *(key for key in missing if key not in known)]


def keys_of_run(run: dg.DagsterRun, ordered: Sequence[str]) -> Sequence[str]:
    """Return the partitions of a run; none when they are no longer registered."""
    bounds = partition_bounds(run.tags)
    if bounds is None or any(key not in ordered for key in bounds):
        return []
    first, last = map(ordered.index, bounds)
    return ordered[first : last + 1]


def keys_of_runs(runs: Sequence[dg.DagsterRun], ordered: Sequence[str]) -> frozenset[str]:
    """Return the partitions of any of some runs; a large library may have a thousand runs that wait."""
    return frozenset(chain.from_iterable(keys_of_run(run, ordered) for run in runs))
