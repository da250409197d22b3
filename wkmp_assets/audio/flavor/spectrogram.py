"""The spectrogram of an excerpt, reduced to bands, pitch classes, onsets and loudness, from which all measures come.

The PCM is mono at 11,025 Hz, so that all measures are defined below 5.5 kHz. All values are finite, also of silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from wkmp_assets.audio.pcm_store import PCM_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME = 2048
"""unit=samples: 186 ms, which tells semitones above 110 Hz apart."""
HOP = 512
"""unit=samples: 46 ms, fine enough for the beat."""
FRAMES_PER_S = PCM_RATE_HZ / HOP
BANDS = 24
MIN_HZ = 60.0
MAX_HZ = 5_400.0
BLOCK = 128
"""unit=frames, transformed at a time: few enough that their spectra stay in the cache of a core."""
FLOOR_DB = -100.0
QUIET_DB = 50.0
"""Frames this much below the loudest one do not count for timbre and harmony."""
PIECE_S = 30
PIECES = 3


@dataclass(frozen=True)
class Spectrogram:
    """The frames of one excerpt."""

    bands_db: NDArray[np.float64]
    """shape=(frames, BANDS), unit=dBFS, range >= FLOOR_DB: levels of the mel bands."""
    chroma: NDArray[np.float64]
    """shape=(frames, 12), range >= 0: power per pitch class, from C."""
    onsets: NDArray[np.float64]
    """shape=(frames,), unit=dB, range >= 0: mean rise of the bands since the frame before."""
    loudness_power: NDArray[np.float64]
    """shape=(frames,), >= 0: mean square after the K-weighting of ITU-R BS.1770, full scale = 1."""
    is_audible: NDArray[np.bool_]
    """shape=(frames,): whether a frame is less than QUIET_DB below the loudest."""


def cut_excerpt(pcm: NDArray[np.int16]) -> list[NDArray[np.int16]]:
    """Return the pieces of a passage that are measured.

    Parameters
    ----------
    pcm : shape=(n,), int16
        Mono, at `PCM_RATE_HZ`. Of a memory map only the pieces are read.

    Returns
    -------
    list of arrays
        Views of `pcm`: all of it up to 90 s, else three pieces of 30 s, evenly spread.
    """
    piece = PIECE_S * PCM_RATE_HZ
    if pcm.size <= PIECES * piece:
        return [pcm]
    centres = [pcm.size * (2 * number + 1) // (2 * PIECES) for number in range(PIECES)]
    return [pcm[centre - piece // 2 : centre + piece // 2] for centre in centres]


def compute_spectrogram(pieces: list[NDArray[np.int16]]) -> Spectrogram:
    """Compute the spectrogram of an excerpt.

    Parameters
    ----------
    pieces : list of arrays, shape=(n,), int16
        At least one; see `cut_excerpt`. A piece shorter than a frame is padded with silence.

    Returns
    -------
    Spectrogram
        The frames of all pieces, one after the other.
    """
    parts = [_reduce(piece) for piece in pieces]
    bands, chroma, onsets, loudness = (np.concatenate([part[index] for part in parts]) for index in range(4))
    level = bands.max(axis=1)
    return Spectrogram(bands, chroma, onsets, loudness, level > level.max() - QUIET_DB)


def _reduce(pcm: NDArray[np.int16]) -> tuple[NDArray[np.float64], ...]:
    samples: NDArray[np.float32] = pcm.astype(np.float32) / np.float32(32768)
    if samples.size < FRAME:
        samples = np.pad(samples, (0, FRAME - samples.size))
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    blocks = [_spectra(frames[start : start + BLOCK]) for start in range(0, len(frames), BLOCK)]
    bands, chroma, loudness = (np.concatenate([block[index] for block in blocks]) for index in range(3))
    rises = np.maximum(0.0, np.diff(bands, axis=0, prepend=bands[:1])).mean(axis=1)
    return bands, chroma, rises, loudness


def _spectra(frames: NDArray[np.float32]) -> tuple[NDArray[np.float64], ...]:
    """Return bands in dB, pitch classes and loudness of frames."""
    # scipy's transforms several frames at a time, numpy's one after the other: it takes a quarter of the CPU.
    spectra = fft.rfft(frames * _window(), axis=1)
    power = np.square(np.abs(spectra))
    sums = (power @ _weights()).astype(np.float64)
    bands = 10 * np.log10(np.maximum(sums[:, :BANDS], 10 ** (FLOOR_DB / 10)))
    return bands, sums[:, BANDS:-1], sums[:, -1]


@cache
def _weights() -> NDArray[np.float32]:
    """Return the weight of each bin in each band, in each pitch class and in the loudness, shape=(bins, BANDS + 13)."""
    return np.hstack([_mel(), _pitch_classes(), _k_weights()[:, None]])


@cache
def _window() -> NDArray[np.float32]:
    """Return a Hann window with the sum 2, so that a sine of full scale has power 1."""
    window = np.hanning(FRAME + 1)[:FRAME]
    return np.asarray(window * (2 / window.sum()), np.float32)


@cache
def _bins_hz() -> NDArray[np.float64]:
    return np.asarray(np.fft.rfftfreq(FRAME, 1 / PCM_RATE_HZ), np.float64)


@cache
def band_edges_hz() -> NDArray[np.float64]:
    """Return BANDS + 2 frequencies, evenly spaced on the mel scale 2595 log10(1 + f/700)."""
    lowest, highest = 2595 * np.log10(1 + np.array([MIN_HZ, MAX_HZ]) / 700)
    mels = np.linspace(float(lowest), float(highest), BANDS + 2)
    return np.asarray(700 * (10 ** (mels / 2595) - 1))


@cache
def _mel() -> NDArray[np.float32]:
    """Return triangular bands, shape=(bins, BANDS); each spans the centres of its two neighbours."""
    edges, bins = band_edges_hz(), _bins_hz()[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


@cache
def _pitch_classes() -> NDArray[np.float32]:
    """Return the share of each bin in each pitch class, shape=(bins, 12).

    A bin counts for the nearest semitone (A = 440 Hz), the more the closer it is. Bins above 2 kHz do not count, and
    neither do those below 110 Hz, which are wider than semitones.
    """
    hz = _bins_hz()
    with np.errstate(divide="ignore"):
        semitones = 12 * np.log2(hz / 440) + 69
    usable = (hz >= 110) & (hz <= 2000)
    nearest = np.round(np.where(usable, semitones, 0))
    closeness = np.where(usable, np.cos(np.pi * (np.where(usable, semitones, 0) - nearest)) ** 2, 0)
    weights = np.zeros((hz.size, 12), np.float32)
    weights[np.arange(hz.size), nearest.astype(int) % 12] = closeness / np.maximum(hz, 1) * 440
    return weights


_HIGH_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_K_RATE_HZ = 48_000
"""ITU-R BS.1770-5, annex 1, tables 1 and 2: both filters, for this rate."""


@cache
def _k_weights() -> NDArray[np.float32]:
    """Return the weight of each bin in the K-weighted mean square of its frame, shape=(bins,)."""
    turn = np.exp(-2j * np.pi * _bins_hz() / _K_RATE_HZ)
    powers = np.stack([np.ones_like(turn), turn, turn * turn])
    gain = np.ones(turn.size)
    for above, below in (_HIGH_SHELF, _HIGH_PASS):
        gain = gain * np.abs(np.array(above) @ powers) ** 2 / np.abs(np.array(below) @ powers) ** 2
    return np.asarray(gain * 2 / (FRAME * np.square(_window().astype(np.float64)).sum()), np.float32)
