"""Which passages sound alike, and playlists of them: flavors in, order out."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from wkmp_assets.model.flavor import Flavor, distance

MIN_SHARED = 0.5
"""Probability from which a value says something about a passage."""

MIN_COVERAGE = 0.9
"""Share of the passages that must have a characteristic, for it to count."""

Listed = TypeVar("Listed")
"""What a caller knows of a passage."""


@dataclass(frozen=True)
class Heard:
    """What counts of one passage when it is compared."""

    passage: str
    """Its guid."""
    song: str
    """Guid of its song, or of the passage where it has none: a playlist has each song once."""
    length_s: float
    flavor: Flavor


@dataclass(frozen=True)
class SimilarPassage(Generic[Listed]):
    """A passage that sounds like another."""

    listed: Listed
    distance: float
    """>= 0."""
    shared: Sequence[tuple[str, str]]
    """Characteristics and values that are likely in both, the surest first."""


def choose_names(flavors: Sequence[Collection[str]]) -> frozenset[str]:
    """Return the characteristics that nearly all flavors have, given their names; all if there is none."""
    return choose_counted_names(Counter(name for names in flavors for name in names), len(flavors))


def choose_counted_names(counts: Mapping[str, int], total: int) -> frozenset[str]:
    """Return the characteristics that nearly all of `total` flavors have, given how many have each; else all."""
    return frozenset(name for name, count in counts.items() if count >= MIN_COVERAGE * total) or frozenset(counts)


def part_of(flavor: Flavor, names: Collection[str]) -> Flavor:
    """Return the characteristics of a flavor that have one of the names."""
    return {name: values for name, values in flavor.items() if name in names}


def rank_few(like: Flavor, passages: Iterable[Heard]) -> list[tuple[float, Heard]]:
    """Return passages with their distance to a flavor, the nearest first; equally near ones by their guid.

    The same as `FlavorTable.rank`, without NumPy, which takes longer to load than some hundred distances to compute.
    """
    comparable = [one for one in passages if one.flavor.keys() & like.keys()]
    part = part_of(like, choose_names([like.keys() & one.flavor.keys() for one in comparable]))
    ranked = [(distance(part, one.flavor), one) for one in comparable]
    return sorted(ranked, key=lambda pair: (pair[0], pair[1].passage))


def find_shared(one: Flavor, other: Flavor) -> list[tuple[str, str]]:
    """Return the characteristics and values that are likely in both flavors, the surest first."""
    shared = []
    for name in one.keys() & other.keys():
        for value in one[name].keys() & other[name].keys():
            least = min(one[name][value], other[name][value])
            if least > MIN_SHARED:
                shared.append((-least, name, value))
    return [(name, value) for _, name, value in sorted(shared)]


def choose_playlist(like: Heard, ranked: Iterable[Heard], seconds: float) -> Iterator[Heard]:
    """Yield a passage and others in their given order, each song once, until they last as long as asked.

    The last one may end later. When the library has too little, all of it is used.
    """
    songs: set[str] = set()
    total_s = 0.0
    for one in chain([like], ranked):
        if total_s >= seconds:
            return
        if one.song not in songs:
            songs.add(one.song)
            total_s += one.length_s
            yield one
