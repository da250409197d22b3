"""The silence threshold of a file whose music is hardly louder than what counts as silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADROOM_DB = 6.0
"""unit=dB: music that rises further than this above the threshold is not quiet."""
MIN_HEARD_DB = -80.0
"""unit=dBFS: below lie dither, and the last steps of 16-bit PCM."""
MIN_SWING_DB = 1.5
"""unit=dB: how much the level of music varies. Hiss, hum and dither are steadier."""
BELOW_MUSIC_DB = 30.0
"""unit=dB: a window that far below quiet music is silent."""
MIN_THRESHOLD_DB = -90.0
"""unit=dBFS: one step of 16-bit PCM."""


def lower_for_quiet_music(rms: NDArray[np.float64], threshold: float) -> float:
    """Return the threshold below which a window of a file is silent.

    Parameters
    ----------
    rms : array, shape=(windows,), full scale = 1
        Levels of the file.
    threshold : float, full scale = 1
        What counts as silence in other files.

    Returns
    -------
    float, full scale = 1
        `threshold`, or less for quiet music: its loud windows reach -80 dBFS but not 6 dB above the threshold, and its
        level varies.
    """
    heard = rms[rms >= _amplitude(MIN_HEARD_DB)]
    if not heard.size:
        return threshold
    faint, loud = np.quantile(heard, (0.05, 0.95))
    if loud >= threshold * _amplitude(HEADROOM_DB) or loud < faint * _amplitude(MIN_SWING_DB):
        return threshold
    return min(threshold, max(float(loud) * _amplitude(-BELOW_MUSIC_DB), _amplitude(MIN_THRESHOLD_DB)))


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))
