"""Loudness beside the standards' test signals, their filters sample by sample, and FFmpeg's meter."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from numpy.typing import NDArray
from pydantic import TypeAdapter

from wkmp_assets.audio.decode import measure_file
from wkmp_assets.audio.k_weighted_power import KWeightedPower, block_form
from wkmp_assets.audio.k_weighting import biquads, channel_weights
from wkmp_assets.audio.loudness import ABSOLUTE_GATE_LUFS, Loudness, LoudnessBuilder, measure_loudness
from wkmp_assets.model.values import LoudnessCurve, SoundMeasures, Span
from wkmp_assets_tests.audio.sounds import write_sound

RATE_HZ = 16_000
MUSIC = Path(__file__).parents[2] / "test_data/sample_library"
Samples = NDArray[np.float32]


def sines(*parts: tuple[float, float], channels: int = 2, hz: float = 1_000.0) -> Samples:
    """Return one sine with the given levels (dBFS) and lengths (s), alike in all channels."""
    levels = np.concatenate([np.full(round(length_s * RATE_HZ), 10 ** (db / 20)) for db, length_s in parts])
    one = levels * np.sin(2 * np.pi * hz * np.arange(levels.size) / RATE_HZ)
    return np.tile(one.astype(np.float32), (channels, 1))


def curve_of(samples: Samples, rate_hz: int = RATE_HZ, *names: str) -> LoudnessCurve:
    builder = LoudnessBuilder(rate_hz, channel_weights(names or ["?"] * len(samples)))
    builder.add(samples)
    return builder.finish()


def loudness_of(samples: Samples, *names: str) -> Loudness:
    found = measure_loudness(curve_of(samples, RATE_HZ, *names), Span(0, samples.shape[1]))
    assert found is not None
    return found


TECH_3341 = {
    "1": (((-23, 20),), -23.0), "2": (((-33, 20),), -33.0), "3": (((-36, 10), (-23, 60), (-36, 10)), -23.0),
    "4": (((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0),
    "5": (((-26, 20), (-20, 20.1), (-26, 20)), -23.0),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "expected_lufs"), TECH_3341.values(), ids=TECH_3341)
def test_the_signals_of_ebu_tech_3341_have_their_loudness(
    parts: tuple[tuple[float, float], ...], expected_lufs: float
) -> None:
    assert loudness_of(sines(*parts)).integrated_lufs == pytest.approx(expected_lufs, abs=0.1)


TECH_3342 = {
    "1": (((-20, 20), (-30, 20)), 10.0), "2": (((-20, 20), (-15, 20)), 5.0), "3": (((-40, 20), (-20, 20)), 20.0),
    "4": (((-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)), 15.0),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "expected_lu"), TECH_3342.values(), ids=TECH_3342)
def test_the_signals_of_ebu_tech_3342_have_their_range(
    parts: tuple[tuple[float, float], ...], expected_lu: float
) -> None:
    assert loudness_of(sines(*parts)).range_lu == pytest.approx(expected_lu, abs=1.0)


def test_surround_counts_more_and_low_frequency_effects_do_not_count() -> None:
    """Signal 6 of EBU Tech 3341, with a sine in the LFE channel."""
    levels = {"FL": -28.0, "FR": -28.0, "FC": -24.0, "LFE": 0.0, "BL": -30.0, "BR": -30.0}
    surround = np.concatenate([sines((level, 20.0), channels=1) for level in levels.values()])
    assert loudness_of(surround, *levels).integrated_lufs == pytest.approx(-23.0, abs=0.1)


def test_back_channels_count_once_beside_side_channels() -> None:
    seven_one = channel_weights(["FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"])
    assert seven_one.tolist() == [1, 1, 1, 0, 1, 1, 1.41, 1.41]


def test_the_coefficients_at_48_khz_are_those_of_the_recommendation() -> None:
    table = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585],
        [1, -2, 1, 1, -1.99004745483398, 0.99007225036621],
    ]
    assert biquads(48_000) == pytest.approx(np.array(table), abs=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [1_000, 8_000, 11_025, 44_100, 44_056, 192_000, 1_536_000])
def test_blocks_give_what_the_filters_give_sample_by_sample(rate_hz: int) -> None:
    from scipy.signal import sosfilt  # it loads as long as all the tests here run

    slot = block_form(rate_hz).slot_samples
    assert slot == pytest.approx(rate_hz / 10, rel=0.02)
    count = slot * 3
    noise = np.random.default_rng(1).standard_normal(count) * 0.1
    rumble = 0.3 + 0.4 * np.sin(2 * np.pi * 15 * np.arange(count) / rate_hz)
    samples = np.array([noise, noise * 1e-3 + rumble], np.float32)
    exact = (
        np.square(sosfilt(biquads(rate_hz), samples.astype(np.float64))).reshape(2, 3, slot).mean(axis=2).sum(axis=0)
    )
    assert curve_of(samples, rate_hz).power == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_tones_of_all_frequencies_have_the_power_that_the_filters_leave(rate_hz: int) -> None:
    slot = block_form(rate_hz).slot_samples
    tones_hz = np.unique(np.round(np.geomspace(30, 0.45 * rate_hz, 40) * slot / rate_hz)) * rate_hz / slot
    count = 4 * slot
    samples = 0.5 * np.sin(2 * np.pi * np.outer(tones_hz, np.arange(count)) / rate_hz)
    turn = np.exp(-2j * np.pi * tones_hz / rate_hz)
    numerators, denominators = biquads(rate_hz)[:, :3], biquads(rate_hz)[:, 3:]
    gains = np.ones(tones_hz.size)
    for above, below in zip(numerators, denominators, strict=True):
        gains *= np.abs(np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)) ** 2
    power = KWeightedPower(rate_hz, tones_hz.size).measure(samples.astype(np.float32))
    assert power[:, 2:].mean(axis=1) == pytest.approx(gains / 8, rel=1e-3)


def test_the_pieces_of_a_stream_do_not_matter() -> None:
    samples = np.random.default_rng(2).standard_normal((2, 30_000)).astype(np.float32)
    builder = LoudnessBuilder(RATE_HZ, np.ones(2))
    for piece in np.split(samples, [0, 1, 700, 12_345, 12_346], axis=1):
        builder.add(piece)
    assert builder.finish().power == pytest.approx(curve_of(samples).power, rel=1e-5)


def test_a_passage_is_measured_alone() -> None:
    quiet, loud = sines((-40, 10)), sines((-20, 10))
    curve = curve_of(np.concatenate([quiet, loud], axis=1))
    half = 10 * RATE_HZ
    found = [measure_loudness(curve, span) for span in (Span(0, half), Span(half, 2 * half))]
    assert [one and one.integrated_lufs for one in found] == pytest.approx([-40, -20], abs=0.1)
    assert found[1] is not None
    assert found[1].replaygain_db == pytest.approx(2.0, abs=0.1)


def test_silence_is_at_the_gate_and_a_click_has_no_loudness() -> None:
    silence = loudness_of(np.zeros((1, 5 * RATE_HZ), np.float32))
    assert (silence.integrated_lufs, silence.range_lu) == (ABSOLUTE_GATE_LUFS, 0.0)
    assert loudness_of(sines((-20, 2))).range_lu is None
    assert measure_loudness(curve_of(sines((-20, 0.3))), Span(0, RATE_HZ)) is None
    assert measure_loudness(curve_of(np.zeros((1, 0), np.float32)), Span(0, 0)) is None


def meter(path: Path) -> dict[str, str]:
    """Return what FFmpeg's `ebur128` says at the end of a file."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        graph = Graph()
        source, filters, sink = graph.add_abuffer(template=stream), graph.add("ebur128", "metadata=1"), None
        sink = graph.add("abuffersink")
        source.link_to(filters)
        filters.link_to(sink)
        graph.configure()
        said: dict[str, str] = {}
        for frame in container.decode(stream):
            source.push(frame)
            for out in pulled(sink):
                said = dict(out.metadata)
    return said


