"""Which files a check judges: those of its run, or the whole library when it is run alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from wkmp_assets.errors import PartitionKeyError
from wkmp_assets.model.file_key import storable_path
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.resources import Library

PORTION = 500
"""Files looked at in one go: few enough for memory, many enough to cost no more than the reading itself."""


@dataclass(frozen=True)
class Scope:
    """What one evaluation of a check is about."""

    keys: Sequence[str]
    """Partition keys, in the order they were registered."""
    is_whole_library: bool

    def portions(self) -> Iterator[dict[str, str]]:
        """Yield partition key -> path as the library stores it, some hundred at a time."""
        paths = iter(self.paths())
        while portion := dict(islice(paths, PORTION)):
            yield portion

    def paths(self) -> Iterator[tuple[str, str]]:
        """Yield partition keys with their paths; a key that is no path (anybody can register one) has no file."""
        for key in self.keys:
            try:
                yield key, storable_path(key)
            except PartitionKeyError:
                continue


def scope_of(context: dg.AssetCheckExecutionContext, library: Library) -> Scope:
    """Return the files of the run, or all of the library when the run names none.

    Not `context.partition_keys`: checks that run without their asset have no partitions of their own, and it raises.
    """
    tags = context.run.tags
    if PARTITION_NAME_TAG in tags:
        return Scope([tags[PARTITION_NAME_TAG]], is_whole_library=False)
    registered = context.instance.get_dynamic_partitions(partitions_name(library.settings))
    if ASSET_PARTITION_RANGE_START_TAG not in tags:
        return Scope(registered, is_whole_library=True)
    first = registered.index(tags[ASSET_PARTITION_RANGE_START_TAG])
    last = registered.index(tags[ASSET_PARTITION_RANGE_END_TAG])
    return Scope(registered[first : last + 1], is_whole_library=False)
