"""The flavors of a whole library as arrays, and which of them are near one: many distances at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.model.flavor import UNLIKE, distance
from wkmp_assets.model.likeness import Heard, choose_counted_names, choose_names, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from wkmp_assets.model.flavor import Flavor

Shape = tuple[tuple[str, tuple[str, ...]], ...]
"""The characteristics of a flavor by name, each with the names of its values in order."""
MAX_ERROR = 1e-6
"""How far a distance of arrays can be from the exact one. Numbers are 32 bits long, so it is below 2e-7."""
MIN_BATCH = 64
MAX_BATCH = 4096
"""How many flavors are read at once. A short list needs few, a playlist of a whole library all."""


def shape_of(flavor: Flavor) -> Shape:
    """Return the names in a flavor: those of characteristics and of their values."""
    return tuple((name, tuple(sorted(values))) for name, values in sorted(flavor.items()))


@dataclass(frozen=True)
class FlavorGroup:
    """Flavors of one shape."""

    shape: Shape
    digests: tuple[bytes, ...]
    """Of their stored texts."""
    numbers: NDArray[np.float32]
    """One row for each flavor, one column for each value in the order of the shape."""


class FlavorTable:
    """Flavors by the digests of their stored texts.

    Parameters
    ----------
    groups : iterable of FlavorGroup
        At most one of each shape.
    """

    def __init__(self, groups: Iterable[FlavorGroup] = ()) -> None:
        self.groups = tuple(groups)
        self._places = {
            digest: (number, row)
            for number, group in enumerate(self.groups)
            for row, digest in enumerate(group.digests)
        }

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._places

    def __len__(self) -> int:
        return len(self._places)

    def updated(self, wanted: Iterable[bytes], added: Iterable[tuple[bytes, Flavor]]) -> FlavorTable:
        """Return a table of the wanted flavors that this one has, and of those that are added."""
        rows: dict[Shape, dict[bytes, NDArray[np.float32]]] = {}
        for digest in dict.fromkeys(wanted):
            if place := self._places.get(digest):
                group = self.groups[place[0]]
                rows.setdefault(group.shape, {})[digest] = group.numbers[place[1]]
        for digest, flavor in added:
            shape = shape_of(flavor)
            numbers = np.array([flavor[name][value] for name, values in shape for value in values], np.float32)
            rows.setdefault(shape, {})[digest] = numbers
        return FlavorTable(
            FlavorGroup(shape, tuple(some), np.array(list(some.values()), np.float32).reshape(len(some), -1))
            for shape, some in rows.items()
        )

    def rank(
        self, like: Flavor, digests: Sequence[bytes], hear: Callable[[Sequence[int]], Iterable[Heard]]
    ) -> Iterator[tuple[float, Heard]]:
        """Yield passages with their distance to a flavor, the nearest first, exact to the last bit.

        The distance is WKMP's, over the characteristics of `like` that nearly all passages have. Else, in a library
        where some passages have AcousticBrainz' classes, those would decide which are near: by being there, not by
        their values. Passages without a characteristic in common with `like` are left out. Exact distances are computed
        only for as many as are asked for.

        Parameters
        ----------
        like : Flavor
            The flavor to compare with.
        digests : sequence of bytes
            Of the other passages. The table has all of them.
        hear : callable
            Returns passages with their exact flavors, given their places in `digests`.
        """
        places = np.array([self._places[digest] for digest in digests], np.int64).reshape(-1, 2)
        used = np.bincount(places[:, 0], minlength=len(self.groups))
        shared = [like.keys() & {name for name, _ in group.shape} for group in self.groups]
        comparable = [number for number, names in enumerate(shared) if names and used[number]]
        counts: Counter[str] = Counter()
        for number in comparable:
            counts.update(dict.fromkeys(shared[number], int(used[number])))
        part = part_of(like, choose_counted_names(counts, sum(int(used[number]) for number in comparable)))
        near = np.full(len(places), np.inf)
        for number in comparable:
            inside = places[:, 0] == number
            near[inside] = _distances(part, self.groups[number])[places[inside, 1]]
        order = np.argsort(near, kind="stable")
        return _refine(part, near, order[np.isfinite(near[order])], hear)


def smooth(chosen: Sequence[Heard]) -> list[Heard]:
    """Return passages in an order in which each is followed by the nearest of those that are left.

    Equally near ones follow by their guid. Each passage is given once.
    """
    if not chosen:
        return []
    names = choose_names([one.flavor.keys() for one in chosen])
    parts = [part_of(one.flavor, names) for one in chosen]
    digests = [one.passage.encode() for one in chosen]
    table = FlavorTable().updated([], zip(digests, parts, strict=True))
    groups = [(group, [digests.index(digest) for digest in group.digests]) for group in table.groups]
    near, left, order = np.empty(len(chosen)), np.full(len(chosen), True), [0]
    left[0] = False
    while left.any():
        for group, places in groups:
            near[places] = _distances(parts[order[-1]], group)
        least = near[left].min()
        nearest = [int(place) for place in np.flatnonzero(left & (near <= least + 2 * MAX_ERROR))]
        last = parts[order[-1]]
        order.append(min(nearest, key=lambda place: (distance(last, parts[place]), chosen[place].passage)))
        left[order[-1]] = False
    return [chosen[place] for place in order]


def _refine(
    part: Flavor, near: NDArray[np.float64], order: NDArray[np.int64], hear: Callable[[Sequence[int]], Iterable[Heard]]
) -> Iterator[tuple[float, Heard]]:
    """Yield passages in the order of their exact distances, then of their guids, given nearly exact distances."""
    exact: list[tuple[float, str, Heard]] = []
    size = MIN_BATCH
    while order.size:
        # All that is still to come is at least this far.
        while exact and exact[0][0] < near[order[0]] - MAX_ERROR:
            yield _pop(exact)
        for one in hear(order[:size].tolist()):
            heappush(exact, (distance(part, one.flavor), one.passage, one))
        order = order[size:]
        size = min(2 * size, MAX_BATCH)
    while exact:
        yield _pop(exact)


def _pop(exact: list[tuple[float, str, Heard]]) -> tuple[float, Heard]:
    found, _, one = heappop(exact)
    return found, one


def _distances(part: Flavor, group: FlavorGroup) -> NDArray[np.float64]:
    """Return the distances of a flavor to those of one shape; see `distance`."""
    binary, complex_ = np.zeros(len(group.digests)), np.zeros(len(group.digests))
    binary_count = complex_count = first = 0
    for name, values in group.shape:
        columns, first = range(first, first + len(values)), first + len(values)
        common = [(column, value) for column, value in zip(columns, values, strict=True) if value in part.get(name, ())]
        is_binary = len(values) == 2
        if not common or is_binary != (len(part[name]) == 2):
            continue
        wanted = common[:1] if is_binary else common
        numbers = group.numbers[:, [column for column, _ in wanted]].astype(np.float64)
        squares = np.square(numbers - [part[name][value] for _, value in wanted]).mean(axis=1)
        if is_binary:
            binary, binary_count = binary + squares, binary_count + 1
        else:
            complex_, complex_count = complex_ + squares, complex_count + 1
    halves = [
        total / count if count else np.full(len(total), UNLIKE)
        for total, count in ((binary, binary_count), (complex_, complex_count))
    ]
    return np.asarray((halves[0] + halves[1]) / 2)
