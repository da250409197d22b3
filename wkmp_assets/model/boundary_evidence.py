"""What a file says about the passages in it, besides its sound. It is part of the tags, and decides with the sound.

Positions are ticks, because a frame of a CUE sheet (1/75 s) and the clocks of chapters are whole numbers of them, and
the sample rate is known only after the decode.
"""

from dataclasses import dataclass
from enum import StrEnum

from wkmp_assets.model.ticks import TICKS_PER_SECOND

MAX_LENGTH_DIFFERENCE_S = 5
"""Between the sound and what a sheet describes: pauses before and after it."""


class BoundarySource(StrEnum):
    """What decided where the passages of a file begin and end, the strongest first."""

    CUE_FILE = "CUE sheet beside the file"
    CUE_TAG = "CUE sheet in the tags"
    CUE_BLOCK = "CUE sheet block"
    """FLAC's own kind of sheet, which has no titles."""
    CHAPTERS = "chapters"
    RELEASE = "track list of the release"
    """MusicBrainz' lengths of the tracks of the release that the tags name."""
    ONE_PIECE = "tags of one piece"
    """The tags or the file's name say that it is one recording."""
    SILENCE = "silence"


@dataclass(frozen=True)
class SheetTrack:
    """One track of a sheet, or one chapter. It lasts until the next one begins. Blank texts are None."""

    start_ticks: int
    """From the start of the file."""
    number: int | None = None
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    isrc: str | None = None
    recording_mbid: str | None = None
    release_mbid: str | None = None


@dataclass(frozen=True)
class TrackSheet:
    """The tracks of one file, in order, at least one."""

    source: BoundarySource
    name: str
    """How messages call it, such as `the CUE sheet "Live.cue"`."""
    tracks: tuple[SheetTrack, ...]
    length_ticks: int | None = None
    """Of the sound that it describes, where it says so."""

    def has_length_of(self, total_ticks: int) -> bool:
        """Tell whether the sheet may describe sound of a length; True when it does not say how long that is."""
        limit = MAX_LENGTH_DIFFERENCE_S * TICKS_PER_SECOND
        return not self.length_ticks or abs(self.length_ticks - total_ticks) <= limit


class PieceClaim(StrEnum):
    """How strongly the tags and the name of a file say that it is one piece."""

    NONE = "none"
    NAME = "name"
    """Less than a number and a title, or a numbered file name: believed of a short file."""
    TRACK = "track"
    """A track's number and title."""
    RECORDING = "recording"
    """A recording id."""
    SPEECH = "speech"
    """An audiobook or the like: its pauses separate nothing, however long they are."""


@dataclass(frozen=True)
class BoundaryEvidence:
    """Everything that a file says about its passages, besides its sound."""

    sheets: tuple[TrackSheet, ...] = ()
    """The strongest first. The first that fits the sound decides."""
    claim: PieceClaim = PieceClaim.NONE


NO_EVIDENCE = BoundaryEvidence()
