"""Passages of one file: the stretches between its silences, from the level envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.envelope import HOPS_PER_WINDOW, hop_energy, window_rms
from wkmp_assets.audio.noise_gaps import find_noise_gaps, is_speech, runs
from wkmp_assets.audio.quiet_music import lower_for_quiet_music
from wkmp_assets.model import ticks
from wkmp_assets.model.values import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from wkmp_assets.model.values import Envelope

SHORT_FILE_S = 15 * 60
MAX_SHORT_FILE_PASSAGES = 8
"""More passages in a file shorter than `SHORT_FILE_S` raise a warning."""

MIN_BESIDE_TICKS = 2 * ticks.TICKS_PER_SECOND
"""A shorter stretch beside a longer one is no passage: a click after the music, or the head of the next track."""
FINE_CUTS = 2
"""Where silences may be short, passages may be: a stretch this many times the shortest silence is a passage, too."""


def find_passages(
    envelope: Envelope,
    *,
    silence_threshold_db: float,
    min_silence_ticks: int,
    min_passage_ticks: int,
    follows_noise_floor: bool = False,
) -> tuple[Span, ...]:
    """Split a file at its silences.

    A silence is a run of hops in silent windows of 100 ms, or of less if `min_silence_ticks` is shorter. A faint click
    therefore does not end a silence.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.
    silence_threshold_db : float, >= 0
        unit=dB below full scale. A window of 100 ms is silent when the RMS of its loudest channel is lower. The
        reference is full scale, not the peak of the file, because a quiet track is not a silent one.
    min_silence_ticks : int, >= 0
        Shorter gaps belong to the music. Every gap of this length is found. A gap up to two hops (20 ms) shorter may be
        found as well, because the two hops in which sound and silence meet count as silent.
    min_passage_ticks : int, >= 0
        Shorter stretches between silences are dropped. Beside a longer stretch, one shorter than 2 s is dropped as well
        (or shorter than twice `min_silence_ticks`, if that is less).
    follows_noise_floor : bool, optional
        Whether a gap full of noise (a record, a tape, a room) counts as silence, see
        `wkmp_assets.audio.noise_gaps.find_noise_gaps`. The rule assumes a long file that may hold several tracks: it
        takes the quietest second for noise, and an even rest of a single track would be cut. It cannot find gaps that
        are as loud as the music or uneven: cross-fades, applause, talk.

    Returns
    -------
    tuple of Span
        Ascending and not touching; each boundary lies within one hop of the true one, and within one window of 100 ms
        beside a gap full of noise. Without any silence the whole file is one passage. Spoken word is one passage, from
        its first sound to its last. Empty means NO AUDIO: no stretch is long enough, or the windows of 100 ms at or
        above the threshold last less than `min_passage_ticks` in all. For quiet music the threshold is lower, see
        `wkmp_assets.audio.quiet_music.lower_for_quiet_music`.

    See Also
    --------
    wkmp_assets.audio.envelope.window_rms : the levels that are compared.
    wkmp_assets.audio.noise_gaps : gaps full of noise, and spoken word.
    wkmp_assets.audio.lead_points.find_lead_points : where the music of a passage starts and ends.
    over_segmentation_warning : tells when the threshold does not suit a file.

    Examples
    --------
    Two tones of 3 s with 2 s of silence between them:

    >>> from wkmp_assets.audio.envelope import EnvelopeBuilder
    >>> builder = EnvelopeBuilder(8_000)
    >>> for amplitude, length_s in ((0.5, 3), (0.0, 2), (0.5, 3)):
    ...     builder.add(amplitude * np.sin(np.arange(length_s * 8_000, dtype=np.float32))[np.newaxis])
    >>> second = ticks.from_samples(8_000, 8_000)
    >>> find_passages(
    ...     builder.finish(), silence_threshold_db=60, min_silence_ticks=second, min_passage_ticks=second
    ... )
    (Span(start_sample=0, end_sample=24000), Span(start_sample=40000, end_sample=64000))
    """
    total, rate = envelope.total_samples, envelope.sample_rate_hz
    threshold = lower_for_quiet_music(window_rms(envelope, 0, total), float(10 ** (-silence_threshold_db / 20)))
    loud = _loud_samples(envelope, threshold)
    if loud == 0 or ticks.from_samples(loud, rate) < min_passage_ticks:
        return ()
    in_silence = _silent_hops(envelope, threshold**2, _window_hops(envelope, min_silence_ticks))
    min_silence_s = min_silence_ticks / ticks.TICKS_PER_SECOND
    if follows_noise_floor:
        for first, end in find_noise_gaps(envelope, threshold**2, min_silence_s):
            in_silence[first:end] = True
    passages = _between([*_find_silences(envelope, in_silence, min_silence_ticks)], total)
    lengths_s = [passage.length_samples / rate for passage in passages]
    if len(passages) > 1 and is_speech(envelope, threshold**2, min_silence_s, lengths_s):
        passages = [Span(passages[0].start_sample, passages[-1].end_sample)]
    return tuple(_long_enough(passages, rate, min_passage_ticks, min(MIN_BESIDE_TICKS, FINE_CUTS * min_silence_ticks)))


def _between(silences: Sequence[Span], total: int) -> list[Span]:
    """Return the stretches between silences."""
    starts = [0, *(silence.end_sample for silence in silences)]
    ends = [*(silence.start_sample for silence in silences), total]
    return [Span(start, end) for start, end in zip(starts, ends, strict=True) if start < end]


def _long_enough(passages: Sequence[Span], rate: int, min_ticks: int, min_beside_ticks: int) -> Iterator[Span]:
    """Yield the stretches that are passages: if one has the length that it needs beside others, all must have it."""
    lengths = [ticks.from_samples(passage.length_samples, rate) for passage in passages]
    if max(lengths, default=0) >= min_beside_ticks:
        min_ticks = max(min_ticks, min_beside_ticks)
    yield from (passage for passage, length in zip(passages, lengths, strict=True) if length >= min_ticks)


def over_segmentation_warning(envelope: Envelope, passages: Sequence[Span]) -> str | None:
    """Return a warning about a file under 15 minutes with more than 8 passages, else None.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.
    passages : sequence of Span
        See `find_passages`.
    """
    length_s = envelope.total_samples / envelope.sample_rate_hz
    if length_s >= SHORT_FILE_S or len(passages) <= MAX_SHORT_FILE_PASSAGES:
        return None
    return (
        f"{len(passages)} passages in {length_s / 60:.1f} minutes look like one piece that was cut at its rests; "
        "raise silence_threshold_dB or silence_min_duration_ticks in the library's settings, then import it with "
        "--force."
    )


def _loud_samples(envelope: Envelope, threshold: float) -> int:
    """Return the total length of the 100 ms windows, counted from the start of the file, that are not silent."""
    rms = window_rms(envelope, 0, envelope.total_samples)
    width = HOPS_PER_WINDOW * envelope.hop_samples
    lengths = np.minimum(width, envelope.total_samples - np.arange(rms.size) * width)
    return int(lengths[rms >= threshold].sum())


def _find_silences(envelope: Envelope, in_silence: NDArray[np.bool_], min_silence_ticks: int) -> Iterator[Span]:
    hop = envelope.hop_samples
    rate = envelope.sample_rate_hz
    total = envelope.total_samples
    for first, end in runs(in_silence):
        span = Span(first * hop, min(end * hop, total))
        doubt = (hop - 1) * ((span.start_sample > 0) + (span.end_sample < total))
        if ticks.from_samples(span.length_samples + doubt, rate) >= min_silence_ticks:
            yield span


def _window_hops(envelope: Envelope, min_silence_ticks: int) -> int:
    """Return a window of at most 100 ms that lies within every silence of the shortest length, whatever its phase."""
    hops_in_silence = min_silence_ticks // ticks.from_samples(envelope.hop_samples, envelope.sample_rate_hz)
    return max(1, min(HOPS_PER_WINDOW, hops_in_silence - 1, envelope.mean_square.size))


def _silent_hops(envelope: Envelope, threshold_power: float, window_hops: int) -> NDArray[np.bool_]:
    """Tell for each hop whether it lies in a silence; a window starts at every hop.

    The window finds a silence in spite of a faint click inside it, and the hops tell where it ends: the first and last
    hop of a run are silent, and their outer neighbours are not.
    """
    silent_hop = envelope.mean_square < threshold_power
    in_silence = np.zeros(silent_hop.size, np.bool_)
    windows = _silent_windows(envelope, threshold_power, window_hops)
    for first, end in runs(_covered_by(windows, window_hops)):
        inside = first + np.flatnonzero(silent_hop[first:end])
        if inside.size:
            start = _walk(silent_hop, int(inside[0]), -1)
            in_silence[start : _walk(silent_hop, int(inside[-1]), 1) + 1] = True
    return in_silence


def _silent_windows(envelope: Envelope, threshold_power: float, window_hops: int) -> NDArray[np.bool_]:
    """Tell for each window of `window_hops` hops whether it is silent; a window starts at every hop."""
    cumulative = np.concatenate([[0.0], np.cumsum(hop_energy(envelope))])
    edges = np.minimum(np.arange(cumulative.size) * envelope.hop_samples, envelope.total_samples)
    energy = cumulative[window_hops:] - cumulative[:-window_hops]
    silent: NDArray[np.bool_] = energy < threshold_power * (edges[window_hops:] - edges[:-window_hops])
    return silent


def _covered_by(windows: NDArray[np.bool_], window_hops: int) -> NDArray[np.bool_]:
    """Tell for each hop whether it lies in a set window; the result is `window_hops - 1` longer."""
    steps = np.zeros(windows.size + window_hops, np.int64)
    steps[: windows.size] += windows
    steps[window_hops:] -= windows
    return np.cumsum(steps)[:-1] > 0


def _walk(flags: NDArray[np.bool_], index: int, step: int) -> int:
    """Return the last index in one direction up to which all flags are set."""
    while 0 <= index + step < flags.size and flags[index + step]:
        index += step
    return index
