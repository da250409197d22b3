"""An estimate of an excerpt's loudness, from the frames of its spectrogram, for the characteristic `user.energy`.

See Also
--------
wkmp_assets.audio.loudness : the loudness of the whole passage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.loudness import RELATIVE_GATE_LU, gated_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_FRAMES = 8
"""unit=frames: 418 ms, if a Hann frame counts by half its length."""
BLOCK_HOP = 2
"""unit=frames: 93 ms."""


def estimate_level(loudness_power: NDArray[np.float64], *, channels: int) -> float:
    """Return the gated level of an excerpt.

    It comes from a mono mix below 5.5 kHz, so that files whose samples are gone need no decode. Two equal channels get
    their full loudness; two independent channels get up to 3 dB less.

    Parameters
    ----------
    loudness_power : shape=(frames,), range >= 0, full scale = 1
        K-weighted mean square per frame.
    channels : int, > 0
        Of the file; sound from two or more channels counts twice.

    Returns
    -------
    float, unit=dB, comparable to LUFS
        -70, the absolute gate, for silence.
    """
    count = min(BLOCK_FRAMES, loudness_power.size)
    blocks = np.lib.stride_tricks.sliding_window_view(loudness_power, count)[::BLOCK_HOP].mean(axis=1)
    return gated_mean(blocks * min(channels, 2), RELATIVE_GATE_LU)
