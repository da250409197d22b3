"""Rankings of passages by their flavors: as commands find them, and written out plainly to compare with."""

from collections.abc import Sequence

from wkmp_assets.model.flavor import Flavor, distance
from wkmp_assets.model.flavor_table import FlavorTable
from wkmp_assets.model.likeness import Heard, choose_names, part_of


def rank(like: Flavor, passages: Sequence[Heard], table: FlavorTable | None = None) -> list[tuple[float, Heard]]:
    """Return what the arrays of a table say, by default of one that is made of the passages."""
    digests = [one.passage.encode() for one in passages]
    if table is None:
        table = FlavorTable().updated([], zip(digests, (one.flavor for one in passages), strict=True))
    return list(table.rank(like, digests, lambda places: [passages[place] for place in places]))


def smooth_plainly(chosen: Sequence[Heard]) -> list[Heard]:
    """Return passages in an order in which each is followed by the nearest of those left, by exact distances."""
    names = choose_names([one.flavor.keys() for one in chosen])
    parts = {one.passage: part_of(one.flavor, names) for one in chosen}
    ordered, left = list(chosen[:1]), list(chosen[1:])
    while left:
        last = parts[ordered[-1].passage]
        following = min(left, key=lambda one: (distance(last, parts[one.passage]), one.passage))
        left.remove(following)
        ordered.append(following)
    return ordered
