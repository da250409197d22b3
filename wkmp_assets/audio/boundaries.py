"""The passages of one file, from its sound and from what the file says about them.

The strongest evidence decides: a sheet that fits the sound, then the claim that the file is one piece, then silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.envelope import HOPS_PER_WINDOW, window_rms
from wkmp_assets.audio.silence import find_passages
from wkmp_assets.model import ticks
from wkmp_assets.model.boundary_evidence import (
    BoundaryEvidence,
    BoundarySource,
    PieceClaim,
    SheetTrack,
    TrackSheet,
)
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets.model.values import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wkmp_assets.model.values import Envelope, SegmentationParameters

MIN_PIECE_S = 2
"""Shorter music before the first track of a sheet is no hidden track."""
MAX_PAUSE_S = 20
"""Within one recording. Longer silences come before hidden tracks."""
MIN_MAIN_SHARE = 0.25
"""Share of the longest piece that the first one must have to be the one that the tags name."""
MAX_NAMED_S = 15 * 60
"""A longer file needs more than a title to count as one recording, and its chapters are pieces of their own."""
MIN_NOISY_S = 20 * 60
"""In a longer file that nothing calls one piece, noise between two tracks counts as silence."""
MAX_PAUSE_LEVEL = 0.5
"""Of the level around it; a pause between two tracks is at least 6 dB quieter."""
MAX_SHIFT_S = 3
"""How far from the place that a release's lengths give a pause is looked for: copies of one release differ."""


@dataclass(frozen=True)
class Boundaries:
    """Passages, and what decided where they begin and end."""

    passages: tuple[Span, ...]
    decided_by: BoundarySource
    tracks: tuple[SheetTrack | None, ...] = ()
    """The track of each passage; empty where no sheet decided."""
    main_passage: int | None = None
    """Index of the passage that the file's own tags name, in a file of several."""
    warnings: tuple[FileWarning, ...] = ()


def choose_passages(envelope: Envelope, evidence: BoundaryEvidence, parameters: SegmentationParameters) -> Boundaries:
    """Split a file into its passages.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.
    evidence : BoundaryEvidence
        What the file says. A sheet that does not fit the sound is a warning, and the next one decides.
    parameters : SegmentationParameters
        What counts as silence, and the shortest passage.

    Returns
    -------
    Boundaries
        Without passages when there is no sound. Passages ascend and do not overlap; those of a sheet may touch.

    See Also
    --------
    wkmp_assets.audio.silence.find_passages : where nothing but the sound tells.
    """
    length_s = envelope.total_samples / envelope.sample_rate_hz
    found = _find(envelope, parameters)
    if not found:
        return Boundaries((), BoundarySource.SILENCE)
    warnings: list[FileWarning] = []
    for sheet in evidence.sheets:
        if sheet.source is BoundarySource.CHAPTERS and _are_sections(evidence.claim, length_s):
            continue
        fault = _find_fault(sheet, envelope)
        if fault is None:
            return replace(_by_sheet(sheet, envelope, found, parameters), warnings=tuple(warnings))
        warnings.append(FileWarning(WarningKind.UNUSED_SHEET, f"{sheet.name} does not fit the sound: {fault}."))
    if _is_believed(evidence.claim, length_s):
        max_pause_s = length_s if evidence.claim is PieceClaim.SPEECH else MAX_PAUSE_S
        return replace(_as_one_piece(found, envelope.sample_rate_hz, max_pause_s), warnings=tuple(warnings))
    if length_s > MIN_NOISY_S:
        found = _find(envelope, parameters, follows_noise_floor=True) or found
    return Boundaries(found, BoundarySource.SILENCE, warnings=tuple(warnings))


def _find(
    envelope: Envelope, parameters: SegmentationParameters, *, follows_noise_floor: bool = False
) -> tuple[Span, ...]:
    return find_passages(
        envelope,
        silence_threshold_db=parameters.silence_threshold_db,
        min_silence_ticks=parameters.min_silence_ticks,
        min_passage_ticks=parameters.min_passage_ticks,
        follows_noise_floor=follows_noise_floor,
    )


def _is_believed(claim: PieceClaim, length_s: float) -> bool:
    return claim is not PieceClaim.NONE and (claim is not PieceClaim.NAME or length_s <= MAX_NAMED_S)


def _are_sections(claim: PieceClaim, length_s: float) -> bool:
    """Tell whether chapters are the sections of one song: a short file with the id of a recording."""
    return claim is PieceClaim.RECORDING and length_s <= MAX_NAMED_S


