"""The fields of a file's tags, and how many texts of which length they may hold."""

from __future__ import annotations

from typing import NamedTuple

MAX_VALUES = 200
"""Of one entry: far more than any list of artists has. A malicious file has a million."""
MAX_CHARACTERS = 1_000
"""Of one text."""


class TagFields(NamedTuple):
    """Cleaned texts of one file; an absent field is an empty tuple, values keep their order.

    They are cut one value or character beyond `MAX_VALUES` and `MAX_CHARACTERS`, so that one sees that there was more.
    """

    title: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()
    album: tuple[str, ...] = ()
    track: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    artist_names: tuple[str, ...] = ()
    work_titles: tuple[str, ...] = ()
    recording_ids: tuple[str, ...] = ()
    artist_ids: tuple[str, ...] = ()
    release_ids: tuple[str, ...] = ()
    work_ids: tuple[str, ...] = ()
    album_artist: tuple[str, ...] = ()
    album_artist_names: tuple[str, ...] = ()
    genre: tuple[str, ...] = ()
    disc: tuple[str, ...] = ()
    track_total: tuple[str, ...] = ()
    """A field of its own; the total of `3/12` stays in `track`."""
    disc_total: tuple[str, ...] = ()
    composer: tuple[str, ...] = ()
    compilation: tuple[str, ...] = ()
    isrc: tuple[str, ...] = ()
    bpm: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    original_date: tuple[str, ...] = ()
    release_artist_ids: tuple[str, ...] = ()
    release_group_ids: tuple[str, ...] = ()
    release_track_ids: tuple[str, ...] = ()
