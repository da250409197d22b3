"""Made-up inputs of the tagger, the same wherever they are made. Needs nothing but numpy."""

import numpy as np
from numpy.typing import NDArray

FRAMES = 187
BANDS = 96
COUNT = 3


def made_up_patches() -> NDArray[np.float32]:
    """Return log-mel patches of falling spectra with beats, shape=(COUNT, FRAMES, BANDS)."""
    frames, bands = np.arange(FRAMES)[:, None], np.arange(BANDS)[None]
    made = []
    for number in range(COUNT):
        spectrum = 2.5 * np.exp(-bands / (20 + 20 * number))
        beats = 1 + np.sin(frames * (0.2 + 0.1 * number) + bands * 0.3)
        grain = np.sin(frames * 1.7 + bands * bands * 0.9 + number)
        made.append(np.clip(spectrum * beats + 0.3 * grain, 0, 4))
    return np.stack(made).astype(np.float32)
