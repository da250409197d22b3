"""What an import knows to be doubtful about a file: a kind, by which people look for such files, and a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class WarningKind(StrEnum):
    """All kinds of warnings, the most serious first. docs/guide/import.md says what each means."""

    CUT_SHORT = "cut short"
    """The sound is shorter than the file itself says."""
    DAMAGED = "damaged"
    """Parts of the sound cannot be decoded."""
    NO_AUDIO = "no audio"
    """No sound that is long enough for a passage."""
    LOST_SONG = "lost song"
    """A song in the library has lost its own passage."""
    KEPT_PASSAGE = "kept passage"
    """A stored passage does not fit the sound, and stays because a person or program uses it."""
    UNUSED_SHEET = "unused sheet"
    """A CUE sheet or chapters that cannot be read, or do not fit the sound."""
    OVER_SEGMENTED = "over-segmented"
    """One piece that was probably cut at its rests."""
    TWO_TITLES = "two titles"
    """The fingerprint fits another title equally well."""
    UNREADABLE_TAGS = "unreadable tags"
    IGNORED_TAGS = "ignored tags"
    """Tags that can be read and not be used."""
    UNUSED_PICTURE = "unused picture"
    """A picture inside or beside the file cannot be used as a cover."""
    ODD_ANSWER = "odd answer"
    """A part of a service's answer cannot be read."""
    NO_LEAD_POINTS = "no lead points"
    CLIPPED = "clipped"
    """A sample reaches full scale."""
    CHANGES_MIDWAY = "changes midway"
    """Rate or layout change within the stream."""
    OTHER_DECODER = "other decoder"
    """FFmpeg cannot decode the file, and libsndfile can."""
    ROUNDED_POSITIONS = "rounded positions"
    """A sample is no whole number of ticks."""
    OTHER = "other"
    """A stored sentence of a version that knew no kinds."""


@dataclass(frozen=True)
class FileWarning:
    """One doubt about one file."""

    kind: WarningKind
    text: str
    """A sentence for people."""

    def __str__(self) -> str:
        return self.text


_PLACES = {kind: place for place, kind in enumerate(WarningKind)}
_BY_NAME = {str(kind): kind for kind in WarningKind}


def warn_each(kind: WarningKind, texts: Iterable[str]) -> tuple[FileWarning, ...]:
    """Return a warning of one kind for each sentence."""
    return tuple(FileWarning(kind, text) for text in texts)


def merge_warnings(*groups: Iterable[FileWarning]) -> tuple[FileWarning, ...]:
    """Return the warnings of several phases, each once, the most serious kind first."""
    found = dict.fromkeys(warning for group in groups for warning in group)
    return tuple(sorted(found, key=lambda warning: order_kinds(warning.kind)))


def parse_kind(stored: str) -> WarningKind:
    """Return the kind that a library holds; a kind of a newer version counts as OTHER."""
    return _BY_NAME.get(stored, WarningKind.OTHER)


def order_kinds(stored: str) -> int:
    """Return the place of a kind, for sorting: 0 is the most serious one."""
    return _PLACES[parse_kind(stored)]
