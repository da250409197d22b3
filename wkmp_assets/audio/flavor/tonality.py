"""Key, mode and intervals, from the pitch classes of a spectrogram."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wkmp_assets.audio.flavor.spectrogram import Spectrogram

PITCH_CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
"""How often each semitone above the tonic sounds in a major key (Albrecht and Shanahan 2013)."""
MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
HARMONICS = 8
"""Each note of a profile is heard with so many harmonics."""
HARMONIC_SHARE = 0.7
"""The amplitude of each harmonic, as a share of the one before: the fifth of the tonic sounds in its third harmonic."""
INTERVAL_NAMES = ("minor_second", "major_second", "minor_third", "major_third", "fourth", "tritone")
SMOOTHED_FRAMES = 16
"""unit=frames: 0.74 s, about one chord."""


@dataclass(frozen=True)
class Tonality:
    """The key of an excerpt, and its harmony."""

    key: str
    """One of PITCH_CLASSES: the tonic."""
    scale: str
    """`major` or `minor`."""
    clarity: float
    """range -1..1: correlation of the pitch classes with the profile of the key."""
    major_lead: float
    """range -2..2: correlation with the best major key, minus that with the best minor key."""
    spread: float
    """range 0..1: mean entropy of the pitch classes of a chord; 0 for a single tone, 1 for noise."""
    intervals: NDArray[np.float64]
    """shape=(6,): share of each interval between simultaneous pitch classes, whatever the key; sums to 1."""


def measure_tonality(spectrogram: Spectrogram, pitch_classes: NDArray[np.float64]) -> Tonality:
    """Measure the key of an excerpt and the intervals in its chords.

    Parameters
    ----------
    spectrogram : Spectrogram
        Its audible frames are used, for the chords.
    pitch_classes : shape=(12,)
        Of the whole excerpt, for the key; see `measure_pitch_classes`.

    Returns
    -------
    Tonality
        Its key is that of the 24 rotated profiles which correlates most with the pitch classes.
    """
    chroma = np.sqrt(spectrogram.chroma[spectrogram.is_audible])
    correlations = np.array([_correlation(pitch_classes, profile) for profile in key_profiles()])
    best = int(correlations.argmax())
    chords = _chords(chroma)
    products = [(chords * np.roll(chords, interval, axis=1)).sum(axis=1).mean() for interval in range(1, 7)]
    # The tritone is its own inversion, so that each of its pairs is counted twice.
    intervals = np.array(products) * np.array([1, 1, 1, 1, 1, 0.5])
    return Tonality(
        key=PITCH_CLASSES[best % 12],
        scale="major" if best < 12 else "minor",
        clarity=float(correlations[best]),
        major_lead=float(correlations[:12].max() - correlations[12:].max()),
        spread=float(_entropy(chords).mean()),
        intervals=intervals / max(float(intervals.sum()), 1e-12),
    )


@cache
def key_profiles() -> NDArray[np.float64]:
    """Return what each key sounds like, shape=(24, 12): the major keys from C, then the minor ones."""
    harmonics = np.arange(1, HARMONICS + 1)
    steps, shares = np.round(12 * np.log2(harmonics)).astype(int), HARMONIC_SHARE ** (harmonics - 1)
    heard = [
        sum(share * np.roll(profile, step) for step, share in zip(steps, shares, strict=True))
        for profile in (MAJOR, MINOR)
    ]
    return np.array([np.roll(profile, tonic) for profile in heard for tonic in range(12)])


def _chords(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean pitch classes of each chord, shape=(chords, 12), with the sum 1."""
    count = max(1, len(chroma) // SMOOTHED_FRAMES)
    means = np.array([part.mean(axis=0) for part in np.array_split(chroma, count)])
    totals = means.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(means, totals, out=np.full_like(means, 1 / 12), where=totals > 1e-9))


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 1e-9 else 0.0


def _entropy(chords: NDArray[np.float64]) -> NDArray[np.float64]:
    safe = np.maximum(chords, 1e-12)
    entropy: NDArray[np.float64] = -(safe * np.log(safe)).sum(axis=1) / np.log(12)
    return entropy