def pulled(sink: av.filter.context.FilterContext) -> Iterator[av.AudioFrame]:
    while True:
        try:
            yield sink.pull()  # type: ignore[misc]  # a sink of sound gives no pictures
        except (av.error.BlockingIOError, av.error.EOFError):
            return


@pytest.mark.slow
def test_music_has_the_loudness_that_ffmpeg_measures() -> None:
    path = min(MUSIC.rglob("*.ogg"), key=lambda one: one.stat().st_size)
    audio, envelope = measure_file(path, pcm_path=None, display_path=path.name)
    assert envelope.loudness is not None
    found, said = measure_loudness(envelope.loudness, Span(0, audio.total_samples)), meter(path)
    assert found is not None
    assert found.integrated_lufs == pytest.approx(float(said["lavfi.r128.I"]), abs=0.05)
    assert found.range_lu == pytest.approx(float(said["lavfi.r128.LRA"]), abs=0.3)


def test_opposite_channels_do_not_cancel_each_other(tmp_path: Path) -> None:
    """As they did in the mono mix of the estimate."""
    one = sines((-20, 2), channels=1)[0]
    path = write_sound(tmp_path / "a.wav", np.stack([one, -one]), rate_hz=RATE_HZ)
    audio, envelope = measure_file(path, pcm_path=None, display_path=path.name)
    assert envelope.loudness is not None
    found = measure_loudness(envelope.loudness, Span(0, audio.total_samples))
    assert found is not None
    assert found.integrated_lufs == pytest.approx(-20, abs=0.1)


def test_measures_of_an_earlier_version_have_an_estimate_and_no_loudness() -> None:
    stored = {"bpm": 1, "key": "C", "scale": "major", "key_clarity": 0, "loudness_lufs": -15.5, "crest_factor_db": 3}
    kind = TypeAdapter(SoundMeasures)
    measures = kind.validate_python(stored)
    assert (measures.level_estimate_db, measures.integrated_lufs) == (-15.5, None)
    assert kind.validate_json(kind.dump_json(measures)) == measures
