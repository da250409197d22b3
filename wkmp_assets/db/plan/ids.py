"""Derive ids, so that the same file, passage or song always gets the same one.

Two runs that import the same song choose the same id independently, and a resumed import equals an uninterrupted one to
the last id. Guids that the library already has always win over derived ones.
"""

import uuid
from collections.abc import Container, Iterator
from itertools import count

_NAMESPACE = uuid.UUID("6f0d9a4e-3c1b-5d57-9a60-5f6f9d6b7a11")
"""Must never change, because every id depends on it."""


def entity_id(kind: str, mbid: str) -> str:
    """Return the id of an artist, album or work, from its MusicBrainz id.

    Parameters
    ----------
    kind : {"artist", "album", "work"}
        Keeps the kinds apart in case two of them share an MBID.
    mbid : str
        Lowercase UUID.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{mbid}"))


def song_id(recording_mbid: str, artist_mbid: str | None) -> str:
    """Return the id of a song. It begins like the MBID of its first credited artist, if that is known."""
    derived = uuid.uuid5(_NAMESPACE, f"song:{recording_mbid}")
    return _beside(artist_mbid, derived) if artist_mbid else str(derived)


def file_ids(path: str, content_hash: str) -> Iterator[str]:
    """Return the ids that a file may get, from its path and content at first import, in order of preference.

    All but the first carry a running number. They are needed when the file that got the first id was moved, and another
    copy of the same bytes is now under its old path.
    """
    return map(str, _numbered(f"file:{path}:{content_hash}"))


def passage_id(file_guid: str, start_ticks: int, end_ticks: int, taken: Container[str]) -> str:
    """Return the first id of a passage that is not taken, from its file and boundaries. It begins like its file's."""
    derived = _numbered(f"passage:{file_guid}:{start_ticks}:{end_ticks}")
    return next(guid for guid in (_beside(file_guid, one) for one in derived) if guid not in taken)


def image_id(entity_guid: str, image_type: str, content_hash: str) -> str:
    """Return the id of a picture of an album or passage, the same for all files that have it. It begins like theirs."""
    return _beside(entity_guid, uuid.uuid5(_NAMESPACE, f"image:{image_type}:{entity_guid}:{content_hash}"))


def provenance_id(passage_guid: str, source: str) -> str:
    """Return the id of what one source says about one passage. It begins like the passage's."""
    return _beside(passage_guid, uuid.uuid5(_NAMESPACE, f"provenance:{passage_guid}:{source}"))


def _numbered(name: str) -> Iterator[uuid.UUID]:
    return (uuid.uuid5(_NAMESPACE, f"{name}:{number}" if number else name) for number in count())


def _beside(owner: str, derived: uuid.UUID) -> str:
    """Return an id that sorts beside its owner's: a UUID of version 8 (RFC 9562) with the owner's first 48 bits.

    Rows that are written together then lie together in every index. With evenly spread ids, writing 24 passages touches
    twice as many pages while the lock is held.
    """
    try:
        beginning = uuid.UUID(owner).hex[:12]
    except ValueError:  # a library may hold ids of any form
        return str(derived)
    return str(uuid.UUID(f"{beginning}8{derived.hex[13:]}"))
