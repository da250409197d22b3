"""Pitch classes of tones whose pitch is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wkmp_assets.audio.flavor.pitch_classes import FRAME, MIN_NOTE, estimate_tuning, measure_pitch_classes
from wkmp_assets.audio.flavor.tonality import PITCH_CLASSES, key_profiles
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ


def pcm_of(*notes: float, length_s: float = 4.0) -> NDArray[np.int16]:
    """Return the sum of sines at MIDI notes."""
    at = np.arange(round(length_s * PCM_RATE_HZ)) / PCM_RATE_HZ
    tones = [np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * at) for note in notes]
    return np.round(np.mean(tones, axis=0) * 20_000).astype(np.int16)


@pytest.mark.parametrize("note", [MIN_NOTE + 1, 45, 52, 69, 93])
def test_a_tone_is_in_its_own_pitch_class_also_in_the_bass(note: int) -> None:
    """With frames of 2048 samples, 47 % of a sine at 110 Hz were in B flat."""
    classes = measure_pitch_classes([pcm_of(note)])
    assert classes[note % 12] > 0.95 * classes.sum()


@pytest.mark.parametrize("cents", [-40, 0, 25, 45])
def test_music_out_of_tune_stays_in_its_pitch_classes(cents: int) -> None:
    triad = np.array([60, 64, 67, 72]) + cents / 100
    classes = measure_pitch_classes([pcm_of(*triad)])
    assert {PITCH_CLASSES[place] for place in np.argsort(classes)[-3:]} == {"C", "E", "G"}
    assert classes[[0, 4, 7]].sum() > 0.9 * classes.sum()


def test_the_bass_counts_less_than_the_middle_voices() -> None:
    classes = measure_pitch_classes([pcm_of(45, 64)])
    assert classes[64 % 12] > 2 * classes[45 % 12]


def test_silence_and_short_pieces_have_finite_pitch_classes() -> None:
    for pcm in (np.zeros(0, np.int16), np.ones(10, np.int16), np.zeros(3 * FRAME, np.int16)):
        classes = measure_pitch_classes([pcm])
        assert classes.shape == (12,)
        assert np.isfinite(classes).all()
    assert estimate_tuning(np.zeros((2, FRAME // 2 + 1), np.float32)) == 0.0


def test_the_profile_of_a_key_is_highest_at_its_tonic_or_fifth() -> None:
    profiles = key_profiles()
    assert profiles.shape == (24, 12)
    assert [int(profile.argmax()) in (tonic % 12, (tonic + 7) % 12) for tonic, profile in enumerate(profiles)] == [
        True
    ] * 24
