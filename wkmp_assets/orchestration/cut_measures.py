"""Measure the passages that a person cuts, by the code of an import. Without Dagster."""

from collections.abc import Sequence
from dataclasses import replace

from wkmp_assets.audio.lead_points import measure_lead_points
from wkmp_assets.audio.pcm_store import PcmStore
from wkmp_assets.audio.sent_tasks import fingerprint_file, measure_flavors, segment_file
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.model.file_entry import PassageEntry, passage_entry
from wkmp_assets.model.hand_edits import Cut, CutEdit
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets.model.values import PassageMatch, Span
from wkmp_assets.orchestration.found_library import use_library
from wkmp_assets.orchestration.music_objects import at_hand
from wkmp_assets.settings import Settings


def measure_cuts(
    settings: Settings, path: str, content_hash: str, before: Sequence[tuple[int, int]], cuts: Sequence[Cut]
) -> CutEdit:
    """Decode a file, and measure the passages that cuts make: lead points, fingerprints, flavors.

    Parameters
    ----------
    settings : Settings
        Of the library.
    path : str
        The file, below the library root.
    content_hash : str
        What the library holds of it.
    before : sequence of (start, end), unit=ticks
        Its passages.
    cuts : sequence of Cut
        New boundaries.

    Raises
    ------
    AudioFileError
        The file has other content, or cannot be decoded.
    """
    known = read_library_settings(use_library(settings))
    pcm = PcmStore(settings.pcm_dir, settings.pcm_cache_mb * 1_000_000)
    with at_hand(settings, path) as on_this_machine:
        file = (on_this_machine, path, ExpectedContent(content_hash), pcm)
        segments = segment_file(*file, known.segmentation)
        rate, total = segments.audio.sample_rate_hz, segments.audio.total_samples
        bounds = [one for cut in cuts for one in cut.bounds]
        spans = tuple(
            Span(min(_to_samples(start, rate), total - 1), min(_to_samples(end, rate), total)) for start, end in bounds
        )
        segments = replace(segments, passages=spans)
        leads = measure_lead_points(segments, spans, known.lead_points)
        fingerprints = fingerprint_file(*file, segments)
        flavors = measure_flavors(*file, segments, spans)
    pieces = [
        _within(
            passage_entry(PassageMatch(span, MatchLevel.NONE, 0.0, None), points, fingerprint, flavor, rate), *bound
        )
        for bound, span, points, fingerprint, flavor in zip(
            bounds, spans, leads.passages, fingerprints.passages, flavors.passages, strict=True
        )
    ]
    return CutEdit(path, content_hash, tuple(before), tuple(cuts), tuple(pieces), known.lead_points)


def _to_samples(position_ticks: int, rate_hz: int) -> int:
    return (2 * position_ticks * rate_hz + TICKS_PER_SECOND) // (2 * TICKS_PER_SECOND)


def _within(piece: PassageEntry, start: int, end: int) -> PassageEntry:
    """Return a passage with its exact bounds. Where a sample is no whole number of ticks, its points are rounded."""
    points = piece.lead_points
    lead_in, lead_out = (
        None if point is None else min(max(point, start), end)
        for point in (points.lead_in_ticks, points.lead_out_ticks)
    )
    return replace(
        piece,
        start_ticks=start,
        end_ticks=end,
        lead_points=replace(points, lead_in_ticks=lead_in, lead_out_ticks=lead_out),
    )
