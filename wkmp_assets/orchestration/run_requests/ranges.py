"""Divide the files of an import into range runs.

A range run names its first and last partition and carries all partitions between them, in the order of registration.
Unchanged files inside a range cost little. A folder that fits into one run is not divided, because its files decide
together which release they are from.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from wkmp_assets.orchestration.instance.dagster_api import partition_tags
from wkmp_assets.orchestration.run_tags import REQUESTED_BY_TAG, tags_of_files, tags_of_library
from wkmp_assets.settings import Settings

_LARGE = 0.5
"""Share of a run's work from which a file has a run of its own, so that no other file waits for it."""
_GROWTH = 3.0
"""How many times the work of the run before it one of the first runs has."""


@dataclass(frozen=True)
class FileRange:
    """One run: partitions `first` to `last`, both included."""

    first: str
    last: str
    keys: tuple[str, ...]
    """The partitions inside that need the run."""
    size: int
    """Number of all partitions inside."""
    work_s: float = 0.0
    """Estimated CPU time of `keys`, in seconds."""
    is_large: bool = False
    """Whether it is one file that others should not wait for."""
    position: int = 0
    """Number of partitions registered before `first`, when the range was planned."""

    def is_followed_by(self, other: "FileRange") -> bool:
        """Tell whether another range begins where this one ends, without a partition between."""
        return self.position + self.size == other.position

    def joined_with(self, other: "FileRange") -> "FileRange":
        """Return one range for both; `other` follows this one."""
        return FileRange(
            self.first,
            other.last,
            self.keys + other.keys,
            self.size + other.size,
            self.work_s + other.work_s,
            position=self.position,
        )


@dataclass(frozen=True)
class RunSize:
    """How much one run carries."""

    files: int | None = None
    """Partitions that it may span; None for no limit."""
    work_s: float = math.inf
    """unit=s: a run takes files until their estimated CPU time has reached this."""
    first_work_s: float = math.inf
    """unit=s: the same for the first run. It grows with every run until `work_s`."""
    whole_folder: int = 0
    """Partitions that a folder may span and still stay in one run, whatever its work."""
    alone_s: float | None = None
    """unit=s: a file of more work has a run of its own; None for half of `work_s`."""

    def is_large(self, work_s: float) -> bool:
        """Tell whether a file has a run of its own, so that no other file waits for it."""
        return work_s > (_LARGE * self.work_s if self.alone_s is None else self.alone_s)

    def work_of_run(self, number: int) -> float:
        """Return the work of a run, by its number from 0."""
        return min(self.work_s, self.first_work_s * _GROWTH ** min(number, 64))


def plan_ranges(
    ordered: Sequence[str],
    wanted: Iterable[str],
    size: RunSize,
    work_s: Mapping[str, float] | None = None,
    *,
    only: bool = False,
) -> list[FileRange]:
    """Cover partitions with ranges.

    Parameters
    ----------
    ordered : sequence of str
        All registered partitions in their order.
    wanted : iterable of str
        The partitions to import.
    size : RunSize
        How much a range carries.
    work_s : mapping of str to float, optional
        Partition key -> estimated CPU time, in seconds. A file that is not in it counts as no work.
    only : bool
        End a range before each partition that is not wanted, so that it carries no other.

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
    cut = _Cut(ordered, size, work_s or {})
    numbers = sorted(position[key] for key in set(wanted))
    for row in _rows(numbers) if only else [numbers]:
        for _folder, group in groupby(row, lambda number: folder_of(ordered[number])):
            cut.add_folder(list(group))
        cut.close()
    return cut.ranges


def _rows(numbers: Sequence[int]) -> Iterator[list[int]]:
    """Yield the rows of numbers that follow each other without a gap."""
    for _row, group in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        yield [number for _, number in group]


class _Cut:
    """The ranges so far, and the files of the next one."""

    def __init__(self, ordered: Sequence[str], size: RunSize, work_s: Mapping[str, float]) -> None:
        self._ordered, self._size, self._work_s = ordered, size, work_s
        self._pending: list[int] = []
        self._pending_s = 0.0
        self._shared_count = 0
        self.ranges: list[FileRange] = []

    def add_folder(self, numbers: Sequence[int]) -> None:
        files = self._size.files
        fits_new_range = files is not None and numbers[-1] - numbers[0] < files
        if fits_new_range and not self._has_place(numbers[-1]):
            self.close()
        is_whole = numbers[-1] - numbers[0] < self._size.whole_folder and (files is None or fits_new_range)
        for number in numbers:
            work_s = self._work_s.get(self._ordered[number], 0.0)
            if self._size.is_large(work_s):
                self.close()
                self.ranges.append(self._range([number], work_s, is_large=True))
                continue
            if not self._has_place(number):
                self.close()
            self._pending.append(number)
            self._pending_s += work_s
            if not is_whole:
                self._close_if_full()
        self._close_if_full()

    def _has_place(self, number: int) -> bool:
        return not self._pending or self._size.files is None or number - self._pending[0] < self._size.files

    def _close_if_full(self) -> None:
        if self._pending_s >= self._size.work_of_run(self._shared_count):
            self.close()

    def close(self) -> None:
        if self._pending:
            self.ranges.append(self._range(self._pending, self._pending_s))
            self._shared_count += 1
        self._pending, self._pending_s = [], 0.0

    def _range(self, numbers: Sequence[int], work_s: float, *, is_large: bool = False) -> FileRange:
        first, last = numbers[0], numbers[-1]
        keys = tuple(self._ordered[number] for number in numbers)
        return FileRange(self._ordered[first], self._ordered[last], keys, last - first + 1, work_s, is_large, first)


def split_at(ordered: Sequence[str], barriers: Collection[str]) -> Iterator[list[str]]:
    """Yield the stretches of partitions between barriers; no range over a stretch carries a barrier."""
    stretch: list[str] = []
    for key in ordered:
        if key in barriers:
            yield stretch
            stretch = []
        else:
            stretch.append(key)
    yield stretch


def find_stretches(ordered: Sequence[str], ranges: Iterable[FileRange]) -> Iterator[list[str]]:
    """Yield the stretches of partitions that ranges carry; no range over a stretch carries another partition."""
    position = {key: number for number, key in enumerate(ordered)}
    carried: set[str] = set()
    for files in ranges:
        carried.update(files.keys)
        if files.first in position and files.last in position:
            carried.update(ordered[position[files.first] : position[files.last] + 1])
    yield from split_at(ordered, frozenset(ordered) - carried)


def folder_of(key: str) -> str:
    """Return the folder of a partition's file."""
    return key.rpartition("/")[0]


def range_tags(files: FileRange, requested_by: str, settings: Settings) -> dict[str, str]:
    """Return the tags of a run over a range of the library's partitions, requested by a sensor or schedule."""
    return {
        **partition_tags(files.first, files.last),
        **tags_of_library(settings),
        **tags_of_files(files.keys, {}),
        REQUESTED_BY_TAG: requested_by,
    }
