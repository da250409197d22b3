"""Our measures of a sound beside those of librosa, the field's reference."""

import warnings
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from wkmp_assets.audio.flavor.pitch_classes import FRAME, HOP, compute_chroma
from wkmp_assets.audio.flavor.rhythm import measure_rhythm
from wkmp_assets.audio.flavor.spectrogram import HOP as SPECTRUM_HOP
from wkmp_assets.audio.flavor.spectrogram import Spectrogram, compute_spectrogram, cut_excerpt
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ
from wkmp_assets.audio.silence import find_passages
from wkmp_assets_tests.audio.sounds import envelope_of

pytestmark = [pytest.mark.long, pytest.mark.slow]  # librosa compiles at its first use
NOTES_HZ = (220.0, 261.63, 329.63, 293.66, 349.23, 440.0)


@pytest.fixture(scope="module")
def librosa() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import librosa

    return librosa


def melody(seconds_a_note: float, count: int = 36) -> NDArray[np.float32]:
    times_s = np.arange(round(seconds_a_note * PCM_RATE_HZ)) / PCM_RATE_HZ
    notes = [
        sum(0.12 * np.sin(2 * np.pi * harmonic * hertz * times_s) / harmonic for harmonic in (1, 2, 3))
        for hertz in NOTES_HZ * (count // len(NOTES_HZ))
    ]
    return np.concatenate([note * np.exp(-3 * times_s) for note in notes]).astype(np.float32)


def spectrogram(sound: NDArray[np.float32]) -> Spectrogram:
    return compute_spectrogram(cut_excerpt((sound * 32767).astype(np.int16)))


def test_the_chroma_is_that_of_librosa(librosa: ModuleType) -> None:
    sound = melody(0.5)
    ours = compute_chroma(np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::HOP])
    theirs = librosa.feature.chroma_stft(
        y=sound, sr=PCM_RATE_HZ, n_fft=FRAME, hop_length=HOP, center=False, tuning=0.0
    )  # fmt: skip
    assert (ours.argmax(axis=0) == theirs.argmax(axis=0)).mean() > 0.9
    assert np.corrcoef(ours.mean(axis=1), theirs.mean(axis=1))[0, 1] > 0.95


def test_onsets_are_where_librosa_hears_them(librosa: ModuleType) -> None:
    sound = melody(0.5)
    ours = spectrogram(sound).onsets
    theirs = librosa.onset.onset_strength(y=sound, sr=PCM_RATE_HZ, hop_length=SPECTRUM_HOP, center=False)
    count = min(len(ours), len(theirs)) - 20
    lags = [np.corrcoef(ours[10 + lag :][:count], theirs[10:][:count])[0, 1] for lag in range(-8, 9)]
    assert max(lags) > 0.9


@pytest.mark.parametrize("bpm", [80, 100, 120, 150])
def test_the_tempo_is_that_of_librosa(librosa: ModuleType, bpm: int) -> None:
    sound = melody(60 / bpm)
    (theirs,) = librosa.feature.tempo(y=sound, sr=PCM_RATE_HZ)
    assert measure_rhythm(spectrogram(sound)).bpm == pytest.approx(theirs, rel=0.07)


def test_passages_of_clean_material_are_where_librosa_splits(librosa: ModuleType) -> None:
    sound = melody(0.25, 12)
    quiet = np.zeros(2 * PCM_RATE_HZ, np.float32)
    whole = np.concatenate([quiet, sound, quiet, sound, quiet])
    ours = find_passages(
        envelope_of(whole[None], PCM_RATE_HZ), silence_threshold_db=50.0, min_silence_ticks=28_224_000,
        min_passage_ticks=2_822_400,
    )  # fmt: skip
    theirs = librosa.effects.split(whole, top_db=40, frame_length=512, hop_length=128)
    assert len(ours) == len(theirs) == 2
    found = np.array([(span.start_sample, span.end_sample) for span in ours])
    assert np.abs(found - theirs).max() < 0.1 * PCM_RATE_HZ
