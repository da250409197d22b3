"""AcousticBrainz' classes of the recordings, added to the measured flavors."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from wkmp_assets.errors import ServiceGoneError, ServiceUnavailableError
from wkmp_assets.identify.services.names import ACOUSTICBRAINZ as NAME
from wkmp_assets.model.agreement import recordings_of
from wkmp_assets.model.file_warnings import WarningKind, warn_each
from wkmp_assets.model.flavor import Flavor
from wkmp_assets.model.values import ClassesOutcome, Flavors, PassageFlavor, PassageMatch, SongMatches

if TYPE_CHECKING:
    from wkmp_assets.identify.services.acousticbrainz import AcousticBrainzClient


@dataclass(frozen=True)
class RecordingClasses:
    """The outcome of a lookup, and what it found."""

    outcome: ClassesOutcome
    classes: Flavor = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    """Parts of the answer that cannot be used, one sentence each."""
    reason: str = ""
    """Why the recording was not looked up."""


class ClassLookup(Protocol):
    """Looks up the classes of recordings."""

    def look_up(self, mbid: str, /) -> RecordingClasses:
        """Return the classes of one recording."""


@dataclass(frozen=True)
class NoClassLookup:
    """Skips or defers every lookup.

    Parameters
    ----------
    reason : str
        Shown with every passage.
    outcome : ClassesOutcome
        SKIPPED, or DEFERRED for recordings to be looked up later.
    """

    reason: str
    outcome: ClassesOutcome = ClassesOutcome.SKIPPED

    def look_up(self, _mbid: str) -> RecordingClasses:
        """Skip or defer the recording."""
        return RecordingClasses(self.outcome, reason=self.reason)


@dataclass(frozen=True)
class ServiceClassLookup:
    """Asks AcousticBrainz."""

    client: "AcousticBrainzClient"

    def look_up(self, mbid: str) -> RecordingClasses:
        """Return the classes of one recording; without a usable answer it is deferred."""
        try:
            known = self.client.high_level(mbid)
        except ServiceUnavailableError as error:
            is_gone = isinstance(error, ServiceGoneError)
            return RecordingClasses(ClassesOutcome.GONE if is_gone else ClassesOutcome.DEFERRED, reason=error.reason)
        if known is None:
            return RecordingClasses(ClassesOutcome.NO_MATCH)
        return RecordingClasses(ClassesOutcome.MATCH, known.flavor, tuple(known.warnings))


def add_classes(measured: Flavors, matches: SongMatches, lookup: ClassLookup) -> Flavors:
    """Add the classes of every passage whose recording is known.

    Parameters
    ----------
    measured : Flavors
        Of one file.
    matches : SongMatches
        Of the same passages.
    lookup : ClassLookup
        Asked once per passage with a song.

    Returns
    -------
    Flavors
        The measured values as they were, with classes, or with the reason why there are none.
    """
    pairs = zip(measured.passages, matches.passages, strict=True)
    return Flavors(tuple(_add_classes(flavor, match, lookup) for flavor, match in pairs), recordings_of(matches))


def _add_classes(flavor: PassageFlavor, match: PassageMatch, lookup: ClassLookup) -> PassageFlavor:
    if match.song is None:
        return flavor
    found = lookup.look_up(match.song.recording_mbid)
    detail = f"{NAME}: {found.reason}" if found.reason else ""
    if found.outcome is ClassesOutcome.NO_MATCH:
        detail = f"{NAME} does not know the recording"
    texts = [f"{NAME}, {match.song.recording_mbid}: {warning}" for warning in found.warnings]
    warnings = warn_each(WarningKind.ODD_ANSWER, texts)
    return replace(flavor, classes=found.classes, detail=detail, warnings=warnings, outcome=found.outcome)
