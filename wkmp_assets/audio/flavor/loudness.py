"""The integrated loudness of an excerpt, after ITU-R BS.1770-5, from the frames of its spectrogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_FRAMES = 8
"""unit=frames: 418 ms, if a Hann frame counts by half its length; the recommendation has 400 ms."""
BLOCK_HOP = 2
"""unit=frames: 93 ms; the recommendation has 100 ms."""
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0


def integrated_lufs(loudness_power: NDArray[np.float64], *, channels: int) -> float:
    """Return the gated loudness.

    It differs from the recommendation, because the input is a mono mix of an excerpt below 5.5 kHz. Two equal channels
    get the full value; two independent channels get up to 3 LU less.

    Parameters
    ----------
    loudness_power : shape=(frames,), range >= 0, full scale = 1
        K-weighted mean square per frame.
    channels : int, > 0
        Of the file; sound from two or more channels counts twice.

    Returns
    -------
    float, unit=LUFS
        -70, the absolute gate, for silence.
    """
    count = min(BLOCK_FRAMES, loudness_power.size)
    blocks = np.lib.stride_tricks.sliding_window_view(loudness_power, count)[::BLOCK_HOP].mean(axis=1)
    blocks = blocks * min(channels, 2)
    loud = blocks[_lufs(blocks) > ABSOLUTE_GATE_LUFS]
    if loud.size == 0:
        return ABSOLUTE_GATE_LUFS
    gate = float(_lufs(loud.mean())) + RELATIVE_GATE_LU
    return float(_lufs(loud[_lufs(loud) > gate].mean()))


def _lufs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-12)))
