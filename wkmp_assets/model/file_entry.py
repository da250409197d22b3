"""Bring the phases' values for one file together into what the library will hold."""

from collections.abc import Sequence
from typing import Any

from wkmp_assets.model.outcomes import Outcome, Result, Skipped, SkipReason, join
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.model.values import (
    FileEntry,
    FileIdentity,
    FileTags,
    Fingerprints,
    Flavors,
    LeadPoints,
    PassageEntry,
    PassageFingerprint,
    PassageSegments,
    SongMatches,
    Span,
)

_WITHOUT_CONTENT = frozenset({SkipReason.DUPLICATE, SkipReason.UNCHANGED})


def assemble_entry(
    key: str, path: str, identity: Outcome[FileIdentity], content: Sequence[Outcome[Any]]
) -> Outcome[FileEntry]:
    """Assemble the entry of one file.

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
        For a duplicate, or a file that only moved or was touched, an entry without content: the library has it.
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
    heard = {fingerprint.span: fingerprint for fingerprint in fingerprints.passages}
    rate_hz = segments.audio.sample_rate_hz
    passages = tuple(
        # Passages that were joined are fingerprinted in parts only, which identify nothing.
        PassageEntry(match, points, heard.get(match.span) or _unheard(match.span, rate_hz), flavor)
        for match, points, flavor in zip(matches.passages, lead_points.passages, flavors.passages, strict=True)
    )
    return FileEntry(path, identity, tags, segments.audio, passages, lead_points.parameters)


def _unheard(span: Span, rate_hz: int) -> PassageFingerprint:
    return PassageFingerprint(span, None, span.length_samples / rate_hz)
