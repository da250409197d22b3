"""The K-weighting of ITU-R BS.1770-5: its filters, and the weights of channels.

See Also
--------
wkmp_assets.audio.k_weighted_power : applies it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STATE = 4
"""Numbers that both biquads keep from one sample to the next: the shelf's pair, then the high-pass'."""
_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_SHELF_SLOPE = 0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773
"""The filters whose coefficients the recommendation prints for 48 kHz, as analogue ones; from libebur128 (MIT)."""
_SURROUND = 1.41
"""Annex 1, table 3: 1.5 dB more for loudspeakers at 60 to 120 degrees."""
_LFE = frozenset({"LFE", "LFE2"})
_SIDES = frozenset({"SL", "SR", "SDL", "SDR"})
_BACKS = frozenset({"BL", "BR"})


def biquads(sample_rate_hz: int) -> NDArray[np.float64]:
    """Return both filters of the K-weighting.

    Parameters
    ----------
    sample_rate_hz : int, >= 1000
        At 48 kHz the coefficients are those of annex 1, tables 1 and 2.

    Returns
    -------
    array, shape=(2, 6)
        b0, b1, b2, a0, a1, a2 of the shelf and the high-pass. The shelf passes everything where it lies beyond half
        the rate.
    """
    shelf = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    if sample_rate_hz / 2 > _SHELF_HZ:
        k, high = math.tan(math.pi * _SHELF_HZ / sample_rate_hz), 10 ** (_SHELF_DB / 20)
        band, norm = high**_SHELF_SLOPE, 1 + k / _SHELF_Q + k * k
        above = (high + band * k / _SHELF_Q + k * k, 2 * (k * k - high), high - band * k / _SHELF_Q + k * k)
        shelf = [one / norm for one in (*above, norm, 2 * (k * k - 1), 1 - k / _SHELF_Q + k * k)]
    k = math.tan(math.pi * _HIGH_PASS_HZ / sample_rate_hz)
    norm = 1 + k / _HIGH_PASS_Q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / _HIGH_PASS_Q + k * k) / norm]
    return np.array([shelf, high_pass])


def channel_weights(names: Sequence[str]) -> NDArray[np.float64]:
    """Return by how much the energy of each channel counts.

    Parameters
    ----------
    names : sequence of str
        FFmpeg's names of the channels, in order, such as `FL` or `LFE`; unknown ones count once.

    Returns
    -------
    array, shape=(channels,)
        1.41 for surround channels, 0 for low-frequency effects, else 1. Back channels are the surround of a layout
        without side channels.
    """
    surround = _SIDES if _SIDES.intersection(names) else _BACKS
    return np.array([0.0 if name in _LFE else _SURROUND if name in surround else 1.0 for name in names])


def state_space(
    sample_rate_hz: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Return both biquads in series: next = step @ state + source * x, and y = sink @ state + direct * x.

    The second one's input depends on the state of the first one. A change of basis takes that out, so that `step` has
    two blocks on its diagonal.
    """
    first, second = (
        (np.array([[-a1, 1.0], [-a2, 0.0]]), np.array([b1 - a1 * b0, b2 - a2 * b0]), b0)
        for b0, b1, b2, _, a1, a2 in biquads(sample_rate_hz)
    )
    read = np.array([1.0, 0.0])
    # second = other + mix @ first, where second[0] @ mix + outer(second[1], read) = mix @ first[0].
    equations = np.kron(second[0], np.eye(2)) - np.kron(np.eye(2), first[0].T)
    mix = np.linalg.solve(equations, -np.outer(second[1], read).ravel()).reshape(2, 2)
    step = np.zeros((STATE, STATE))
    step[:2, :2], step[2:, 2:] = first[0], second[0]
    source = np.concatenate([first[1], second[1] * first[2] - mix @ first[1]])
    sink = np.concatenate([second[2] * read + read @ mix, read])
    return step, source, sink, float(first[2] * second[2])
