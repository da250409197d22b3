"""The flavors of a library for commands that compare passages: each text is parsed once and kept as numbers."""

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from wkmp_assets.db.read.listing import ListedPassage, read_passages, stream_flavors
from wkmp_assets.model.flavor import Flavor, parse_flavor
from wkmp_assets.model.likeness import Heard, SimilarPassage, find_shared

DIGEST_BYTES = 16


def hear_passages(database: Path, listed: Collection[ListedPassage]) -> dict[str, Heard]:
    """Return what counts of passages when they are compared, by their guids, without those that have no flavor."""
    by_guid = {one.passage: one for one in listed}
    return {
        guid: Heard(guid, by_guid[guid].song or guid, by_guid[guid].length_s, flavor)
        for guid, text in stream_flavors(database, by_guid)
        if (flavor := _parse(text))
    }


class LibraryFlavors:
    """All flavors of a library.

    Parameters
    ----------
    database : Path
        The library.
    cache : Path
        Where their numbers are kept, by the digest of each stored text. So whatever a program changes is parsed again.
    """

    def __init__(self, database: Path, cache: Path) -> None:
        from wkmp_assets.runtime.flavor_cache import (  # after what needs no NumPy
            read_flavor_cache,
            write_flavor_cache,
        )

        self._database = database
        table = read_flavor_cache(cache, DIGEST_BYTES)
        self._digests: dict[str, bytes] = {}
        added: dict[bytes, Flavor] = {}
        for guid, text in stream_flavors(database):
            digest = sha256(text).digest()[:DIGEST_BYTES]
            self._digests[guid] = digest
            if digest not in table and digest not in added:
                added[digest] = _parse(text)
        if added:
            table = table.updated(self._digests.values(), added.items())
            write_flavor_cache(cache, table)
        self._table = table

    def rank(self, like: Flavor, others: Mapping[str, ListedPassage]) -> Iterator[tuple[float, Heard]]:
        """Yield passages with their distance to a flavor, the nearest first; see `FlavorTable.rank`."""
        listed = [one for guid, one in others.items() if guid in self._digests]
        digests = [self._digests[one.passage] for one in listed]
        return self._table.rank(
            like, digests, lambda places: hear_passages(self._database, [listed[place] for place in places]).values()
        )


def rank_similar(
    database: Path, cache: Path, seed: Heard, listed: Mapping[str, ListedPassage]
) -> Iterator[SimilarPassage[ListedPassage]]:
    """Yield the passages of a mapping by guid that sound like another, the nearest first; see `LibraryFlavors`."""
    others = {guid: one for guid, one in listed.items() if guid != seed.passage}
    for distance, one in LibraryFlavors(database, cache).rank(seed.flavor, others):
        yield SimilarPassage(listed[one.passage], distance, find_shared(seed.flavor, one.flavor))


def find_similar(database: Path, cache: Path, passage: str) -> Iterator[SimilarPassage[ListedPassage]]:
    """Yield the same for a passage by its guid; nothing when the library does not have it, or it has no flavor."""
    listed = {one.passage: one for one in read_passages(database)}
    if passage in listed:
        for seed in hear_passages(database, [listed[passage]]).values():
            yield from rank_similar(database, cache, seed, listed)


def _parse(text: bytes) -> Flavor:
    return parse_flavor(text.decode("utf-8", "replace")).flavor
