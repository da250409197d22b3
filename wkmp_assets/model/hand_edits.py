"""What a person puts right in a library by hand."""

from dataclasses import dataclass
from enum import StrEnum

from wkmp_assets.model.file_entry import PassageEntry
from wkmp_assets.model.values import KnownRelease, LeadPointParameters, Release, Song


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


@dataclass(frozen=True)
class Cut:
    """Passages of a file that others replace: one is split, or neighbours are joined."""

    numbers: tuple[int, ...]
    """Of the passages that go, from 1."""
    bounds: tuple[tuple[int, int], ...]
    """Start and end of those that come, unit=ticks."""


@dataclass(frozen=True)
class CutEdit:
    """New boundaries for passages of one file, with what was measured of the new passages."""

    path: str
    content_hash: str
    """Of the sound that was measured."""
    before: tuple[tuple[int, int], ...]
    """Start and end of all passages when the cuts were made, unit=ticks."""
    cuts: tuple[Cut, ...]
    pieces: tuple[PassageEntry, ...]
    """One for each new passage, in the order of the cuts; without songs."""
    parameters: LeadPointParameters
