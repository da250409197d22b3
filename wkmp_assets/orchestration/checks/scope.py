"""The files that a check judges: those of its run, or the whole library when the run has no partitions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import dagster as dg

from wkmp_assets.errors import PartitionKeyError
from wkmp_assets.model.file_key import storable_path
from wkmp_assets.orchestration.instance.dagster_api import partition_bounds, skip_loggers
from wkmp_assets.orchestration.partitions import keys_of_run, library_keys, partitions_name
from wkmp_assets.orchestration.resources import Library

PORTION_SIZE = 500
"""Files judged at a time: few enough for memory, many enough that each query is worth its cost."""


@dataclass(frozen=True)
class Scope:
    """The files of one evaluation of a check."""

    keys: Sequence[str]
    """Partition keys, in the order they were registered; those of missing files come last."""
    is_whole_library: bool

    def portions(self) -> Iterator[dict[str, str]]:
        """Yield partition key -> path as the library stores it, `PORTION_SIZE` at a time."""
        paths = iter(self.paths())
        while portion := dict(islice(paths, PORTION_SIZE)):
            yield portion

    def paths(self) -> Iterator[tuple[str, str]]:
        """Yield partition keys with their paths, without keys that are no path, which anyone can register."""
        for key in self.keys:
            try:
                yield key, storable_path(key)
            except PartitionKeyError:
                continue


def find_scope(context: dg.AssetCheckExecutionContext, library: Library) -> Scope:
    """Return the files of the run, or all files of the library when the run has no partitions."""
    skip_loggers(context)
    # `context.partition_keys` raises when a check is executed without its asset.
    bounds = partition_bounds(context.run.tags)
    if bounds is not None and bounds[0] == bounds[1]:
        return Scope([bounds[0]], is_whole_library=False)
    if bounds is None:
        return Scope(library_keys(library.settings, context.instance), is_whole_library=True)
    registered = context.instance.get_dynamic_partitions(partitions_name(library.settings))
    return Scope(keys_of_run(context.run, registered), is_whole_library=False)
