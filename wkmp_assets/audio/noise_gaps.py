"""Gaps between tracks that are full of noise, as on a record or a tape, and the pauses of somebody who speaks.

A gap between two tracks is the quietest that a recording ever gets, even, and louder on both sides. A rest in the music
is seldom all of that. A speaker makes many pauses, and most of them are shorter than a gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.envelope import HOPS_PER_WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from wkmp_assets.model.values import Envelope

WINDOWS_PER_SECOND = 10
NOISE_MARGIN_DB = 4.0
"""unit=dB: a gap is at most this much louder than the quietest second of the file."""
MIN_CONTRAST_DB = 6.0
"""unit=dB: the music on either side of a gap is at least this much louder than its noise."""
SIDE_S = 30
"""unit=s: how much of the sound on either side is compared with a gap."""
SIDE_QUANTILE = 0.75
"""The level of a side: a quarter of its windows are louder. A fade beside the gap does not lower it."""
MAX_SPREAD_DB = 3.0
"""unit=dB: four fifths of a gap's windows lie so close together. Noise is even, and music hardly ever."""
MAX_CLICK_WINDOWS = 2
"""unit=windows: a louder stretch of this length within a gap is a click."""
MAX_CLICK_SHARE = 0.15
"""The largest share of a gap's hops that clicks may fill."""
MAX_CLICK_HOPS = 3
"""unit=hops: a beat lasts longer than a click."""
MAX_BEAT_SHARE = 0.02
"""The largest share of a gap's hops that longer sounds may fill."""
LOUD_HOP = 4.0
"""A hop of so many times the limit belongs to a click."""
MIN_PAUSE_S = 0.2
"""unit=s: the shortest pause of a speaker that counts."""
MIN_PAUSES_PER_MINUTE = 6.0
"""More pauses than this, each shorter than a gap, are those of a speaker."""
MIN_PAUSES = 12
"""Fewer pauses tell nothing."""
PAUSE_DEPTH_DB = 20.0
"""unit=dB: between words, a voice sinks by so much below its loud parts."""
MIN_SHORT_PIECES = 5
SHORT_PIECE_S = 60.0
"""unit=s: half of the tracks of an album last longer."""
TINY_POWER = 1e-12


def find_noise_gaps(envelope: Envelope, silent_power: float, min_gap_s: float) -> list[tuple[int, int]]:
    """Find gaps that are full of noise.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.
    silent_power : float, > 0, full scale squared
        Windows below it are silent without any noise.
    min_gap_s : float, unit=s
        Shorter gaps belong to the music.

    Returns
    -------
    list of (int, int)
        Half-open ranges of hops; they may overlap. Empty when the pauses are those of a speaker.
    """
    levels = window_levels(envelope)
    floor = _noise_floor(levels, silent_power)
    # Clicks hide the gaps of a quiet record as well.
    limits = [silent_power, *([floor * 10 ** (NOISE_MARGIN_DB / 10)] if floor else [])]
    return [gap for limit in limits for gap in _gaps_below(envelope, levels, limit, min_gap_s)]


def _gaps_below(
    envelope: Envelope, levels: NDArray[np.float64], limit: float, min_gap_s: float
) -> Iterator[tuple[int, int]]:
    quiet = _without_clicks(levels <= limit)
    if _is_speech(quiet, min_gap_s):
        return
    needed = max(1, round(min_gap_s * WINDOWS_PER_SECOND) - 1)
    for first, end in runs(quiet):
        even = _most_even_part(levels[first:end], needed) if end - first >= needed else None
        if even is None or not _has_music_beside(levels, first, end):
            continue
        hops = envelope.mean_square[(first + even[0]) * HOPS_PER_WINDOW : (first + even[1]) * HOPS_PER_WINDOW]
        if _has_only_clicks(hops > limit * LOUD_HOP):
            yield _to_hops(envelope, first, end, limit)


def window_levels(envelope: Envelope) -> NDArray[np.float64]:
    """Return the middle power of the ten hops of each whole window of 100 ms, so that a click does not count."""
    windows = envelope.mean_square.size // HOPS_PER_WINDOW
    by_window = envelope.mean_square[: windows * HOPS_PER_WINDOW].reshape(windows, HOPS_PER_WINDOW)
    levels: NDArray[np.float64] = np.median(by_window, axis=1).astype(np.float64)
    return levels


