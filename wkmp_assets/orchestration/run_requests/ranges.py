"""Cut the files of an import into range runs. Pure.

A Dagster range run names its first and last partition and carries everything between them, in the order in
which partitions were registered. Unchanged files inside a range cost little, but not nothing. A folder that fits into
a run is not divided: which album its files are of is agreed on among them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from wkmp_assets.orchestration.instance.dagster_api import partition_tags
from wkmp_assets.orchestration.run_tags import REASON_TAG, tags_of_files


@dataclass(frozen=True)
class FileRange:
    """One run: partitions `first` to `last`, both included."""

    first: str
    last: str
    keys: tuple[str, ...]
    """The wanted partitions inside."""
    size: int
    """All partitions inside, wanted or not."""


def plan_ranges(ordered: Sequence[str], wanted: Iterable[str], most: int | None) -> list[FileRange]:
    """Cover the wanted partitions with ranges.

    Parameters
    ----------
    ordered : sequence of str
        All registered partitions in their order.
    wanted : iterable of str
        Those to be imported.
    most : int or None
        Most partitions a range may span; None for no limit.

    Returns
    -------
    list of FileRange
        In order, not overlapping, each starting and ending with a wanted partition.

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
        is_new_range_enough = most is not None and files[-1] - files[0] < most
        if pending and is_new_range_enough and not _fits(files[-1], pending, most):
            ranges.append(_range(ordered, pending))
            pending = []
        for number in files:
            if pending and not _fits(number, pending, most):
                ranges.append(_range(ordered, pending))
                pending = []
            pending.append(number)
    if pending:
        ranges.append(_range(ordered, pending))
    return ranges


def _fits(number: int, pending: Sequence[int], most: int | None) -> bool:
    return most is None or number - pending[0] < most


def _range(ordered: Sequence[str], numbers: Sequence[int]) -> FileRange:
    first, last = numbers[0], numbers[-1]
    return FileRange(ordered[first], ordered[last], tuple(ordered[number] for number in numbers), last - first + 1)


def range_tags(files: FileRange, reason: str) -> dict[str, str]:
    """Return the tags of a run over a range of partitions."""
    return {
        **partition_tags(files.first, files.last),
        **tags_of_files(files.keys, {}),
        REASON_TAG: reason,
    }
