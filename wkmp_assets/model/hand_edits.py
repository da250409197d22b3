"""What a person puts right in a library by hand."""

from dataclasses import dataclass
from enum import StrEnum

from wkmp_assets.model.values import KnownRelease, Release, Song


class Verdict(StrEnum):
    """What a person says about the song of a passage."""

    IDENTIFY = "identify"
    """It is this recording, or none."""
    ACCEPT = "accept"
    """The import's match is right."""
    REJECT = "reject"
    """It is wrong."""


@dataclass(frozen=True)
class SongEdit:
    """A person's word about the song of one passage."""

    path: str
    """Of the file, below the library root."""
    number: int | None
    """Of the passage in its file, from 1; None for the only one."""
    verdict: Verdict
    song: Song | None = None
    """For IDENTIFY: the recording; None for no recording."""
    release: Release | None = None
    """For IDENTIFY: the release that it is taken from, by MusicBrainz; None keeps the albums."""
    releases: tuple[KnownRelease, ...] = ()
    """All releases of the recording, by MusicBrainz."""