def is_speech(envelope: Envelope, silent_power: float, min_gap_s: float, pieces_s: Sequence[float]) -> bool:
    """Tell whether a file is spoken word.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.
    silent_power : float, full scale squared
        Windows below it are silent.
    min_gap_s : float, unit=s
        The shortest silence that separates passages.
    pieces_s : sequence of float, unit=s
        Lengths of the stretches between those silences.

    Returns
    -------
    bool
        Whether it pauses as a speaker does: often, and mostly for less than the shortest gap. Where the stretches are
        shorter than tracks, pauses that are merely quiet count as well.
    """
    levels = window_levels(envelope)
    if _is_speech(levels < silent_power, min_gap_s):
        return True
    if len(pieces_s) < MIN_SHORT_PIECES or float(np.median(pieces_s)) >= SHORT_PIECE_S:
        return False
    return _is_speech(levels < np.quantile(levels, 0.9) * 10 ** (-PAUSE_DEPTH_DB / 10), min_gap_s)


def runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield the half-open index ranges in which the flags are set, ascending."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    yield from ((int(first), int(end)) for first, end in edges.reshape(-1, 2))


def _is_speech(quiet: NDArray[np.bool_], min_gap_s: float) -> bool:
    shortest, longest = MIN_PAUSE_S * WINDOWS_PER_SECOND, min_gap_s * WINDOWS_PER_SECOND
    pauses = sum(shortest <= end - first < longest for first, end in runs(quiet))
    minutes = quiet.size / WINDOWS_PER_SECOND / 60
    return pauses >= MIN_PAUSES and pauses > MIN_PAUSES_PER_MINUTE * minutes


def _noise_floor(levels: NDArray[np.float64], silent_power: float) -> float | None:
    """Return the power of the quietest second that is not silent; None for a file without one."""
    seconds = levels.size // WINDOWS_PER_SECOND
    by_second = np.median(levels[: seconds * WINDOWS_PER_SECOND].reshape(seconds, WINDOWS_PER_SECOND), axis=1)
    heard = by_second[by_second >= silent_power]
    return float(heard.min()) if heard.size else None


def _without_clicks(quiet: NDArray[np.bool_]) -> NDArray[np.bool_]:
    filled = quiet.copy()
    for first, end in runs(~quiet):
        if end - first <= MAX_CLICK_WINDOWS and first > 0 and end < quiet.size:
            filled[first:end] = True
    return filled


def _most_even_part(levels: NDArray[np.float64], needed: int) -> tuple[int, int] | None:
    """Return the most even half of a quiet stretch, at least `needed` windows; None when it is not even.

    A fade beside the gap is not.
    """
    width = min(levels.size, max(needed, levels.size // 2))
    low, high = np.quantile(np.lib.stride_tricks.sliding_window_view(levels, width), (0.1, 0.9), axis=1)
    spread = high / np.maximum(low, TINY_POWER)
    first = int(spread.argmin())
    return (first, first + width) if spread[first] <= 10 ** (MAX_SPREAD_DB / 10) else None


def _has_only_clicks(is_loud: NDArray[np.bool_]) -> bool:
    beats = sum(end - first for first, end in runs(is_loud) if end - first > MAX_CLICK_HOPS)
    clicks = int(np.count_nonzero(is_loud))
    return clicks <= MAX_CLICK_SHARE * is_loud.size and beats <= MAX_BEAT_SHARE * is_loud.size


def _has_music_beside(levels: NDArray[np.float64], first: int, end: int) -> bool:
    width = SIDE_S * WINDOWS_PER_SECOND
    needed = float(np.median(levels[first:end])) * 10 ** (MIN_CONTRAST_DB / 10)
    sides = levels[max(0, first - width) : first], levels[end : end + width]
    return all(side.size and float(np.quantile(side, SIDE_QUANTILE)) >= needed for side in sides)


def _to_hops(envelope: Envelope, first: int, end: int, limit: float) -> tuple[int, int]:
    """Extend a gap by the quiet hops of the windows in which it begins and ends."""
    start, stop = first * HOPS_PER_WINDOW, end * HOPS_PER_WINDOW
    power = envelope.mean_square
    while start > 0 and power[start - 1] <= limit:
        start -= 1
    while stop < power.size and power[stop] <= limit:
        stop += 1
    return start, stop
