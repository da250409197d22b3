"""The tags of a passage as binary characteristics: `user.tag_happy` and the like.

They are named apart from AcousticBrainz' classes, because their agreement with those is not known. The network is
sure of few tags and its probabilities are small for all music. So each logit is compared with what is usual: a tag has
probability 0.5 at the median of real music.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.flavor.reference_values import load_reference
from wkmp_assets.audio.flavor.tagger import TAGS, tag_logits
from wkmp_assets.audio.flavor.tagger_input import log_mel, samples_for
from wkmp_assets.model.flavor import TAG_PREFIX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wkmp_assets.model.flavor import Flavor

PATCHES = 12
"""Evenly spread over the passage. Fewer are cheaper, and halves of a track are less alike."""
PATCH_FRAMES = 187
"""unit=frames: 3 s, the length that the network was trained with."""
LEVEL_DBFS = -18.0
"""The level at which the network hears every passage: the median of the calibration half."""
STEP = (2, 4)
"""See `tag_logits`. On the calibration half twelve patches heard so told music apart as well as twelve heard at every
second band, for three quarters of the CPU."""


def measure_tags(pcm: NDArray[np.int16]) -> Flavor:
    """Return the tags of a passage.

    Parameters
    ----------
    pcm : shape=(n,), int16
        Mono, at `PCM_RATE_HZ`. Of a memory map only the patches are read.

    Returns
    -------
    dict of str to dict of str to float
        One binary characteristic per name in `TAG_NAMES`.
    """
    logits = mean_logits(pcm)
    chosen = load_reference().tags
    probabilities = {tag: scale.apply(float(logits[TAGS.index(tag)])) for tag, scale in chosen.items()}
    return {f"{TAG_PREFIX}{tag}": {tag: p, f"not_{tag}": 1 - p} for tag, p in probabilities.items()}


def mean_logits(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the mean logit of each tag over the patches of a passage, shape=(50,)."""
    return np.asarray(np.mean([tag_logits(patch, step=STEP) for patch in cut_patches(pcm)], axis=0))


def cut_patches(pcm: NDArray[np.int16]) -> list[NDArray[np.float32]]:
    """Return the inputs of the network, brought to `LEVEL_DBFS` together, so that tags do not depend on the level.

    A passage shorter than all patches has fewer, at least one.
    """
    length = samples_for(PATCH_FRAMES)
    count = max(1, min(PATCHES, pcm.size // length))
    centres = [pcm.size * (2 * number + 1) // (2 * count) for number in range(count)]
    starts = [max(0, min(pcm.size - length, centre - length // 2)) for centre in centres]
    pieces = [pcm[start : start + length].astype(np.float32) / np.float32(32768) for start in starts]
    power = float(np.mean([np.square(piece).mean() if piece.size else 0 for piece in pieces]))
    gain = np.float32(10 ** (LEVEL_DBFS / 20) / np.sqrt(power)) if power > 0 else np.float32(1)
    return [log_mel(piece * gain, PATCH_FRAMES) for piece in pieces]
