"""What is drawn of a file's sound: its mel spectrogram and its beats, by librosa, and its pitch classes.

librosa takes seconds to load. It is loaded only here and in `sound_panels`, never in a worker. Most of it compiles code
at its first use; of what is used here, the beat tracker alone does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.report.compiled_librosa import prepare_librosa

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wkmp_assets.model.values import PassageFlavor

MEL_FRAME = 2048
"""unit=samples: 186 ms."""
MEL_BANDS = 64
MAX_COLUMNS = 900
RANGE_DB = 70.0
HOP = 512
MAX_BEATS = 300
"""So many lines can be told apart. Of up to four times as many every fourth is drawn, and of more none."""
SPARSE = 4


@dataclass(frozen=True, eq=False)
class Sound:
    """The samples of a whole file, with what was measured of its passages."""

    samples: NDArray[np.int16]
    """shape=(n,), n > 0: mono; of a memory map only the frames that are drawn are read."""
    rate_hz: int
    flavors: tuple[PassageFlavor, ...]
    """Of its passages; they say key and tempo."""
    sample_rate_hz: int
    """The rate at which their spans count."""


@dataclass(frozen=True, eq=False)
class SoundImages:
    """What is drawn of a sound."""

    seconds: NDArray[np.float64]
    """shape=(n,): the middle of each column."""
    mel_db: NDArray[np.float32]
    """shape=(MEL_BANDS, n): dB below the loudest."""
    pitch_classes: NDArray[np.float64]
    """shape=(12, n), range 0..1."""
    beats_s: NDArray[np.float64]
    is_every_beat: bool
    """Whether all of them are there, or every fourth."""
    sound: Sound


def make_images(sound: Sound, pitch_classes: NDArray[np.float64], cache_root: Path) -> SoundImages:
    """Compute the images of a sound.

    Parameters
    ----------
    sound : Sound
        Of the file.
    pitch_classes : shape=(12, n), range 0..1
        Of the frames around `column_middles`.
    cache_root : Path
        See `prepare_librosa`, which says what is raised as well. The first beats with new versions of librosa take most
        of a minute, others a few seconds.
    """
    middles = column_middles(sound.samples.size)
    step = beat_step(sound)
    paced = [one for one in sound.flavors if one.measures.bpm > 0] if step else []
    if paced:
        prepare_librosa(cache_root)
    beats = [_beats(sound, one)[::step] for one in paced]
    return SoundImages(
        seconds=middles / sound.rate_hz,
        mel_db=compute_mel(frames_around(sound.samples, middles, MEL_FRAME), sound.rate_hz),
        pitch_classes=pitch_classes,
        beats_s=np.concatenate([np.zeros(0), *beats]),
        is_every_beat=step == 1,
        sound=sound,
    )


def column_middles(sample_count: int) -> NDArray[np.float64]:
    """Return the samples in the middles of the columns of an image of a sound of so many samples, > 0."""
    count = min(MAX_COLUMNS, sample_count // HOP + 1)
    return (np.arange(count) + 0.5) * sample_count / count


def frames_around(samples: NDArray[np.int16], middles: NDArray[np.float64], length: int) -> NDArray[np.float32]:
    """Return the frames around samples, shape=(middles, length), full scale = 1; silence is around the file."""
    places = middles.astype(np.intp)[:, None] + np.arange(length) - length // 2
    inside = (places >= 0) & (places < samples.size)
    found = np.where(inside, samples[np.clip(places, 0, samples.size - 1)], 0)
    return np.asarray(found.astype(np.float32) / np.float32(32768))


def beat_step(sound: Sound) -> int:
    """Return how many beats there are for each that is drawn: 1 or `SPARSE`, or 0 for a file with too many."""
    beats = sum(seconds_of(one, sound)[1] * one.measures.bpm / 60 for one in sound.flavors)
    return next((step for step in (1, SPARSE) if beats <= step * MAX_BEATS), 0)


def seconds_of(flavor: PassageFlavor, sound: Sound) -> tuple[float, float]:
    """Return the start and the length of a passage, in seconds."""
    return flavor.span.start_sample / sound.sample_rate_hz, flavor.span.length_samples / sound.sample_rate_hz


def compute_mel(frames: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Return the level in mel bands, shape=(MEL_BANDS, n), dB below the loudest, of frames, shape=(n, MEL_FRAME)."""
    from librosa.filters import mel

    spectra = np.fft.rfft(frames * np.hanning(MEL_FRAME + 1)[:-1], axis=1)
    power = np.square(np.abs(spectra)) @ mel(sr=rate_hz, n_fft=MEL_FRAME, n_mels=MEL_BANDS).T
    loudest = max(float(power.max()), np.finfo(np.float32).tiny)
    return np.asarray(10 * np.log10(np.maximum(power / loudest, 10 ** (-RANGE_DB / 10))).T, np.float32)


def find_beats(samples: NDArray[np.float32], rate_hz: int, bpm: float) -> NDArray[np.float64]:
    """Return the beats of a passage near a known tempo, in seconds from its start."""
    from librosa.beat import beat_track

    _, beats = beat_track(y=samples, sr=rate_hz, hop_length=HOP, bpm=bpm, units="time")
    return np.asarray(beats, np.float64)


def warm_up() -> None:
    """Let numba compile what `find_beats` needs."""
    rate_hz = 11_025
    clicks = np.zeros(4 * rate_hz, np.float32)
    clicks[:: rate_hz // 2] = 1.0
    find_beats(clicks, rate_hz, 120.0)


def _beats(sound: Sound, flavor: PassageFlavor) -> NDArray[np.float64]:
    start_s, length_s = seconds_of(flavor, sound)
    part = sound.samples[round(start_s * sound.rate_hz) : round((start_s + length_s) * sound.rate_hz)]
    return start_s + find_beats(part.astype(np.float32) / np.float32(32768), sound.rate_hz, flavor.measures.bpm)
