"""The flavors of a library for commands that compare passages: each text is parsed once and kept as numbers."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path

from wkmp_assets.db.read.listing import ListedPassage, read_named_passages, stream_flavors
from wkmp_assets.model.flavor import Flavor, parse_flavor
from wkmp_assets.model.likeness import Heard, SimilarPassage, find_shared, rank_few

DIGEST_BYTES = 16
MAX_FEW = 300
"""As many flavors are compared without NumPy in the time that NumPy takes to load."""


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

    def rank(self, seed: Heard, but: Collection[str] = ()) -> Iterator[tuple[float, ListedPassage, Heard]]:
        """Yield the other passages with their distance to one, the nearest first; see `FlavorTable.rank`.

        Parameters
        ----------
        seed : Heard
            The passage to compare with.
        but : collection of str
            Guids of passages to leave out.
        """
        left_out = {seed.passage, *but}
        guids = [guid for guid in self._digests if guid not in left_out]
        listed: dict[str, ListedPassage] = {}

        def hear(places: Sequence[int]) -> Iterable[Heard]:
            named = read_named_passages(self._database, [guids[place] for place in places])
            listed.update(named)
            return hear_passages(self._database, named.values()).values()

        ranked = self._table.rank(seed.flavor, [self._digests[guid] for guid in guids], hear)
        for distance, one in ranked:
            yield distance, listed.pop(one.passage), one


def rank_similar(database: Path, cache: Path, seed: Heard) -> Iterator[SimilarPassage[ListedPassage]]:
    """Yield the passages of a library by how near they sound to one, the nearest first; see `LibraryFlavors`."""
    guids = [guid for guid, _ in islice(stream_flavors(database), MAX_FEW + 1)]
    ranked = LibraryFlavors(database, cache).rank(seed) if len(guids) > MAX_FEW else _rank_few(database, guids, seed)
    for distance, listed, one in ranked:
        yield SimilarPassage(listed, distance, find_shared(seed.flavor, one.flavor))


def _rank_few(database: Path, guids: Collection[str], seed: Heard) -> Iterator[tuple[float, ListedPassage, Heard]]:
    listed = read_named_passages(database, [guid for guid in guids if guid != seed.passage])
    for distance, one in rank_few(seed.flavor, hear_passages(database, listed.values()).values()):
        yield distance, listed[one.passage], one


def find_similar(database: Path, cache: Path, passage: str) -> Iterator[SimilarPassage[ListedPassage]]:
    """Yield the same for a passage by its guid; nothing when the library does not have it, or it has no flavor."""
    for seed in hear_passages(database, read_named_passages(database, [passage]).values()).values():
        yield from rank_similar(database, cache, seed)


def _parse(text: bytes) -> Flavor:
    return parse_flavor(text.decode("utf-8", "replace")).flavor
