"""The entry of one file: the phases' values joined, in ticks instead of samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wkmp_assets.model.boundary_evidence import BoundarySource
from wkmp_assets.model.file_warnings import FileWarning, merge_warnings
from wkmp_assets.model.outcomes import Outcome, Result, Skipped, SkipReason, join
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.model.ticks import from_samples
from wkmp_assets.model.values import (
    AudioProperties,
    CoverKind,
    FileIdentity,
    FileTags,
    Fingerprints,
    Flavors,
    LeadPointParameters,
    LeadPoints,
    PassageFingerprint,
    PassageFlavor,
    PassageLeadPoints,
    PassageMatch,
    PassageSegments,
    SongMatches,
)

_WITHOUT_CONTENT = frozenset({SkipReason.DUPLICATE, SkipReason.UNCHANGED})


@dataclass(frozen=True)
class EntryLeadPoints:
    """Where a passage may overlap its neighbours."""

    lead_in_ticks: int | None
    """Latest position at which the previous passage may still sound, from the file's start; None when unknown."""
    lead_out_ticks: int | None
    """Earliest position at which the next passage may start, from the file's start; None when unknown."""
    peak_rms: float
    quick_ramp_up: bool
    quick_ramp_down: bool


@dataclass(frozen=True)
class EntryFingerprint:
    """The fingerprint of a whole passage."""

    fingerprint: str
    """Chromaprint, compressed and base64url-encoded."""
    duration_s: float


@dataclass(frozen=True)
class PassageEntry:
    """Everything the library will hold about one passage, except ids.

    Its positions are ticks. The spans inside `match` and `flavor` are samples, and users of an entry do not read
    them.
    """

    start_ticks: int
    end_ticks: int
    match: PassageMatch
    lead_points: EntryLeadPoints
    fingerprint: EntryFingerprint | None = None
    """None when the passage is too short, or was joined of several that were fingerprinted one by one."""
    flavor: PassageFlavor | None = None
    """None keeps the flavor that the library has."""

    @property
    def length_ticks(self) -> int:
        """Its duration."""
        return self.end_ticks - self.start_ticks


@dataclass(frozen=True)
class EntryCover:
    """A cover of the file, where a player finds it."""

    kind: CoverKind
    content_hash: str
    """SHA-256 of its bytes."""
    file_path: str
    """Absolute."""
    width: int
    """unit=px"""
    height: int
    """unit=px"""


@dataclass(frozen=True)
class FileEntry:
    """Everything the library will hold about one file, except ids: what `library_entry` commits."""

    path: str
    identity: FileIdentity
    tags: FileTags | None = None
    audio: AudioProperties | None = None
    """None when no phase read the file's content, because the library has it."""
    duration_ticks: int | None = None
    """None when `audio` is, or has no sample."""
    passages: tuple[PassageEntry, ...] = ()
    lead_point_parameters: LeadPointParameters | None = None
    boundaries: BoundarySource | None = None
    """What decided where the passages begin and end; None without passages."""
    warnings: tuple[FileWarning, ...] = ()
    """What the phases know to be doubtful."""
    covers: tuple[EntryCover, ...] = ()


def assemble_entry(
    key: str, path: str, identity: Outcome[FileIdentity], content: Sequence[Outcome[Any]]
) -> Outcome[FileEntry]:
    """Assemble the entry of one file. Its samples become ticks here.

    Parameters
    ----------
    key, path : str
        Partition key and path relative to the library root.
    identity : Outcome
        What the file is.
    content : sequence of Outcome
        Tags, segments, fingerprints, matches, lead points and flavors, in this order.

    Returns
    -------
    Outcome of FileEntry
        An entry without content for a duplicate, and for a file that only moved or was touched: the library has it.
    """
    joined = join(ENTRY, key, [identity, *content])
    if isinstance(joined, Result):
        return Result(_with_content(path, *joined.value), joined.content_hash)
    has_none = isinstance(joined, Skipped) and joined.reason in _WITHOUT_CONTENT
    if has_none and isinstance(identity, Result):
        return Result(FileEntry(path, identity.value), identity.content_hash)
    return joined


def _with_content(
    path: str,
    identity: FileIdentity,
    tags: FileTags,
    segments: PassageSegments,
    fingerprints: Fingerprints,
    matches: SongMatches,
    lead_points: LeadPoints,
    flavors: Flavors,
) -> FileEntry:
    by_span = {fingerprint.span: fingerprint for fingerprint in fingerprints.passages}
    audio = segments.audio
    passages = tuple(
        passage_entry(match, points, by_span.get(match.span), flavor, audio.sample_rate_hz)
        for match, points, flavor in zip(matches.passages, lead_points.passages, flavors.passages, strict=True)
    )
    duration_ticks = from_samples(audio.total_samples, audio.sample_rate_hz) or None
    warnings = merge_warnings(
        tags.warnings,
        audio.warnings,
        segments.warnings,
        lead_points.warnings,
        *[points.warnings for points in lead_points.passages],
        matches.warnings,
        *[match.lookup.warnings for match in matches.passages if match.lookup],
        *[flavor.warnings for flavor in flavors.passages],
    )
    return FileEntry(
        path,
        identity,
        tags,
        audio,
        duration_ticks,
        passages,
        lead_points.parameters,
        segments.decided_by if passages else None,
        warnings,
    )


def passage_entry(
    match: PassageMatch,
    points: PassageLeadPoints,
    fingerprint: PassageFingerprint | None,
    flavor: PassageFlavor | None,
    rate_hz: int,
) -> PassageEntry:
    """Join the phases' values for one passage.

    Parameters
    ----------
    match, points, fingerprint, flavor
        Of the same passage; their positions are samples.
    rate_hz : int, > 0
        Samples per second.
    """

    def ticks(sample: int | None) -> int | None:
        return None if sample is None else from_samples(sample, rate_hz)

    return PassageEntry(
        from_samples(match.span.start_sample, rate_hz),
        from_samples(match.span.end_sample, rate_hz),
        match,
        EntryLeadPoints(
            ticks(points.lead_in_sample),
            ticks(points.lead_out_sample),
            points.peak_rms,
            points.quick_ramp_up,
            points.quick_ramp_down,
        ),
        None
        if fingerprint is None or fingerprint.fingerprint is None
        else EntryFingerprint(fingerprint.fingerprint, fingerprint.duration_s),
        flavor,
    )
