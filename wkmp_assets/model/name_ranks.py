"""Ranks of the evidence for a name: a title, the name of an artist, or a release date."""

from enum import IntEnum


class NameRank(IntEnum):
    """How good the evidence for a name is; a higher one is better.

    The library keeps the numbers with its names, so a number never changes its meaning.
    """

    GUESS = 1
    """A work's title taken from its recording; of older versions also a part of a joint credit, cut by guess."""
    CREDIT = 2
    """A joint credit ("Foo feat. Bar"), which stands for each of its artists."""
    PART = 3
    """A part of a joint credit that the tags tell apart for certain."""
    TAG = 4
    """A tag of that one song, artist, album or work."""
    ACOUSTID = 5
    """A recording as AcoustID names it."""
    MUSICBRAINZ = 6
    """MusicBrainz' answer."""
