"""The input of the tagger, from the kept PCM: what librosa computes at 16 kHz, without resampling.

The network heard 96 mel bands of frames of 512 samples at 16 kHz, every 256 samples. The same frames, 32 ms long and
16 ms apart, are cut from PCM at 11,025 Hz, and transformed at the same frequencies, multiples of 31.25 Hz. So the bands
are the very ones of `librosa.filters.mel`. Those above 5.5 kHz stay empty.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.pcm_store import PCM_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = 16_000
"""What the network was trained at."""
FRAME_S = 512 / RATE_HZ
HOP_S = 256 / RATE_HZ
FRAME = round(FRAME_S * PCM_RATE_HZ)
"""unit=samples: 353."""
GAIN = 10_000.0
"""The network heard log10(1 + GAIN x power)."""


def log_mel(samples: NDArray[np.float32], frame_count: int) -> NDArray[np.float32]:
    """Return the first frames of a sound as the network heard music.

    Parameters
    ----------
    samples : shape=(n,), float32, full scale = 1
        Mono, at `PCM_RATE_HZ`. What is missing at the end counts as silence.
    frame_count : int, > 0
        See `samples_for`.

    Returns
    -------
    shape=(frame_count, 96), float32, >= 0
        log10(1 + 10,000 x power) of each mel band.
    """
    samples = samples[: samples_for(frame_count)]
    samples = np.pad(samples, (0, samples_for(frame_count) - samples.size))
    starts = np.round(np.arange(frame_count) * HOP_S * PCM_RATE_HZ).astype(np.intp)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[starts]
    waves, bank = _waves(), _bank()
    squares = np.square(frames @ waves)
    power = squares[:, : len(bank)] + squares[:, len(bank) :]
    return np.asarray(np.log10(np.float32(1) + np.float32(GAIN) * (power @ bank)), np.float32)


def samples_for(frame_count: int) -> int:
    """Return how many samples at `PCM_RATE_HZ` so many frames span: 187 of them 3.0 s."""
    return round((frame_count - 1) * HOP_S * PCM_RATE_HZ) + FRAME


@cache
def _waves() -> NDArray[np.float32]:
    """Return windowed waves at the frequencies of a transform at 16 kHz, shape=(FRAME, 2 x frequencies).

    The real parts stand before the imaginary ones, so that one multiplication of matrices gives both. Sums over samples
    are proportional to the rate. The waves have the factor that makes them those of 16 kHz.
    """
    times_s = np.arange(FRAME) / PCM_RATE_HZ
    window = np.where(times_s < FRAME_S, 0.5 - 0.5 * np.cos(2 * np.pi * times_s / FRAME_S), 0)
    frequencies_hz = np.arange(len(_bank())) / FRAME_S
    waves = np.exp(-2j * np.pi * times_s[:, None] * frequencies_hz) * window[:, None] * (RATE_HZ / PCM_RATE_HZ)
    return np.ascontiguousarray(np.hstack([waves.real, waves.imag]), np.float32)


@cache
def _bank() -> NDArray[np.float32]:
    """Return the weight of each frequency in each band, up to half the rate of the PCM, shape=(frequencies, 96)."""
    with as_file(files("wkmp_assets.audio.flavor") / "musicnn" / "mel.npz") as path, np.load(path) as stored:
        bank: NDArray[np.float32] = stored["bank"]
    return np.ascontiguousarray(bank[:, : int(PCM_RATE_HZ / 2 * FRAME_S) + 1].T)
