"""Tempo, regularity and pulse, from the onsets of a spectrogram."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.flavor.spectrogram import FRAMES_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wkmp_assets.audio.flavor.spectrogram import Spectrogram

TEMPO_CENTRES = (50.0, 65.0, 80.0, 100.0, 125.0, 155.0, 195.0)
"""unit=beats per minute, about a quarter apart."""
TEMPO_NAMES = tuple(f"bpm_{centre:03.0f}" for centre in TEMPO_CENTRES)
PULSE_EDGES_HZ = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Bounds of the octaves in which onsets fluctuate."""
PULSE_NAMES = tuple(f"from_{low:g}_hz" for low in PULSE_EDGES_HZ[:-1])
PREFERRED_BPM = 120.0
"""The tempo near which people tap (Moelants 2002); it decides between a tempo, its half and its double."""
WINDOW = 256
"""unit=frames: one autocorrelation covers 11.9 s."""


@dataclass(frozen=True)
class Rhythm:
    """The rhythm of an excerpt."""

    bpm: float
    """The strongest tempo, in beats per minute; 0 without any onset."""
    regularity: float
    """range 0..1: the largest height of the autocorrelation at any tempo."""
    tempo_shares: NDArray[np.float64]
    """shape=(7,), range >= 0: one per name in TEMPO_NAMES; they need not sum to 1."""
    pulse_shares: NDArray[np.float64]
    """shape=(5,), range >= 0: one per name in PULSE_NAMES; they need not sum to 1."""


def measure_rhythm(spectrogram: Spectrogram) -> Rhythm:
    """Measure tempo and pulse from the autocorrelation and the spectrum of the onsets, over windows of 12 s.

    Parameters
    ----------
    spectrogram : Spectrogram
        Of any length; a short one is padded with silence.

    Returns
    -------
    Rhythm
        Of silence: 0 bpm, and all shares 0.
    """
    onsets = spectrogram.onsets
    if onsets.size < WINDOW:
        onsets = np.pad(onsets, (0, WINDOW - onsets.size))
    windows = np.lib.stride_tricks.sliding_window_view(onsets, WINDOW)[:: WINDOW // 2]
    centred = windows - windows.mean(axis=1, keepdims=True)
    power = np.square(np.abs(np.fft.rfft(centred * np.hanning(WINDOW), 2 * WINDOW, axis=1))).mean(axis=0)
    correlation = np.fft.irfft(power)[:WINDOW]
    taper = np.fft.irfft(np.square(np.abs(np.fft.rfft(np.hanning(WINDOW), 2 * WINDOW))))[:WINDOW]
    correlation = np.divide(correlation, taper, out=np.zeros_like(correlation), where=taper > taper[0] * 0.02)
    correlation = correlation / correlation[0] if correlation[0] > 1e-12 else np.zeros_like(correlation)
    bpm_grid = np.geomspace(TEMPO_CENTRES[0] * 0.9, TEMPO_CENTRES[-1] * 1.1, 200)
    lags = 60 * FRAMES_PER_S / bpm_grid
    # A true beat recurs after two and four of its periods as well.
    strength = (_at(correlation, lags) + _at(correlation, 2 * lags) + _at(correlation, 4 * lags)) / 3
    preference = np.exp(-0.5 * np.square(np.log2(bpm_grid / PREFERRED_BPM)))
    weighted = np.maximum(strength, 0) * preference
    best = int(weighted.argmax())
    return Rhythm(
        bpm=float(bpm_grid[best]) if weighted[best] > 0 else 0.0,
        regularity=float(np.clip(strength.max(), 0, 1)),
        tempo_shares=_tempo_shares(bpm_grid, weighted),
        pulse_shares=_pulse_shares(power),
    )


def _at(correlation: NDArray[np.float64], lags: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.interp(lags, np.arange(correlation.size), correlation, right=0.0)


def _tempo_shares(bpm: NDArray[np.float64], weighted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distribute the cubed strengths among the tempo classes, by triangular memberships on a logarithmic scale."""
    position = np.interp(np.log(bpm), np.log(TEMPO_CENTRES), np.arange(len(TEMPO_CENTRES)))
    memberships = np.clip(1 - np.abs(position[:, None] - np.arange(len(TEMPO_CENTRES))), 0, None)
    shares: NDArray[np.float64] = np.power(weighted, 3) @ memberships
    return shares


def _pulse_shares(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean power of the onsets' fluctuation in each octave from 0.25 to 8 Hz."""
    hz = np.fft.rfftfreq(2 * WINDOW, 1 / FRAMES_PER_S)
    return np.array([power[(hz >= low) & (hz < high)].mean() for low, high in pairwise(PULSE_EDGES_HZ)])
