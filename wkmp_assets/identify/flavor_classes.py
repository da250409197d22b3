"""Add what AcousticBrainz knows of the recordings to what was measured of the passages."""

from collections.abc import Iterable
from dataclasses import replace

from wkmp_assets.errors import ServiceGoneError, ServiceUnavailableError
from wkmp_assets.identify.services.acousticbrainz import NAME, ClassLookup
from wkmp_assets.model.values import ClassesOutcome, Flavors, PassageFlavor, PassageMatch


def add_classes(measured: Flavors, matches: Iterable[PassageMatch], source: ClassLookup) -> Flavors:
    """Ask for every passage whose recording is known. A service that is gone changes only which classes are there."""
    return Flavors(
        tuple(_with_classes(flavor, match, source) for flavor, match in zip(measured.passages, matches, strict=True))
    )


def _with_classes(flavor: PassageFlavor, match: PassageMatch, source: ClassLookup) -> PassageFlavor:
    if match.song is None:
        return flavor
    if source.not_asked:
        return replace(flavor, detail=f"{NAME}: {source.not_asked}")
    try:
        known = source.high_level(match.song.recording_mbid)
    except ServiceUnavailableError as error:
        outcome = ClassesOutcome.GONE if isinstance(error, ServiceGoneError) else ClassesOutcome.DEFERRED
        return replace(flavor, detail=f"{error.service}: {error.reason}", outcome=outcome)
    if known is None:
        return replace(flavor, detail=f"{NAME} does not know the recording", outcome=ClassesOutcome.NO_MATCH)
    warnings = tuple(f"{NAME}, {match.song.recording_mbid}: {warning}" for warning in known.warnings)
    return replace(flavor, classes=known.flavor, warnings=warnings, outcome=ClassesOutcome.MATCH)
