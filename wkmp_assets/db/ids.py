"""Deterministic ids.

Two runs that meet the same song agree without looking, and a resumed import equals an uninterrupted one to the
last id. Existing guids, from an older WKMP database too, always win over these.
"""

import uuid
from collections.abc import Container

_NAMESPACE = uuid.UUID("6f0d9a4e-3c1b-5d57-9a60-5f6f9d6b7a11")
"""Fixed for ever: changing it changes every id."""


def entity_id(kind: str, mbid: str) -> str:
    """Id of a song, artist, album or work, from its MusicBrainz id.

    Parameters
    ----------
    kind : {"song", "artist", "album", "work"}
        Keeps the kinds apart should two share an MBID.
    mbid : str
        Lowercase UUID.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{kind}:{mbid}"))


def file_id(path: str, content_hash: str, taken: Container[str]) -> str:
    """Id of a file, from its path and content at first import.

    A running number is added when the id is taken: the file that got it was moved away, and another copy of
    the same bytes now stands where it was.
    """
    return _first_free(f"file:{path}:{content_hash}", taken)


def passage_id(file_guid: str, start_ticks: int, end_ticks: int, taken: Container[str]) -> str:
    """Id of a passage, from its file and boundaries. Begins like its file's."""
    return _first_free(f"passage:{file_guid}:{start_ticks}:{end_ticks}", taken, beside=file_guid)


def provenance_id(passage_guid: str, source: str) -> str:
    """Id of what one source says about one passage. Begins like the passage's."""
    return _beside(passage_guid, uuid.uuid5(_NAMESPACE, f"provenance:{passage_guid}:{source}"))


def _first_free(name: str, taken: Container[str], beside: str | None = None) -> str:
    number = 0
    while True:
        derived = uuid.uuid5(_NAMESPACE, f"{name}:{number}" if number else name)
        candidate = _beside(beside, derived) if beside else str(derived)
        if candidate not in taken:
            return candidate
        number += 1


def _beside(owner: str, derived: uuid.UUID) -> str:
    """Return an id that sorts beside its owner's: a UUID of version 8 (RFC 9562) with the owner's first 48 bits.

    What belongs to one file then lies together in every index. With ids that are spread evenly the write
    of 24 passages touches half as many pages again, all of them while the lock is held (docs/writer.md).
    """
    try:
        beginning = uuid.UUID(owner).hex[:12]
    except ValueError:  # a library may hold ids of any form
        return str(derived)
    return str(uuid.UUID(f"{beginning}8{derived.hex[13:]}"))
