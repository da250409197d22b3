"""Divide the files of an import into range runs.

A range run names its first and last partition and carries all partitions between them, in the order of registration.
Unchanged files inside a range cost little. A folder that fits into one run is not divided, because its files decide
together which release they are from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from wkmp_assets.orchestration.instance.dagster_api import partition_tags
from wkmp_assets.orchestration.run_tags import REQUESTED_BY_TAG, tags_of_files, tags_of_library
from wkmp_assets.settings import Settings


@dataclass(frozen=True)
class FileRange:
    """One run: partitions `first` to `last`, both included."""

    first: str
    last: str
    keys: tuple[str, ...]
    """The partitions inside that need the run."""
    size: int
    """Number of all partitions inside."""


def plan_ranges(ordered: Sequence[str], wanted: Iterable[str], max_size: int | None) -> list[FileRange]:
    """Cover partitions with ranges.

    Parameters
    ----------
    ordered : sequence of str
        All registered partitions in their order.
    wanted : iterable of str
        The partitions to import.
    max_size : int or None
        Partitions that a range may span; None for no limit.

    Returns
    -------
    list of FileRange
        In order and without overlaps. Each starts and ends with a wanted partition.

    Raises
    ------
    ValueError
        A wanted partition is not registered.
    """
    position = {key: number for number, key in enumerate(ordered)}
    unknown = [key for key in wanted if key not in position]
    if unknown:
        raise ValueError(f"not registered as partitions: {unknown[:3]}")
    ranges: list[FileRange] = []
    pending: list[int] = []
    numbers = sorted(position[key] for key in set(wanted))
    for _folder, group in groupby(numbers, lambda number: ordered[number].rpartition("/")[0]):
        files = list(group)
        fits_new_range = max_size is not None and files[-1] - files[0] < max_size
        if pending and fits_new_range and not _fits(files[-1], pending, max_size):
            ranges.append(_range(ordered, pending))
            pending = []
        for number in files:
            if pending and not _fits(number, pending, max_size):
                ranges.append(_range(ordered, pending))
                pending = []
            pending.append(number)
    if pending:
        ranges.append(_range(ordered, pending))
    return ranges


def _fits(number: int, pending: Sequence[int], max_size: int | None) -> bool:
    return max_size is None or number - pending[0] < max_size


def _range(ordered: Sequence[str], numbers: Sequence[int]) -> FileRange:
    first, last = numbers[0], numbers[-1]
    return FileRange(ordered[first], ordered[last], tuple(ordered[number] for number in numbers), last - first + 1)


def range_tags(files: FileRange, requested_by: str, settings: Settings) -> dict[str, str]:
    """Return the tags of a run over a range of the library's partitions, requested by a sensor or schedule."""
    return {
        **partition_tags(files.first, files.last),
        **tags_of_library(settings),
        **tags_of_files(files.keys, {}),
        REQUESTED_BY_TAG: requested_by,
    }
