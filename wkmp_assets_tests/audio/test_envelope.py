"""The envelope is the level of the samples, in whatever pieces they are added."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wkmp_assets.audio.envelope import HOPS_PER_WINDOW, EnvelopeBuilder, hop_energy, hop_length, window_rms
from wkmp_assets.model.values import Envelope
from wkmp_assets_tests.audio.sounds import envelope_of, joined, noise, silence, tone

RATES_HZ = [8_000, 11_025, 22_050, 44_100, 48_000, 96_000]


@pytest.mark.parametrize(
    ("rate_hz", "expected"),
    [(8_000, 80), (11_025, 110), (44_100, 441), (48_000, 480), (96_000, 960), (30, 1)],
)
def test_a_hop_is_a_hundredth_of_a_second_in_whole_samples(rate_hz: int, expected: int) -> None:
    assert hop_length(rate_hz) == expected


@settings(deadline=None, max_examples=50)
@given(sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=12), channels=st.integers(1, 6))
def test_the_envelope_does_not_depend_on_the_pieces(sizes: list[int], channels: int) -> None:
    samples = noise(sum(sizes) / 44_100, channels=channels)
    builder = EnvelopeBuilder(44_100)
    for piece in np.split(samples, np.cumsum(sizes)[:-1], axis=1):
        builder.add(piece)
    envelope = builder.finish()
    assert envelope.total_samples == samples.shape[1]
    assert builder.peak == pytest.approx(float(np.abs(samples).max(initial=0.0)))
    np.testing.assert_allclose(envelope.mean_square, envelope_of(samples).mean_square, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 0.005, -0.3])
@pytest.mark.parametrize("pitch_hz", [30, 40, 50, 60, 100, 440, 3_000])
def test_the_level_of_a_tone_is_its_mean_square_without_the_offset(pitch_hz: int, offset: float) -> None:
    """Over more hops than are computed at once, so that there are seams."""
    samples = (0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(45 * 8_000) / 8_000) + offset).astype(np.float32)
    levels = envelope_of(samples[np.newaxis], 8_000).mean_square
    by_tenth = levels.reshape(-1, 10).mean(axis=1)
    level_db = 10 * np.log10(by_tenth / 0.125)
    np.testing.assert_allclose(level_db[1:-1], 0, atol=1 if pitch_hz < 100 else 0.05)
    np.testing.assert_allclose(level_db, 0, atol=3)


@pytest.mark.parametrize(("pitch_hz", "loss_db"), [(1, 60), (5, 46), (8, 27)])
def test_infrasound_has_next_to_no_level(pitch_hz: float, loss_db: float) -> None:
    swing = (0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(40_000) / 8_000)).astype(np.float32)
    inner = envelope_of(swing[np.newaxis], 8_000).mean_square[50:-50]
    assert 10 * np.log10(inner.mean() / 0.125) < -loss_db


@pytest.mark.parametrize("offset", [0.005, -1 / 128, 0.1, 0.5])
def test_an_offset_has_no_level_from_the_first_hop_of_a_silence_to_its_last(offset: float) -> None:
    bass = 0.3 * np.sin(2 * np.pi * 40 * np.arange(16_000) / 8_000)
    samples = np.concatenate([bass, np.zeros(8_000), bass]) + offset
    levels = envelope_of(samples[np.newaxis].astype(np.float32), 8_000).mean_square
    assert levels[200:300].max() < 1e-10
    assert levels[:200].min() > 1e-4
    assert levels[300:].min() > 1e-4


def test_opposite_channels_are_as_loud_as_equal_ones() -> None:
    equal = tone(1, channels=2)
    opposite = equal * np.array([[1], [-1]], np.float32)
    np.testing.assert_array_equal(envelope_of(equal).mean_square, envelope_of(opposite).mean_square)


@pytest.mark.parametrize("silent_channels", [1, 7])
def test_music_in_one_channel_is_as_loud_as_alone(silent_channels: int) -> None:
    one_sided = np.concatenate([silence(1, channels=silent_channels), tone(1)])
    np.testing.assert_allclose(envelope_of(one_sided).mean_square, envelope_of(tone(1)).mean_square, rtol=1e-6)


def test_samples_that_are_not_numbers_count_as_zero() -> None:
    samples = tone(0.1, amplitude=0.5)
    samples[0, 100:103] = [np.nan, np.inf, -np.inf]
    builder = EnvelopeBuilder(44_100)
    builder.add(samples)
    assert builder.bad_samples == 3
    assert builder.peak <= 0.5
    assert np.isfinite(builder.finish().mean_square).all()


def test_an_empty_stream_has_an_empty_envelope() -> None:
    envelope = EnvelopeBuilder(44_100).finish()
    assert envelope.total_samples == 0
    assert envelope.mean_square.size == 0
    assert hop_energy(envelope).size == 0
    assert window_rms(envelope, 0, 0).size == 0


_ORACLE = """
import sys
import librosa, numpy
sounds = numpy.load(sys.argv[1])
numpy.savez(sys.argv[2], **{
    window: librosa.feature.rms(y=sounds[window], frame_length=int(window), hop_length=int(window), center=False)[0]
    for window in sounds.files
})
"""


@pytest.mark.long  # librosa compiles at its first use
@pytest.mark.slow
def test_windows_agree_with_librosa(tmp_path: Path) -> None:
    """In a process of its own, because coverage would trace all of librosa."""
    pytest.importorskip("librosa")
    sounds = {
        rate_hz: noise(3.456, rate_hz) * np.linspace(0, 1, round(3.456 * rate_hz), dtype=np.float32)
        for rate_hz in RATES_HZ
    }
    windows = {rate_hz: HOPS_PER_WINDOW * hop_length(rate_hz) for rate_hz in RATES_HZ}
    assert len(set(windows.values())) == len(RATES_HZ)
    np.savez(tmp_path / "sounds.npz", **{str(windows[rate_hz]): sound[0] for rate_hz, sound in sounds.items()})
    command = [sys.executable, "-c", _ORACLE, str(tmp_path / "sounds.npz"), str(tmp_path / "rms.npz")]
    subprocess.run(command, check=True)
    with np.load(tmp_path / "rms.npz") as oracles:
        for rate_hz, samples in sounds.items():
            oracle = oracles[str(windows[rate_hz])]
            measured = window_rms(envelope_of(samples, rate_hz), 0, samples.shape[1])
            np.testing.assert_allclose(measured[: oracle.size], oracle, rtol=0.01)
            assert measured.size == -(-samples.shape[1] // windows[rate_hz])


def test_a_last_window_that_is_not_full_is_averaged_over_its_own_samples() -> None:
    envelope = Envelope(44_100, 441, 4410 + 100, np.full(11, 0.25, np.float32))
    np.testing.assert_allclose(window_rms(envelope, 0, 4510), [0.5, 0.5], rtol=1e-6)


def test_windows_start_where_the_stretch_starts() -> None:
    envelope = envelope_of(joined(silence(0.15), tone(0.1), silence(0.15)))
    loud = window_rms(envelope, 6615, 11_025)
    np.testing.assert_allclose(loud, [0.8 / np.sqrt(2)], rtol=1e-3)


def test_a_stretch_off_the_hop_grid_takes_the_hop_as_constant() -> None:
    envelope = Envelope(44_100, 441, 44_100, np.full(100, 0.0625, np.float32))
    np.testing.assert_allclose(window_rms(envelope, 100, 9_999), 0.25, rtol=1e-6)


def test_silence_after_something_loud_measures_exactly_zero() -> None:
    envelope = envelope_of(joined(noise(20, rms=0.3), silence(1)))
    assert window_rms(envelope, 20 * 44_100, 21 * 44_100).max() == 0
