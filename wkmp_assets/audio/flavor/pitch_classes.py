"""The pitch classes of an excerpt, from frames long enough to tell semitones apart in the bass."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from wkmp_assets.audio.pcm_store import PCM_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FRAME = 8192
"""unit=samples: 743 ms. Its bins are 1.3 Hz wide, and a semitone above the lowest tone is 5 Hz."""
HOP = 4096
BLOCK = 16
"""unit=frames, transformed at a time."""
MIN_NOTE, MAX_NOTE = 41, 96
"""MIDI notes: F2 (87 Hz) to C7 (2093 Hz)."""
CENTRE_NOTE, WIDTH_NOTES = 67.0, 12.0
"""Notes count the less the further they are from G4: the bass plays less of the harmony than the middle voices."""
MAX_PEAK_BELOW = 1e-3
"""Peaks of a spectrum that are 60 dB lower than the highest one say nothing about the tuning."""
A4_HZ, A4_NOTE = 440.0, 69


def measure_pitch_classes(pieces: Sequence[NDArray[np.int16]]) -> NDArray[np.float64]:
    """Measure how much of each pitch class sounds.

    The tuning is estimated first, so that music a quarter tone off is not spread over two classes.

    Parameters
    ----------
    pieces : sequence of arrays, shape=(n,), int16
        Mono, at `PCM_RATE_HZ`; see `cut_excerpt`. A piece shorter than a frame is padded with silence.

    Returns
    -------
    array, shape=(12,), range >= 0
        Mean amplitude of each class, from C.
    """
    spectra = np.concatenate([_amplitudes(piece) for piece in pieces])
    tuning = estimate_tuning(spectra)
    first, end = _heard_bins(tuning)
    return np.asarray(spectra[:, first:end].mean(axis=0, dtype=np.float64) @ _weights(tuning)[first:end])


def compute_chroma(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the pitch classes of each frame, as the key is found from them, but each frame by itself.

    Parameters
    ----------
    frames : shape=(n, FRAME), float32
        Mono, at `PCM_RATE_HZ`.

    Returns
    -------
    array, shape=(12, n), range 0..1
        The loudest class of each frame is 1; a silent frame has zeros.
    """
    spectra = np.abs(fft.rfft(frames * _window(), axis=1)).astype(np.float32)
    classes = (spectra @ _weights(estimate_tuning(spectra))).T
    return np.asarray(classes / np.maximum(classes.max(axis=0), 1e-9))


def estimate_tuning(spectra: NDArray[np.float32]) -> float:
    """Return by how much the peaks of spectra lie above the notes of A4 = 440 Hz.

    Parameters
    ----------
    spectra : shape=(frames, bins), range >= 0
        Amplitudes, of frames of `FRAME` samples.

    Returns
    -------
    float, unit=semitones, range -0.5..0.5
        Circular mean over the peaks, weighted by the root of their amplitude; 0 without peaks.
    """
    first, end = _heard_bins(0.0)  # six of ten bins lie above
    heard = np.ascontiguousarray(spectra[:, first - 1 : end + 1])
    at = heard[:, 1:-1]
    is_peak = np.zeros(heard.shape, np.bool_)
    is_peak[:, 1:-1] = (at > heard[:, :-2]) & (at >= heard[:, 2:])
    is_peak &= heard > spectra.max(axis=1, keepdims=True) * MAX_PEAK_BELOW
    peaks = np.flatnonzero(is_peak)
    before, at, after = (np.log(np.maximum(heard.ravel()[peaks + shift], 1e-12)) for shift in (-1, 0, 1))
    # The peak of a parabola through three logarithms lies between the bins (Smith and Serra 1987).
    bend = before - 2 * at + after
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros_like(bend), where=bend < 0)
    notes = _note_of((first - 1 + peaks % heard.shape[1] + np.clip(shift, -0.5, 0.5)) * PCM_RATE_HZ / FRAME)
    # Near 0, float32 is exact enough, and its cosines take a tenth of the CPU of complex exponentials.
    angles = (2 * np.pi * (notes - np.round(notes))).astype(np.float32)
    amplitudes = np.exp(0.5 * at)
    mean = amplitudes @ np.cos(angles) + 1j * (amplitudes @ np.sin(angles))
    return float(np.angle(mean) / (2 * np.pi))


def _amplitudes(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    samples: NDArray[np.float32] = pcm.astype(np.float32) / np.float32(32768)
    if samples.size < FRAME:
        samples = np.pad(samples, (0, FRAME - samples.size))
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    amplitudes = np.empty((len(frames), FRAME // 2 + 1), np.float32)
    for start in range(0, len(frames), BLOCK):
        block = frames[start : start + BLOCK] * _window()
        np.abs(fft.rfft(block, axis=1, overwrite_x=True), out=amplitudes[start : start + BLOCK])
    return amplitudes


def _weights(tuning: float) -> NDArray[np.float64]:
    """Return the share of each bin in each pitch class, shape=(bins, 12), for a tuning in semitones."""
    first, end = _heard_bins(tuning)
    notes = _notes()[first:end] - tuning
    nearest = np.round(notes)
    closeness = np.cos(np.pi * (notes - nearest)) ** 2
    weights = np.zeros((_notes().size, 12))
    weights[np.arange(first, end), nearest.astype(int) % 12] = closeness * np.exp(
        -0.5 * ((notes - CENTRE_NOTE) / WIDTH_NOTES) ** 2
    )
    return weights


def _heard_bins(tuning: float) -> tuple[int, int]:
    """Return the first bin between `MIN_NOTE` and `MAX_NOTE`, and the first one above."""
    notes = _notes() - tuning
    return int(np.searchsorted(notes, MIN_NOTE, "right")), int(np.searchsorted(notes, MAX_NOTE, "left"))


@cache
def _window() -> NDArray[np.float32]:
    return np.asarray(np.hanning(FRAME + 1)[:FRAME], np.float32)


@cache
def _notes() -> NDArray[np.float64]:
    """Return the MIDI note of each bin, with fractions; of the first, a note too low to be heard."""
    return _note_of(np.maximum(np.fft.rfftfreq(FRAME, 1 / PCM_RATE_HZ), 1e-3))


def _note_of(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(12 * np.log2(hertz / A4_HZ) + A4_NOTE)
