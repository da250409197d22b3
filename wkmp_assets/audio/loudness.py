"""The loudness of passages after ITU-R BS.1770-5, from sums that one pass over the whole file leaves.

Passages are known only after the decode. So the pass keeps the weighted power of each 100 ms, and the gates are applied
to a passage afterwards, also to one that is joined later.

See Also
--------
wkmp_assets.audio.k_weighted_power : the power of each slot.
wkmp_assets.audio.k_weighting : the weights of channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.k_weighted_power import KWeightedPower
from wkmp_assets.model.values import LoudnessCurve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wkmp_assets.model.values import Span

BLOCK_SLOTS = 4
"""unit=slots: 400 ms, one gating block; the next one begins a slot later."""
SHORT_TERM_SLOTS = 30
"""unit=slots: 3 s, the window of the loudness range."""
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
RANGE_GATE_LU = -20.0
RANGE_SHARES = (0.10, 0.95)
"""EBU Tech 3342: the range lies between these shares of the short-term levels."""
REPLAYGAIN_LUFS = -18.0
"""The level that ReplayGain 2.0 brings all music to."""
_OFFSET_LU = -0.691


@dataclass(frozen=True)
class Loudness:
    """The loudness of one passage."""

    integrated_lufs: float
    """-70, the absolute gate, for silence."""
    range_lu: float | None
    """>= 0; None for a passage shorter than 3 s."""

    @property
    def replaygain_db(self) -> float:
        """The gain that brings the passage to `REPLAYGAIN_LUFS`."""
        return REPLAYGAIN_LUFS - self.integrated_lufs


class LoudnessBuilder:
    """Builds a `LoudnessCurve` from a stream of samples; memory grows by 8 bytes per slot.

    Parameters
    ----------
    sample_rate_hz : int, >= 1000
        Of the stream.
    weights : shape=(channels,)
        See `channel_weights`.
    """

    def __init__(self, sample_rate_hz: int, weights: NDArray[np.float64]) -> None:
        self._heard = np.flatnonzero(weights)
        self._weights = weights[self._heard]
        self._hears_all = self._heard.size == weights.size
        self._meter = KWeightedPower(sample_rate_hz, self._heard.size)
        self._open = np.zeros((self._heard.size, 0), np.float32)
        self._power: list[NDArray[np.float64]] = []

    def add(self, samples: NDArray[np.float32]) -> None:
        """Add the next stretch of the stream.

        Parameters
        ----------
        samples : shape=(channels, n), full scale = 1
            Any n; pieces of a second cost the least. All of them are numbers.
        """
        heard = samples if self._hears_all else samples[self._heard]
        waiting = np.concatenate([self._open, heard], axis=1) if self._open.size else heard
        slots = waiting.shape[1] // self._meter.slot_samples
        end = slots * self._meter.slot_samples
        self._open = waiting[:, end:].copy()
        if slots and self._heard.size:
            self._power.append(self._weights @ self._meter.measure(waiting[:, :end]))

    def finish(self) -> LoudnessCurve:
        """Return the curve; what fills no slot at the end is left out, as the recommendation has it."""
        power = np.concatenate([np.zeros(0), *self._power])
        return LoudnessCurve(self._meter.slot_samples, power.astype(np.float32))


def measure_loudness(curve: LoudnessCurve, span: Span) -> Loudness | None:
    """Measure the loudness of a passage.

    Parameters
    ----------
    curve : LoudnessCurve
        Of the whole file.
    span : Span
        The passage. Of the slots that it covers in part, the first counts if its greater part lies inside, the last
        does not; so a passage that begins with the file is measured exactly.

    Returns
    -------
    Loudness or None
        None for a passage without a whole block of 400 ms.
    """
    first, last = round(span.start_sample / curve.slot_samples), span.end_sample // curve.slot_samples
    power = curve.power[first:last].astype(np.float64)
    if power.size < BLOCK_SLOTS:
        return None
    return Loudness(_integrated(_moving_mean(power, BLOCK_SLOTS)), _range(power))


def lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the loudness of a weighted power."""
    return np.asarray(_OFFSET_LU + 10 * np.log10(np.maximum(power, 1e-12)))


def gated_mean(power: NDArray[np.float64], gate_lu: float) -> float:
    """Return the loudness of blocks above a gate that is relative to that of all audible ones; -70 for silence."""
    loud = _above(power, gate_lu)
    return float(lufs(loud.mean())) if loud.size else ABSOLUTE_GATE_LUFS


def _above(power: NDArray[np.float64], gate_lu: float) -> NDArray[np.float64]:
    audible = power[lufs(power) > ABSOLUTE_GATE_LUFS]
    return audible[lufs(audible) > float(lufs(audible.mean())) + gate_lu] if audible.size else audible


def _integrated(blocks: NDArray[np.float64]) -> float:
    return gated_mean(blocks, RELATIVE_GATE_LU)


def _range(power: NDArray[np.float64]) -> float | None:
    if power.size < SHORT_TERM_SLOTS:
        return None
    levels = np.sort(lufs(_above(_moving_mean(power, SHORT_TERM_SLOTS), RANGE_GATE_LU)))
    if not levels.size:
        return 0.0
    low, high = (levels[round((levels.size - 1) * share)] for share in RANGE_SHARES)
    return float(high - low)


def _moving_mean(power: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.asarray(np.lib.stride_tricks.sliding_window_view(power, count).mean(axis=1))
