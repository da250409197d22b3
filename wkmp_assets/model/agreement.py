"""Whether the values of one file's phases belong together: computed from the same tags, passages and songs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wkmp_assets.model.phases import FINGERPRINTS, FLAVORS, LEAD_POINTS, LOOKUPS, MATCHES, SEGMENTS, TAGS
from wkmp_assets.model.values import (
    FileTags,
    Fingerprints,
    Flavors,
    LeadPoints,
    PassageSegments,
    RecordingLookups,
    SongMatches,
    Span,
)

_PER_PASSAGE: dict[str, type] = {FINGERPRINTS: Fingerprints, LOOKUPS: RecordingLookups}
"""Phases with a value for each passage of `passage_segments`."""
_PER_MATCH: dict[str, type] = {LEAD_POINTS: LeadPoints, FLAVORS: Flavors}
"""Phases with a value for each passage of `song_matches`, which may have joined some."""


@dataclass(frozen=True)
class Disagreement:
    """A value that does not belong to the others."""

    cause: str
    """What does not fit, as a clause."""
    first_phase: str
    """The phase from which on the file's phases must run again."""


def find_disagreement(values: Iterable[object]) -> Disagreement | None:
    """Find the first phase value of one file that was computed from other tags or passages than the others.

    Parameters
    ----------
    values : iterable
        Values of phases, any of them, of the same content. What is no phase value with passages is ignored.

    Returns
    -------
    Disagreement or None
        None when the values can be combined. Segments of earlier versions name no evidence, so they fit all
        tags. Matches of earlier versions do not name the passages that they join, so they fit when their own
        boundaries can be made of those passages. Flavors of earlier versions do not name recordings, so their
        classes count as those of the present ones.
    """
    by_type: dict[type, Any] = {type(value): value for value in values}
    segments: PassageSegments | None = by_type.get(PassageSegments)
    passages = segments.passages if segments else None
    tags: FileTags | None = by_type.get(FileTags)
    if segments is not None and tags is not None and segments.evidence not in {None, tags.evidence}:
        return Disagreement(f"{SEGMENTS} was computed from other sheets or tags than {TAGS} has now", SEGMENTS)
    matches: SongMatches | None = by_type.get(SongMatches)
    for phase, kind in _PER_PASSAGE.items():
        if passages is not None and kind in by_type and spans_of(by_type[kind]) != passages:
            return _other_passages(phase, SEGMENTS, FINGERPRINTS)
    if passages is not None and matches is not None and not _are_made_of(matches, passages):
        return _other_passages(MATCHES, SEGMENTS, FINGERPRINTS)
    if segments is not None and matches is not None and not _are_named_by(segments, matches):
        return Disagreement(f"{MATCHES} has the names of other tracks than {SEGMENTS} has now", LOOKUPS)
    if matches is None:
        return None
    for phase, kind in _PER_MATCH.items():
        if kind in by_type and spans_of(by_type[kind]) != spans_of(matches):
            return _other_passages(phase, MATCHES, phase)
    flavors: Flavors | None = by_type.get(Flavors)
    if flavors is not None and flavors.recordings not in {None, recordings_of(matches)}:
        return Disagreement(f"{FLAVORS} has the classes of other recordings than {MATCHES} names now", FLAVORS)
    return None


def recordings_of(matches: SongMatches) -> tuple[str | None, ...]:
    """Return the recording MBID of each passage; None for a passage without a song."""
    return tuple(match.song.recording_mbid if match.song else None for match in matches.passages)


def _other_passages(phase: str, of_phase: str, first_phase: str) -> Disagreement:
    return Disagreement(f"{phase} was computed from other passages than {of_phase} has now", first_phase)


def spans_of(value: Fingerprints | RecordingLookups | SongMatches | LeadPoints | Flavors) -> tuple[Span, ...]:
    """Return the passages of a phase value, in order."""
    return tuple(passage.span for passage in value.passages)


def _are_made_of(matches: SongMatches, passages: tuple[Span, ...]) -> bool:
    if matches.joined_from is not None:
        return matches.joined_from == passages
    return _may_be_joined_from(matches, passages)


def _are_named_by(segments: PassageSegments, matches: SongMatches) -> bool:
    """Tell whether the matches have the tracks of the sheet that decided; passages of a sheet are never joined."""
    tracks = tuple(match.track for match in matches.passages)
    return tracks == segments.tracks or not any((*tracks, *segments.tracks))


def _may_be_joined_from(matches: SongMatches, passages: Sequence[Span]) -> bool:
    """Tell whether the matches take up all passages, in order; only what was looked up may have been joined."""
    rest = list(passages)
    for match in matches.passages:
        if not rest or rest[0].start_sample != match.span.start_sample:
            return False
        while rest and rest[0].end_sample < match.span.end_sample and match.lookup is not None:
            rest.pop(0)
        if not rest or rest.pop(0).end_sample != match.span.end_sample:
            return False
    return not rest
