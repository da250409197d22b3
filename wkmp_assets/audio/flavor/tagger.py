"""The logits that MusiCNN gives to tags of music, computed with numpy.

Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging" (2019), trained on the
Million Song Dataset. `musicnn/README.md` says where the weights come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female_vocalists", "dance", "00s", "alternative_rock", "jazz",
    "beautiful", "metal", "chillout", "male_vocalists", "classic_rock", "soul", "indie_rock", "mellow", "electronica",
    "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard_rock", "ambient", "acoustic",
    "experimental", "female_vocalist", "guitar", "hip_hop", "70s", "party", "country", "easy_listening", "sexy",
    "catchy", "funk", "electro", "heavy_metal", "progressive_rock", "60s", "rnb", "indie_pop", "sad", "house", "happy",
)  # fmt: skip
"""What the network was trained to tell, in the order of its outputs."""
BANDS = 96
TIMBRE_FRAMES = 7
"""Length of the filters over time and frequency, and of those of the middle layers."""
RHYTHM_FRAMES = (128, 64, 32)
"""Lengths of the filters over time alone."""
BLOCK = 16
"""unit=frames, unfolded at a time: few enough that they stay in the cache of a core."""
BLOCK_BANDS = 8
"""unit=bands, unfolded at a time, for the same reason."""


@dataclass(frozen=True)
class Layer:
    """A convolution or dense layer, and the normalisation after its rectifier."""

    weights: NDArray[np.float32]
    """shape=(inputs, outputs); of a convolution, inputs = frames x bands."""
    bias: NDArray[np.float32]
    """shape=(outputs,)"""
    scale: NDArray[np.float32]
    shift: NDArray[np.float32]
    """shape=(outputs,): after the rectifier, each output becomes scale * output + shift."""

    def finish(self, sums: NDArray[np.float32]) -> NDArray[np.float32]:
        """Add the bias, rectify and normalise."""
        finished: NDArray[np.float32] = np.maximum(sums + self.bias, np.float32(0))
        finished *= self.scale
        finished += self.shift
        return finished


@cache
def load_network() -> dict[str, NDArray[np.float32]]:
    """Return the weights by name. They take 3 MB, and are read once per process."""
    with as_file(files("wkmp_assets.audio.flavor") / "musicnn" / "weights.npz") as path, np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def tag_logits(patch: NDArray[np.float32], *, step: tuple[int, int] = (1, 1)) -> NDArray[np.float64]:
    """Return the logit of each tag's probability.

    Parameters
    ----------
    patch : shape=(frames, 96), float32, >= 0
        See `tagger_input.log_mel`. The network was trained with 187 frames, 3 s.
    step : (int, int), each > 0
        1, 1: what the released network says. Otherwise the first filters are applied at every so many frames and bands
        only. Neighbours are so alike that the largest output, which alone counts, changes little: 2, 4 costs a fifth.

    Returns
    -------
    shape=(50,)
        In the order of `TAGS`.
    """
    network = load_network()
    scale, shift = network["input"]
    x = patch * scale + shift
    outputs = [_timbre(x, "timbre_38", step), _timbre(x, "timbre_67", step), *_rhythms(x, step)]
    heard = np.concatenate(outputs, axis=1)
    front = np.repeat(heard, step[0], axis=0)[: len(x)]
    first = _middle(heard, "middle_1", repeats=step[0], count=len(x))
    second = _middle(first, "middle_2") + first
    third = _middle(second, "middle_3") + second
    every = np.concatenate([front, first, second, third], axis=1)
    pooled = np.stack([every.max(axis=0), every.mean(axis=0)], axis=1).reshape(-1)
    pooled_scale, pooled_shift = network["pooled"]
    hidden = _layer("dense").finish((pooled * pooled_scale + pooled_shift) @ network["dense.weights"])
    return np.asarray(hidden @ network["output.weights"] + network["output.bias"], np.float64)


def _layer(name: str) -> Layer:
    network = load_network()
    return Layer(*(network[f"{name}.{part}"] for part in ("weights", "bias", "scale", "shift")))


@cache
def _rising(name: str) -> NDArray[np.float32]:
    """Return a layer's weights, turned round where its scale is negative: the largest output has the largest sum."""
    layer = _layer(name)
    return layer.weights * np.where(layer.scale > 0, np.float32(1), np.float32(-1))


