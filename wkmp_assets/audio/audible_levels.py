"""The level of what can be heard in each hop: without offset and infrasound, of the loudest channel.

An offset or a slow swing below 16 Hz cannot be heard, and would fill every silence. It is found in the means of the
hops, because a filter over the samples would cost a fifth of the decode.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

CORNER_HZ = 16.0
"""Of the amplitude of a swing below 5 Hz 0.4 % stays, of 16 Hz a half. Above 30 Hz a tone keeps its level to 1 dB."""
HOPS_PER_SECOND = 100
HALF_WIDTH = 7
"""unit=hops: the filter for the swing reaches so far to both sides."""
STEADY_HOPS = 10
"""unit=hops: beside an edge between sound and silence, the offset is the mean of this stretch on its own side."""
MARGIN_HOPS = STEADY_HOPS
"""unit=hops: how far the levels of a hop depend on others; at least `HALF_WIDTH + 1` and `STEADY_HOPS - 1`."""
HOPS_PER_BLOCK = 4096
"""unit=hops: levels are computed for 41 s at once."""
MAX_CENTRED_OFFSET = 0.02
"""unit=full scale: above it a float32 cannot hold both the offset and a faint sound."""

MAX_PAUSE_POWER = 1e-7
"""unit=full scale squared: a pause in the music shorter than `STEADY_HOPS` has no offset when it is so quiet."""

Moments = NDArray[np.float64]
"""shape=(3, channels, hops): the mean square, the mean, and the mean weighted by position.

The position is 0 in the middle of a hop and grows by 1 from hop to hop.
"""


def measure_hops(samples: NDArray[np.float32], hop_samples: int) -> Moments:
    """Measure whole hops.

    Parameters
    ----------
    samples : shape=(channels, hops * hop_samples), full scale = 1
    hop_samples : int, >= 1
        Samples in a hop.

    Returns
    -------
    array, shape=(3, channels, hops)
        See `Moments`.
    """
    by_hop = samples.reshape(samples.shape[0], -1, hop_samples)
    sums = by_hop @ _weights(hop_samples)
    moments = np.empty((3, *by_hop.shape[:2]))
    moments[0] = np.vecdot(by_hop, by_hop)
    moments[0] /= hop_samples
    moments[1] = sums[:, :, 0]
    moments[2] = sums[:, :, 1]
    offset = moments[1].sum(axis=1, keepdims=True) / by_hop.shape[1]
    if max(map(abs, offset[:, 0].tolist())) > MAX_CENTRED_OFFSET:
        moments = measure_hops(samples - offset.astype(np.float32), hop_samples)
        offset = offset.astype(np.float32).astype(np.float64)
        moments[0] += 2 * offset * moments[1] + offset**2
        moments[1] += offset
    return moments


@cache
def _weights(hop_samples: int) -> NDArray[np.float32]:
    """Return what sums the samples of a hop to their mean, and to the mean weighted by their position."""
    position = (np.arange(hop_samples) - (hop_samples - 1) / 2) / hop_samples
    return (np.stack([np.ones(hop_samples), position], axis=1) / hop_samples).astype(np.float32)


class AudibleLevels:
    """Turns the moments of a stream's hops into levels, in bounded memory but for the 4 bytes of each level."""

    def __init__(self) -> None:
        self._pending: list[Moments] = []
        self._pending_hops = 0
        self._before: Moments | None = None
        self._levels: list[NDArray[np.float32]] = []

    def add(self, moments: Moments) -> None:
        """Add the next hops."""
        self._pending.append(moments)
        self._pending_hops += moments.shape[2]
        if self._pending_hops >= HOPS_PER_BLOCK + MARGIN_HOPS:
            self._settle(is_last=False)

    def finish(self) -> NDArray[np.float32]:
        """Return the level of every hop: the power of the loudest channel, range >= 0."""
        if self._pending_hops:
            self._settle(is_last=True)
        return np.concatenate(self._levels) if self._levels else np.zeros(0, np.float32)

    def _settle(self, *, is_last: bool) -> None:
        """Compute the levels of all pending hops but those whose neighbours are still to come."""
        block = np.concatenate(self._pending, axis=2)
        before = self._before if self._before is not None else np.repeat(block[:, :, :1], MARGIN_HOPS, axis=2)
        after = np.repeat(block[:, :, -1:], MARGIN_HOPS, axis=2) if is_last else block[:, :, :0]
        padded = np.concatenate([before, block, after], axis=2)
        self._levels.append(_audible_power(padded).max(axis=0).astype(np.float32))
        self._before = padded[:, :, -2 * MARGIN_HOPS : -MARGIN_HOPS]
        self._pending = [padded[:, :, -MARGIN_HOPS:]]
        self._pending_hops = 0 if is_last else MARGIN_HOPS


def _audible_power(moments: Moments) -> NDArray[np.float64]:
    """Return the power without offset and swing of all hops but `MARGIN_HOPS` at either end, shape=(channels, hops).

    The filter sees both sides of a hop, so at the edge of a silence it takes some of the music for a swing. The means
    of one side only do not. The guess that leaves least is right, because a wrong one adds power.
    """
    power, mean, tilted = moments[:, :, MARGIN_HOPS:-MARGIN_HOPS]
    reach = MARGIN_HOPS - HALF_WIDTH - 1
    wide = moments[1][:, reach:-reach]
    swing = np.stack([np.convolve(channel, _low_pass(), mode="valid") for channel in wide])
    slope = (swing[:, 2:] - swing[:, :-2]) / 2
    following, preceding = _steady_means(moments[1])
    left = (mean - swing[:, 1:-1]) ** 2 - slope * (2 * tilted - slope / 12)
    for guess in (following, preceding):
        np.minimum(left, (mean - guess) ** 2, out=left)
    np.minimum(left, mean**2, out=left, where=power <= MAX_PAUSE_POWER)
    left += power
    left -= mean**2
    audible: NDArray[np.float64] = np.maximum(left, 0.0, out=left)
    return audible


@cache
def _low_pass() -> NDArray[np.float64]:
    """Return a windowed sinc; it is symmetric, so that the swing is not late."""
    hops = np.arange(-HALF_WIDTH, HALF_WIDTH + 1)
    weights = np.sinc(2 * CORNER_HZ / HOPS_PER_SECOND * hops) * np.hanning(2 * HALF_WIDTH + 3)[1:-1]
    low_pass: NDArray[np.float64] = weights / weights.sum()
    return low_pass


def _steady_means(mean: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means of the `STEADY_HOPS` hops from each hop on, and up to each hop."""
    cumulative = np.concatenate([np.zeros((mean.shape[0], 1)), np.cumsum(mean, axis=1)], axis=1)
    steady = (cumulative[:, STEADY_HOPS:] - cumulative[:, :-STEADY_HOPS]) / STEADY_HOPS
    hops = mean.shape[1] - 2 * MARGIN_HOPS
    return steady[:, MARGIN_HOPS : MARGIN_HOPS + hops], steady[:, MARGIN_HOPS - STEADY_HOPS + 1 :][:, :hops]
