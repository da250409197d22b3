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
    """Id of a passage, from its file and boundaries."""
    return _first_free(f"passage:{file_guid}:{start_ticks}:{end_ticks}", taken)


def provenance_id(passage_guid: str, source: str) -> str:
    """Id of what one source says about one passage."""
    return str(uuid.uuid5(_NAMESPACE, f"provenance:{passage_guid}:{source}"))


def _first_free(name: str, taken: Container[str]) -> str:
    candidate, number = str(uuid.uuid5(_NAMESPACE, name)), 0
    while candidate in taken:
        number += 1
        candidate = str(uuid.uuid5(_NAMESPACE, f"{name}:{number}"))
    return candidate
