"""The `user.*` characteristics of a passage, each as a distribution; formulas and sources: docs/reference/flavor.md.

A binary characteristic is a logistic curve over one measure, whose middle and width come from real music, so that both
values occur. The others are shares of a whole. None depends on the length of the passage. Only energy depends on its
level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.flavor.reference_values import BAND_NAMES, HARMONY, MOTION, TEXTURE, TIMBRE
from wkmp_assets.audio.flavor.rhythm import PULSE_NAMES, TEMPO_NAMES
from wkmp_assets.audio.flavor.spectrogram import band_edges_hz
from wkmp_assets.audio.flavor.tonality import INTERVAL_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from wkmp_assets.audio.flavor.reference_values import ReferenceValues
    from wkmp_assets.audio.flavor.rhythm import Rhythm
    from wkmp_assets.audio.flavor.spectrogram import Spectrogram
    from wkmp_assets.audio.flavor.tonality import Tonality
    from wkmp_assets.model.flavor import Distribution, Flavor

SHARPNESS = 0.5
"""unit=standard deviations: so much further above the reference mean, a value weighs e times as much."""


@dataclass(frozen=True)
class Scale:
    """A logistic curve from a measure to a probability."""

    middle: float
    """The measure at which both values have probability 0.5: the median of real music."""
    width: float
    """The distance from the middle to a probability of 0.73: half the interquartile range of real music, > 0."""

    def apply(self, measure: float) -> float:
        """Return the probability of the first value, 0..1."""
        return float(1 / (1 + np.exp(-np.clip((measure - self.middle) / self.width, -50, 50))))


BRIGHTNESS = Scale(2.444, 0.096)
PERCUSSIVENESS = Scale(1.90, 0.58)
ENERGY = Scale(-15.7, 2.4)
DYNAMICS = Scale(12.6, 2.4)
REGULARITY = Scale(0.467, 0.103)
KEY_CLARITY = Scale(0.701, 0.118)
MODE = Scale(0.0, 0.10)
HARMONIC_COMPLEXITY = Scale(0.911, 0.038)


def characterise(spectrogram: Spectrogram, level_db: float, tonality: Tonality, rhythm: Rhythm) -> Flavor:
    """Return all characteristics of one excerpt.

    Parameters
    ----------
    spectrogram : Spectrogram
        Of the excerpt.
    level_db : float, unit=dB
        See `estimate_level`.
    tonality : Tonality
        See `measure_tonality`.
    rhythm : Rhythm
        See `measure_rhythm`.

    Returns
    -------
    dict of str to dict of str to float
        Characteristic -> value -> probability; the probabilities of a characteristic sum to 1.
    """
    audible = spectrogram.bands_db[spectrogram.is_audible]
    profile = audible.mean(axis=0)
    levels = spectrogram.bands_db.max(axis=1)
    dynamics = float(np.percentile(levels, 95) - np.percentile(levels, 10))
    percussiveness = float(np.sqrt(np.mean(np.square(spectrogram.onsets[spectrogram.is_audible]))))
    return {
        "user.brightness": _binary("bright", "dark", BRIGHTNESS, _centre(profile)),
        "user.dynamics": _binary("changing", "even", DYNAMICS, dynamics),
        "user.energy": _binary("energetic", "calm", ENERGY, level_db),
        "user.harmonic_complexity": _binary("complex", "simple", HARMONIC_COMPLEXITY, tonality.spread),
        "user.harmony": _named(_deviation_weights(tonality.intervals, HARMONY), INTERVAL_NAMES),
        "user.key_clarity": _binary("clear", "unclear", KEY_CLARITY, tonality.clarity),
        "user.mode": _binary("major", "minor", MODE, tonality.major_lead),
        "user.motion": _named(_deviation_weights(_paired(_steps(spectrogram)), MOTION), BAND_NAMES),
        "user.percussiveness": _binary("percussive", "sustained", PERCUSSIVENESS, percussiveness),
        "user.pulse": _named(rhythm.pulse_shares, PULSE_NAMES),
        "user.rhythm_regularity": _binary("regular", "free", REGULARITY, rhythm.regularity),
        "user.tempo": _named(rhythm.tempo_shares, TEMPO_NAMES),
        "user.texture": _named(_deviation_weights(_paired(audible.std(axis=0)), TEXTURE), BAND_NAMES),
        "user.timbre": _named(_deviation_weights(_paired(profile - profile.mean()), TIMBRE), BAND_NAMES),
    }


def _centre(profile_db: NDArray[np.float64]) -> float:
    """Return the centroid of a spectrum, in decimal logarithms of Hz."""
    shares = 10 ** (profile_db / 10)
    return float((shares * np.log10(band_edges_hz()[1:-1])).sum() / shares.sum())


def _steps(spectrogram: Spectrogram) -> NDArray[np.float64]:
    """Return the mean absolute change of each band from frame to frame, in dB."""
    steps = np.abs(np.diff(spectrogram.bands_db, axis=0))[spectrogram.is_audible[1:]]
    return np.asarray(steps.mean(axis=0) if steps.size else np.zeros(spectrogram.bands_db.shape[1]))


def _paired(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average neighbouring bands: 24 become 12."""
    return np.asarray(bands.reshape(len(BAND_NAMES), -1).mean(axis=1))


def _deviation_weights(measures: NDArray[np.float64], reference: ReferenceValues) -> NDArray[np.float64]:
    """Weigh measures by how far they lie above their reference means; the largest weighs 1."""
    deviations = (measures - np.array(reference.means)) / np.array(reference.deviations)
    weights: NDArray[np.float64] = np.exp((deviations - deviations.max()) / SHARPNESS)
    return weights


def _binary(first: str, second: str, scale: Scale, measure: float) -> Distribution:
    probability = scale.apply(measure)
    return {first: probability, second: 1 - probability}


def _named(weights: NDArray[np.float64], names: Sequence[str]) -> Distribution:
    """Return each weight as a share of their sum; equal shares when the sum is 0."""
    total = float(weights.sum())
    shares = weights / total if total > 1e-9 else np.full(len(names), 1 / len(names))
    return {name: float(share) for name, share in zip(names, shares, strict=True)}
