"""The `user.*` characteristics of a passage, each as a distribution; formulas and sources: docs/reference/flavor.md.

A binary characteristic is a logistic curve over one measure, whose middle and width come from real music, so that both
values occur. The others are shares of a whole. None depends on the length of the passage. Only energy depends on its
level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.flavor.reference_values import BAND_NAMES, load_reference
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


BINARY = {
    "user.brightness": ("bright", "dark"),
    "user.dynamics": ("changing", "even"),
    "user.energy": ("energetic", "calm"),
    "user.harmonic_complexity": ("complex", "simple"),
    "user.key_clarity": ("clear", "unclear"),
    "user.mode": ("major", "minor"),
    "user.percussiveness": ("percussive", "sustained"),
    "user.rhythm_regularity": ("regular", "free"),
}
"""Binary characteristics and their two values; a high measure speaks for the first."""
PROFILES = {
    "user.harmony": INTERVAL_NAMES,
    "user.motion": BAND_NAMES,
    "user.texture": BAND_NAMES,
    "user.timbre": BAND_NAMES,
}
"""Complex characteristics that weigh by how much each of their measures exceeds what is usual."""
SHARES = {"user.pulse": PULSE_NAMES, "user.tempo": TEMPO_NAMES}
"""Complex characteristics that are shares of a whole."""


@dataclass(frozen=True)
class RawMeasures:
    """What a flavor is made of, before it is compared with reference values; by the names of characteristics."""

    numbers: dict[str, float]
    """One per name in BINARY."""
    profiles: dict[str, NDArray[np.float64]]
    """One per name in PROFILES, with a measure for each of its values."""
    shares: dict[str, NDArray[np.float64]]
    """One per name in SHARES, >= 0; they need not sum to 1."""


def take_measures(spectrogram: Spectrogram, level_db: float, tonality: Tonality, rhythm: Rhythm) -> RawMeasures:
    """Return the measures of one excerpt.

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
    """
    audible = spectrogram.bands_db[spectrogram.is_audible]
    profile = audible.mean(axis=0)
    levels = spectrogram.bands_db.max(axis=1)
    return RawMeasures(
        numbers={
            "user.brightness": _centre(profile),
            "user.dynamics": float(np.percentile(levels, 95) - np.percentile(levels, 10)),
            "user.energy": level_db,
            "user.harmonic_complexity": tonality.spread,
            "user.key_clarity": tonality.clarity,
            "user.mode": tonality.major_lead,
            "user.percussiveness": float(np.sqrt(np.mean(np.square(spectrogram.onsets[spectrogram.is_audible])))),
            "user.rhythm_regularity": rhythm.regularity,
        },
        profiles={
            "user.harmony": tonality.intervals,
            "user.motion": _paired(_steps(spectrogram)),
            "user.texture": _paired(audible.std(axis=0)),
            "user.timbre": _paired(profile - profile.mean()),
        },
        shares={"user.pulse": rhythm.pulse_shares, "user.tempo": rhythm.tempo_shares},
    )


def characterise(measures: RawMeasures) -> Flavor:
    """Compare measures with those of real music.

    Parameters
    ----------
    measures : RawMeasures
        See `take_measures`.

    Returns
    -------
    dict of str to dict of str to float
        Characteristic -> value -> probability; the probabilities of a characteristic sum to 1.
    """
    reference = load_reference()
    flavor: Flavor = {}
    for name, (first, second) in BINARY.items():
        probability = reference.scales[name].apply(measures.numbers[name])
        flavor[name] = {first: probability, second: 1 - probability}
    for name, values in PROFILES.items():
        flavor[name] = _named(_deviation_weights(measures.profiles[name], reference.profiles[name]), values)
    for name, values in SHARES.items():
        flavor[name] = _named(measures.shares[name], values)
    return flavor


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


def _named(weights: NDArray[np.float64], names: Sequence[str]) -> Distribution:
    """Return each weight as a share of their sum; equal shares when the sum is 0."""
    total = float(weights.sum())
    shares = weights / total if total > 1e-9 else np.full(len(names), 1 / len(names))
    return {name: float(share) for name, share in zip(names, shares, strict=True)}