def _find_fault(sheet: TrackSheet, envelope: Envelope) -> str | None:
    """Return why a sheet cannot be of this sound, as a clause; None when it can."""
    total = ticks.from_samples(envelope.total_samples, envelope.sample_rate_hz)
    last = sheet.tracks[-1]
    if last.start_ticks >= total:
        return f"its last track begins at {_clock(last.start_ticks)}, and the sound ends at {_clock(total)}"
    if sheet.length_ticks and not sheet.has_length_of(total):
        return f"it describes {_clock(sheet.length_ticks)} of sound, and the file has {_clock(total)}"
    return None


def _by_sheet(
    sheet: TrackSheet, envelope: Envelope, found: Sequence[Span], parameters: SegmentationParameters
) -> Boundaries:
    """Cut where the tracks of a sheet begin.

    A track without sound is no passage. Music before the first track is one: the hidden track of a CD. A sheet of one
    track says that the file is one recording.
    """
    rate = envelope.sample_rate_hz
    if len(sheet.tracks) == 1:
        one = _as_one_piece(found, rate, MAX_PAUSE_S)
        main = one.main_passage or 0
        tracks = tuple(sheet.tracks[0] if index == main else None for index in range(len(one.passages)))
        return Boundaries(one.passages, sheet.source, tracks, main)
    starts = [_to_samples(track.start_ticks, rate) for track in sheet.tracks]
    if sheet.source is BoundarySource.RELEASE:
        starts = [starts[0], *(_quietest_near(envelope, start) for start in starts[1:])]
    pieces: list[tuple[Span, SheetTrack | None]] = []
    hidden = _clip(found, Span(0, starts[0]))
    if hidden is not None and hidden.length_samples >= MIN_PIECE_S * rate:
        pieces.append((hidden, None))
    for track, start, end in zip(sheet.tracks, starts, [*starts[1:], envelope.total_samples], strict=True):
        heard = _clip(found, Span(start, end))
        if heard is not None and ticks.from_samples(heard.length_samples, rate) >= parameters.min_passage_ticks:
            pieces.append((Span(start, end), track))
    return Boundaries(tuple(span for span, _ in pieces), sheet.source, tuple(track for _, track in pieces))


def _quietest_near(envelope: Envelope, sample: int) -> int:
    """Return the end of the quietest 100 ms near a place, the last one of equals; the place itself without a pause."""
    reach = MAX_SHIFT_S * envelope.sample_rate_hz
    first = max(0, sample - reach)
    levels = window_rms(envelope, first, min(sample + reach, envelope.total_samples))
    if levels.min() > MAX_PAUSE_LEVEL * np.median(levels):
        return sample
    last = levels.size - 1 - int(np.argmin(levels[::-1]))
    return min(first + (last + 1) * HOPS_PER_WINDOW * envelope.hop_samples, envelope.total_samples)


def _clip(found: Sequence[Span], within: Span) -> Span | None:
    """Return the stretch from the first to the last music inside another stretch; None without any."""
    inside = [span for span in found if span.start_sample < within.end_sample and span.end_sample > within.start_sample]
    if not inside:
        return None
    return Span(
        max(inside[0].start_sample, within.start_sample),
        min(inside[-1].end_sample, within.end_sample),
    )


def _as_one_piece(found: Sequence[Span], rate_hz: int, max_pause_s: float) -> Boundaries:
    """Bridge the pauses of one recording; what follows a longer silence is a hidden track."""
    pieces: list[Span] = []
    for span in found:
        if pieces and span.start_sample - pieces[-1].end_sample < max_pause_s * rate_hz:
            pieces[-1] = Span(pieces[-1].start_sample, span.end_sample)
        else:
            pieces.append(span)
    passages = tuple(pieces)
    longest = max(span.length_samples for span in passages)
    main = next(i for i, span in enumerate(passages) if span.length_samples >= MIN_MAIN_SHARE * longest)
    return Boundaries(passages, BoundarySource.ONE_PIECE, main_passage=main if len(passages) > 1 else None)


def _to_samples(position_ticks: int, rate_hz: int) -> int:
    """Return the sample nearest to a position, in integer arithmetic."""
    return (2 * position_ticks * rate_hz + TICKS_PER_SECOND) // (2 * TICKS_PER_SECOND)


def _clock(position_ticks: int) -> str:
    seconds = position_ticks // TICKS_PER_SECOND
    return f"{seconds // 60}:{seconds % 60:02d}"