def _pooled(layer: Layer, highest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Finish the largest of several outputs, from the largest sum by `_rising` weights."""
    return layer.finish(np.where(layer.scale > 0, highest, -highest))


@cache
def _taps(name: str) -> NDArray[np.float32]:
    """Return the weights of a middle layer, shape=(inputs, frames x outputs): what each frame gives its neighbours."""
    weights = _layer(name).weights
    inputs = len(weights) // TIMBRE_FRAMES
    return np.ascontiguousarray(weights.reshape(TIMBRE_FRAMES, inputs, -1).transpose(1, 0, 2).reshape(inputs, -1))


def _timbre(x: NDArray[np.float32], name: str, step: tuple[int, int]) -> NDArray[np.float32]:
    """Return the largest output over all bands, shape=(frames, outputs)."""
    layer = _layer(name)
    bands = len(layer.weights) // TIMBRE_FRAMES
    padded = np.pad(x, ((TIMBRE_FRAMES // 2, TIMBRE_FRAMES // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (TIMBRE_FRAMES, bands))[:: step[0], :: step[1]]
    found = np.empty((len(windows), layer.bias.size), np.float32)
    for start in range(0, len(windows), BLOCK):
        block = windows[start : start + BLOCK]
        sums = (block.reshape(-1, len(layer.weights)) @ _rising(name)).reshape(len(block), -1, layer.bias.size)
        found[start : start + BLOCK] = _pooled(layer, sums.max(axis=1))
    return found


def _rhythms(x: NDArray[np.float32], step: tuple[int, int]) -> list[NDArray[np.float32]]:
    """Return the largest output over all bands for each length of filters, each of shape=(frames, outputs)."""
    names = [f"rhythm_{length}" for length in RHYTHM_FRAMES]
    layers = [_layer(name) for name in names]
    longest = RHYTHM_FRAMES[0]
    padded = np.pad(x, (((longest - 1) // 2, longest // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(np.ascontiguousarray(padded.T[:: step[1]]), longest, axis=1)
    windows = windows[:, :: step[0]]
    highest = [np.full((windows.shape[1], layer.bias.size), -np.inf, np.float32) for layer in layers]
    for start in range(0, len(windows), BLOCK_BANDS):
        block = windows[start : start + BLOCK_BANDS].reshape(-1, longest)
        for best, length, name in zip(highest, RHYTHM_FRAMES, names, strict=True):
            before = (longest - length) // 2
            sums = (block[:, before : before + length] @ _rising(name)).reshape(-1, *best.shape)
            for band in sums:
                np.maximum(best, band, out=best)
    return [_pooled(layer, best) for layer, best in zip(layers, highest, strict=True)]


def _middle(x: NDArray[np.float32], name: str, *, repeats: int = 1, count: int | None = None) -> NDArray[np.float32]:
    """Return the outputs of a middle layer for x with each frame repeated, cut to `count` frames.

    A frame that is repeated is multiplied once, however many neighbours hear it.
    """
    frames = len(x) if count is None else count
    layer, reach = _layer(name), TIMBRE_FRAMES // 2
    if repeats == 1:
        padded = np.pad(x, ((reach, reach), (0, 0))).reshape(-1)
        windows = np.lib.stride_tricks.sliding_window_view(padded, TIMBRE_FRAMES * x.shape[1])[:: x.shape[1]]
        return layer.finish(windows @ layer.weights)
    given = (x @ _taps(name)).reshape(len(x), TIMBRE_FRAMES, -1)
    sums = np.zeros((frames, given.shape[2]), np.float32)
    for tap in range(TIMBRE_FRAMES):
        ahead = tap - reach
        heard = np.arange(max(0, ahead), min(frames, frames + ahead)) // repeats
        sums[max(0, -ahead) : frames - max(0, ahead)] += given[heard, tap]
    return layer.finish(sums)
