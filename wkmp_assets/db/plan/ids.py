"""Deterministic ids.

Two runs that meet the same song agree without looking, and a resumed import equals an uninterrupted one to the
last id. Existing guids, from an older WKMP database too, always win over these.
"""

import uuid
from collections.abc import Container, Iterator
from itertools import count

_NAMESPACE = uuid.UUID("6f0d9a4e-3c1b-5d57-9a60-5f6f9d6b7a11")
"""Fixed for ever: changing it changes every id."""


def entity_id(kind: str, mbid: str) -> str:
    """Id of an artist, album or work, from its MusicBrainz id.

    Parameters
    ----------
    kind : {"artist", "album", "work"}
        Keeps the kinds apart should two share an MBID.
    mbid : str
        Lowercase UUID.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{mbid}"))


def song_id(recording_mbid: str, artist_mbid: str | None) -> str:
    """Id of a song. Begins like the MBID of the first artist it is credited to, if that is known."""
    derived = uuid.uuid5(_NAMESPACE, f"song:{recording_mbid}")
    return _beside(artist_mbid, derived) if artist_mbid else str(derived)


def file_ids(path: str, content_hash: str) -> Iterator[str]:
    """Ids that a file may get, from its path and content at first import, in order of preference.

    All but the first with a running number: for when an id is taken, since the file that got it was moved away, and
    another copy of the same bytes now stands where it was.
    """
    return map(str, _numbered(f"file:{path}:{content_hash}"))


def passage_id(file_guid: str, start_ticks: int, end_ticks: int, taken: Container[str]) -> str:
    """Id of a passage, from its file and boundaries; the first that is not taken. Begins like its file's."""
    derived = _numbered(f"passage:{file_guid}:{start_ticks}:{end_ticks}")
    return next(guid for guid in (_beside(file_guid, one) for one in derived) if guid not in taken)


def provenance_id(passage_guid: str, source: str) -> str:
    """Id of what one source says about one passage. Begins like the passage's."""
    return _beside(passage_guid, uuid.uuid5(_NAMESPACE, f"provenance:{passage_guid}:{source}"))


def _numbered(name: str) -> Iterator[uuid.UUID]:
    return (uuid.uuid5(_NAMESPACE, f"{name}:{number}" if number else name) for number in count())


def _beside(owner: str, derived: uuid.UUID) -> str:
    """Return an id that sorts beside its owner's: a UUID of version 8 (RFC 9562) with the owner's first 48 bits.

    What belongs together, and is written together, then lies together in every index. With ids that are spread
    evenly the write of 24 passages touches twice as many pages, all of them while the lock is held
    (docs/explanation/decisions.md).
    """
    try:
        beginning = uuid.UUID(owner).hex[:12]
    except ValueError:  # a library may hold ids of any form
        return str(derived)
    return str(uuid.UUID(f"{beginning}8{derived.hex[13:]}"))
