"""The measures of sounds whose properties are known, because the tests make them."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wkmp_assets.audio.flavor.measure import measure_passages
from wkmp_assets.audio.flavor.spectrogram import PIECE_S, PIECES, cut_excerpt
from wkmp_assets.audio.loudness import ABSOLUTE_GATE_LUFS
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ
from wkmp_assets.model.flavor import MEASURED_NAMES, distance
from wkmp_assets.model.values import PassageFlavor, Span

pytestmark = pytest.mark.slow  # they measure much

Signal = NDArray[np.float64]


def seconds(length_s: float) -> Signal:
    return np.arange(round(length_s * PCM_RATE_HZ)) / PCM_RATE_HZ


def tone(*hertz: float, length_s: float = 20.0) -> Signal:
    return np.sum([np.sin(2 * np.pi * hz * seconds(length_s)) for hz in hertz], axis=0) / len(hertz)


def noise(length_s: float = 20.0) -> Signal:
    return np.random.default_rng(1).standard_normal(round(length_s * PCM_RATE_HZ)) * 0.2


def clicks(bpm: float, length_s: float = 30.0) -> Signal:
    """Return the sound of a drum machine: a burst of noise per beat."""
    since_beat = seconds(length_s) % (60 / bpm)
    return noise(length_s) * np.exp(-since_beat * 40) + 0.001 * tone(220, length_s=length_s)


def chord(*semitones_above_c: int) -> Signal:
    return tone(*(261.6256 * 2 ** (step / 12) for step in semitones_above_c))


def struck(*semitones_above_c: int, length_s: float) -> Signal:
    """Return a chord of tones with harmonics, as of instruments."""
    notes = [261.6256 * 2 ** (step / 12) for step in semitones_above_c]
    return np.sum(
        [tone(*(hz * number for hz in notes), length_s=length_s) * 0.6**number for number in range(1, 6)], axis=0
    )


def measure(folder: Path, signal: Signal, channels: int = 1) -> PassageFlavor:
    path = folder / "sound.pcm"
    path.write_bytes(np.clip(np.round(signal * 32767), -32768, 32767).astype("<i2").tobytes())
    (measured,) = measure_passages(path, [Span(0, 4 * len(signal))], sample_rate_hz=44_100, channels=channels)
    return measured


SOUNDS = {
    "nothing": np.zeros(0), "one sample": np.ones(1), "silence": np.zeros(PCM_RATE_HZ * 3), "a sine": tone(440),
    "noise": noise(), "clicks": clicks(120), "a click": np.eye(1, PCM_RATE_HZ)[0],
    "half a second": tone(440, length_s=0.5), "full scale": np.sign(tone(100)),
}  # fmt: skip


@pytest.mark.parametrize("signal", SOUNDS.values(), ids=SOUNDS)
def test_every_sound_has_every_characteristic_as_a_distribution(signal: Signal, tmp_path: Path) -> None:
    measured = measure(tmp_path, signal)
    assert set(measured.measured) == MEASURED_NAMES
    for name, values in measured.measured.items():
        assert abs(math.fsum(values.values()) - 1) < 1e-9, name
        assert all(0 <= value <= 1 for value in values.values()), name
    assert all(math.isfinite(number) for number in vars(measured.measures).values() if isinstance(number, float))


def test_the_same_sound_gives_the_same_flavor(tmp_path: Path) -> None:
    assert measure(tmp_path, clicks(97)) == measure(tmp_path, clicks(97))


@pytest.mark.parametrize(("channels", "lufs"), [(1, -3.01), (2, 0.0)])
def test_a_full_scale_sine_of_997_hz_has_the_loudness_of_the_recommendation(
    channels: int, lufs: float, tmp_path: Path
) -> None:
    assert measure(tmp_path, tone(997), channels).measures.level_estimate_db == pytest.approx(lufs, abs=0.11)


def test_pauses_do_not_make_it_less_loud_and_silence_stays_at_the_gate(tmp_path: Path) -> None:
    alone = measure(tmp_path, tone(997)).measures.level_estimate_db
    with_pause = measure(tmp_path, np.concatenate([tone(997), np.zeros(PCM_RATE_HZ * 20)])).measures.level_estimate_db
    assert with_pause == pytest.approx(alone, abs=0.2)
    assert measure(tmp_path, np.zeros(PCM_RATE_HZ)).measures.level_estimate_db == ABSOLUTE_GATE_LUFS


def test_a_sine_has_a_crest_of_three_decibels(tmp_path: Path) -> None:
    assert measure(tmp_path, tone(440)).measures.crest_factor_db == pytest.approx(3.0)


@pytest.mark.parametrize("bpm", [80, 100, 125, 155])
def test_the_tempo_of_a_drum_machine_is_found(bpm: int, tmp_path: Path) -> None:
    measured = measure(tmp_path, clicks(bpm))
    assert measured.measures.bpm == pytest.approx(bpm, rel=0.03)
    tempo = measured.measured["user.tempo"]
    assert max(tempo, key=lambda name: tempo[name]) == f"bpm_{bpm:03}"


def test_a_drum_machine_is_regular_and_percussive_and_a_chord_is_not(tmp_path: Path) -> None:
    drums, held = measure(tmp_path, clicks(120)).measured, measure(tmp_path, chord(0, 4, 7)).measured
    assert drums["user.rhythm_regularity"]["regular"] > 0.6 > held["user.percussiveness"]["percussive"]
    assert drums["user.percussiveness"]["percussive"] > 0.6


@pytest.mark.parametrize(
    ("tones", "key", "scale"),
    [((0, 4, 7), "C", "major"), ((9, 12, 16), "A", "minor"), ((3, 7, 10), "Eb", "major"), ((6, 9, 13), "F#", "minor")],
)
def test_the_key_of_a_chord_is_found(tones: tuple[int, ...], key: str, scale: str, tmp_path: Path) -> None:
    measured = measure(tmp_path, chord(*tones))
    assert (measured.measures.key, measured.measures.scale) == (key, scale)
    assert (measured.measured["user.mode"]["major"] > 0.5) == (scale == "major")


def test_noise_has_no_clear_key_and_complex_harmony(tmp_path: Path) -> None:
    hiss = measure(tmp_path, noise()).measured
    cadence = [struck(*tones, length_s=5) for tones in ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7))]
    music = measure(tmp_path, np.concatenate(cadence)).measured
    assert hiss["user.key_clarity"]["clear"] < 0.5 < music["user.key_clarity"]["clear"]
    assert hiss["user.harmonic_complexity"]["complex"] > music["user.harmonic_complexity"]["complex"]


def test_a_high_sound_is_brighter_than_a_low_one(tmp_path: Path) -> None:
    brightness = [measure(tmp_path, tone(hz)).measured["user.brightness"]["bright"] for hz in (100, 400, 1600, 4000)]
    assert brightness == sorted(brightness)
    assert brightness[0] < 0.1 < 0.9 < brightness[-1]


def test_only_energy_depends_on_the_level(tmp_path: Path) -> None:
    loud, soft = measure(tmp_path, clicks(120)).measured, measure(tmp_path, clicks(120) / 4).measured
    assert loud["user.energy"]["energetic"] > soft["user.energy"]["energetic"]
    del loud["user.energy"], soft["user.energy"]
    assert distance(loud, soft) < 0.01 < distance(loud, measure(tmp_path, chord(0, 4, 7)).measured)


def test_music_that_swells_is_more_dynamic(tmp_path: Path) -> None:
    swell = tone(220, 440, 880) * (0.01 + np.square(np.sin(np.pi * seconds(20) / 10)))
    flavors = [measure(tmp_path, signal).measured["user.dynamics"]["changing"] for signal in (swell, tone(220, 440))]
    assert flavors[0] > 0.9 > 0.1 > flavors[1]


def test_of_a_long_passage_ninety_seconds_are_heard() -> None:
    three_hours = np.lib.stride_tricks.as_strided(np.zeros(1, np.int16), (3 * 3600 * PCM_RATE_HZ,), (0,))
    pieces = cut_excerpt(three_hours)
    assert [len(piece) for piece in pieces] == [PIECE_S * PCM_RATE_HZ // 2 * 2] * PIECES


def test_each_passage_is_measured_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "two.pcm"
    both = np.concatenate([tone(100), tone(4000)])
    path.write_bytes((both * 32767).astype("<i2").tobytes())
    half = 2 * len(both)
    low, high = measure_passages(path, [Span(0, half), Span(half, 2 * half)], sample_rate_hz=44_100, channels=1)
    assert low.measured["user.brightness"]["dark"] > 0.9 < high.measured["user.brightness"]["bright"]
    assert low.span == Span(0, half)
