"""Which passages sound alike, and playlists of them: flavors in, order out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wkmp_assets.model.flavor import Flavor, distance

MIN_SHARED = 0.5
"""Probability from which a value says something about a passage."""


@dataclass(frozen=True)
class Heard:
    """What counts of one passage when it is compared."""

    passage: str
    """Its guid."""
    song: str
    """Guid of its song, or of the passage where it has none: a playlist has each song once."""
    length_s: float
    flavor: Flavor


def rank_by_likeness(like: Flavor, others: Sequence[Heard]) -> list[tuple[float, Heard]]:
    """Return passages with their distance to a flavor, the nearest first. Those without a common one are left out."""
    ranked = [(distance(like, one.flavor), one) for one in others if one.flavor.keys() & like.keys()]
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


def choose_playlist(like: Heard, others: Sequence[Heard], seconds: float) -> Iterator[Heard]:
    """Yield a passage and its nearest ones, each song once, until they last as long as asked.

    The last one may end later. When the library has too little, all of it is used.
    """
    songs: set[str] = set()
    total_s = 0.0
    ranked = [one for _, one in rank_by_likeness(like.flavor, others) if one.passage != like.passage]
    for one in (like, *ranked):
        if total_s >= seconds:
            return
        if one.song not in songs:
            songs.add(one.song)
            total_s += one.length_s
            yield one


def smooth(chosen: Sequence[Heard]) -> list[Heard]:
    """Return passages in an order in which each is followed by the nearest of those that are left."""
    left = list(chosen)
    ordered = left[:1]
    left = left[1:]
    while left:
        following = min(left, key=lambda one: (distance(ordered[-1].flavor, one.flavor), one.passage))
        left.remove(following)
        ordered.append(following)
    return ordered
