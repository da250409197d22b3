"""Passages lie between silences: the vectors of the specification, and properties at every sample rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.audio.envelope import hop_length
from wkmp_assets.audio.silence import find_passages, over_segmentation_warning
from wkmp_assets.model import ticks
from wkmp_assets.model.values import Envelope, Span
from wkmp_assets_tests.audio.sounds import Samples, envelope_of, joined, noise, silence, tone, tone_samples

RATES_HZ = [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]
MINIMUM_TICKS = 8_467_200
"""300 ms"""
PASSAGE_TICKS = 2_822_400
"""100 ms"""


def passages_of(
    samples: Samples,
    rate_hz: int = 44_100,
    *,
    threshold_db: float = 35.0,
    min_silence_ticks: int = MINIMUM_TICKS,
) -> list[tuple[int, int]]:
    found = find_passages(
        envelope_of(samples, rate_hz),
        silence_threshold_db=threshold_db,
        min_silence_ticks=min_silence_ticks,
        min_passage_ticks=PASSAGE_TICKS,
    )
    return [(span.start_sample, span.end_sample) for span in found]


def in_ticks(spans: list[tuple[int, int]], rate_hz: int) -> list[tuple[int, int]]:
    return [(ticks.from_samples(start, rate_hz), ticks.from_samples(end, rate_hz)) for start, end in spans]


def seconds(*values: float) -> tuple[int, ...]:
    return tuple(round(value * ticks.TICKS_PER_SECOND) for value in values)


@pytest.mark.parametrize(("db", "linear"), [(35, 0.0177828), (12, 0.2511886)])
def test_decibels_below_full_scale_are_the_amplitudes_of_the_reference(db: float, linear: float) -> None:
    assert 10 ** (-db / 20) == pytest.approx(linear, rel=1e-5)
    square = np.where(np.arange(44_100) % 98 < 49, linear, -linear)[np.newaxis].astype(np.float32)
    just_above, just_below = square * np.float32(1.001), square * np.float32(0.999)
    assert passages_of(just_above, threshold_db=db) == [(0, 44_100)]
    assert passages_of(just_below, threshold_db=db) == []


@pytest.mark.slow
def test_three_seconds_of_faint_noise_between_two_tones_make_two_passages() -> None:
    faint = tone(3, amplitude=10 ** (-50 / 20) * np.sqrt(2))
    found = in_ticks(passages_of(joined(tone(180), faint, tone(177))), 44_100)
    assert found == [seconds(0, 180), seconds(183, 360)]


def test_a_tone_without_silence_is_one_passage() -> None:
    assert in_ticks(passages_of(tone(1)), 44_100) == [(0, 28_224_000)]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_one_second_of_silence_is_cut_out_to_the_tick(rate_hz: int) -> None:
    samples = joined(tone(1, rate_hz), silence(1, rate_hz), tone(3, rate_hz))
    found = passages_of(samples, rate_hz)
    if rate_hz % 100 == 0:
        assert in_ticks(found, rate_hz) == [seconds(0, 1), seconds(2, 5)]
    else:
        assert _distance(found, [(0, rate_hz), (2 * rate_hz, 5 * rate_hz)]) < hop_length(rate_hz)


def _distance(found: list[tuple[int, int]], expected: list[tuple[int, int]]) -> int:
    return int(np.abs(np.array(found) - np.array(expected)).max())


def test_a_click_one_sample_too_short_for_a_passage_is_no_audio() -> None:
    click = np.full((1, 44), 0.9, np.float32)
    samples = joined(np.zeros((1, 22_050), np.float32), click, np.zeros((1, 4_365), np.float32))
    assert samples.shape[1] == 26_459
    assert passages_of(samples) == []


@pytest.mark.parametrize("length_s", [0.01, 0.2, 0.3, 5.0])
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_nothing_but_zeros_is_no_audio(length_s: float, rate_hz: int) -> None:
    assert passages_of(silence(length_s, rate_hz), rate_hz) == []


def test_zeros_are_no_audio_even_when_every_passage_is_long_enough() -> None:
    envelope = envelope_of(silence(0.2))
    assert find_passages(envelope, silence_threshold_db=35, min_silence_ticks=MINIMUM_TICKS, min_passage_ticks=0) == ()


def test_an_empty_envelope_is_no_audio() -> None:
    nothing = Envelope(44_100, 441, 0, np.zeros(0, np.float32))
    assert find_passages(nothing, silence_threshold_db=35, min_silence_ticks=0, min_passage_ticks=0) == ()


def test_opposite_channels_are_not_silent() -> None:
    left = tone(2)
    assert passages_of(np.concatenate([left, -left])) == [(0, 88_200)]


@pytest.mark.parametrize("offset", [0.005, -1 / 128])
def test_an_offset_is_silence(offset: float) -> None:
    gap = joined(tone(3, 8_000), silence(3, 8_000), tone(3, 8_000)) + np.float32(offset)
    assert passages_of(gap, 8_000, threshold_db=64.0) == [(0, 24_000), (48_000, 72_000)]
    assert passages_of(silence(10, 8_000) + np.float32(offset), 8_000, threshold_db=64.0) == []


def test_music_in_one_of_eight_channels_is_judged_as_if_alone() -> None:
    music = tone(3, 8_000, amplitude=0.001)
    assert passages_of(joined(music), 8_000, threshold_db=64.0) == [(0, 24_000)]
    surround = np.concatenate([silence(3, 8_000, channels=7), music])
    assert passages_of(surround, 8_000, threshold_db=64.0) == [(0, 24_000)]


def test_silence_at_both_ends_is_left_out() -> None:
    samples = joined(silence(1), tone(2), silence(3))
    assert passages_of(samples) == [(44_100, 3 * 44_100)]


def test_a_passage_shorter_than_the_minimum_is_dropped() -> None:
    samples = joined(tone(1), silence(1), tone(0.09), silence(1), tone(1))
    assert passages_of(samples) == [(0, 44_100), (round(3.09 * 44_100), round(4.09 * 44_100))]


def test_a_faint_click_does_not_end_a_silence() -> None:
    gap = silence(2)
    gap[0, 40_000:40_200] = 0.05
    assert passages_of(joined(tone(1), gap, tone(1)), min_silence_ticks=round(1.9 * ticks.TICKS_PER_SECOND)) == [
        (0, 44_100),
        (3 * 44_100, 4 * 44_100),
    ]


@pytest.mark.slow
@given(
    rate_hz=st.sampled_from(RATES_HZ),
    start_s=st.floats(2.1, 3.1),
    extra_samples=st.integers(0, 2_000),
    minimum_s=st.sampled_from([0.05, 0.1, 0.15, 0.3, 0.5, 1.0]),
)
def test_every_gap_of_the_minimum_length_is_found_wherever_it_starts(
    rate_hz: int, start_s: float, extra_samples: int, minimum_s: float
) -> None:
    start = round(start_s * rate_hz)
    length = round(minimum_s * rate_hz) + extra_samples
    samples = noise(start_s + minimum_s + 2.5, rate_hz, rms=0.2)
    samples[:, start : start + length] = 0
    found = passages_of(samples, rate_hz, min_silence_ticks=ticks.from_samples(round(minimum_s * rate_hz), rate_hz))
    assert len(found) == 2
    assert _distance(found, [(0, start), (start + length, samples.shape[1])]) < hop_length(rate_hz)


@pytest.mark.slow
@given(
    rate_hz=st.sampled_from(RATES_HZ),
    start_s=st.floats(0.5, 1.5),
    minimum_s=st.sampled_from([0.15, 0.3, 1.0]),
)
def test_a_gap_more_than_two_hops_too_short_belongs_to_the_music(
    rate_hz: int, start_s: float, minimum_s: float
) -> None:
    start = round(start_s * rate_hz)
    length = round(minimum_s * rate_hz) - 2 * hop_length(rate_hz)
    samples = tone_samples(3 * rate_hz, rate_hz)
    samples[:, start : start + length] = 0
    found = passages_of(samples, rate_hz, min_silence_ticks=ticks.from_samples(round(minimum_s * rate_hz), rate_hz))
    assert found == [(0, 3 * rate_hz)]


@given(
    levels=st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.1, 0.5]), min_size=1, max_size=60),
    hops=st.integers(1, 30),
    min_silence_ticks=st.integers(0, 28_224_000),
    min_passage_ticks=st.integers(0, 28_224_000),
    follows_noise_floor=st.booleans(),
)
def test_passages_are_ordered_apart_long_enough_and_inside_the_file(
    levels: list[float], hops: int, min_silence_ticks: int, min_passage_ticks: int, follows_noise_floor: bool
) -> None:
    power = np.repeat(np.array(levels, np.float32) ** 2, hops)
    envelope = Envelope(44_100, 441, power.size * 441 - 100, power)
    found = find_passages(
        envelope,
        silence_threshold_db=35,
        min_silence_ticks=min_silence_ticks,
        min_passage_ticks=min_passage_ticks,
        follows_noise_floor=follows_noise_floor,
    )
    edges = [edge for span in found for edge in (span.start_sample, span.end_sample)]
    assert edges == sorted(set(edges))
    assert all(0 <= edge <= envelope.total_samples for edge in edges)
    assert all(span.length_samples > 0 for span in found)
    assert all(ticks.from_samples(span.length_samples, 44_100) >= min_passage_ticks for span in found)


def test_an_ordinary_file_in_nine_pieces_gets_a_warning_that_names_the_settings() -> None:
    envelope = envelope_of(tone(10))
    nine = [Span(index, index + 1) for index in range(9)]
    warning = over_segmentation_warning(envelope, nine)
    assert warning is not None
    assert "silence_threshold_dB" in warning
    assert "silence_min_duration_ticks" in warning
    assert over_segmentation_warning(envelope, nine[:8]) is None


def test_a_long_file_may_have_many_passages() -> None:
    quarter_hour = Envelope(100, 1, 15 * 60 * 100, np.ones(15 * 60 * 100, np.float32))
    assert over_segmentation_warning(quarter_hour, [Span(index, index + 1) for index in range(24)]) is None


LIBRARY = {
    "silence_threshold_db": 64.0,
    "min_silence_ticks": round(1.8 * ticks.TICKS_PER_SECOND),
    "min_passage_ticks": PASSAGE_TICKS,
}
"""The default settings of a library."""


def spans_of(levels: Samples, **settings_of_find: bool) -> list[tuple[float, float]]:
    """Return passages in seconds, from the mean squares of hops of 10 ms."""
    envelope = Envelope(8_000, 80, levels.size * 80, levels.astype(np.float32))
    found = find_passages(envelope, **LIBRARY, **settings_of_find)
    return [(span.start_sample / 8_000, span.end_sample / 8_000) for span in found]


def power(*parts: tuple[float, float]) -> Samples:
    """Return mean squares from parts of (seconds, dBFS)."""
    return np.concatenate([np.full(round(100 * length_s), 10 ** (level / 10)) for length_s, level in parts])


@pytest.mark.parametrize("floor_db", [-70, -65, -60, -50, -40])
@pytest.mark.parametrize("is_vinyl", [False, True])
def test_a_gap_full_of_noise_is_found_where_the_noise_floor_is_followed(floor_db: int, is_vinyl: bool) -> None:
    rng = np.random.default_rng(5)
    music = power((200, -18), (200, -16), (180, -20)) * rng.chisquare(6, 58_000) / 6
    music[20_000:20_350] = 0
    music[40_000:40_210] = 0
    hiss = 10 ** (floor_db / 10) * rng.chisquare(40, music.size) / 40
    if is_vinyl:
        hiss[rng.choice(music.size, music.size // 50, replace=False)] = 10 ** (-20 / 10)
    found = spans_of(music + hiss, follows_noise_floor=True)
    expected = [(0, 200), (203.5, 400), (402.1, 580)]
    np.testing.assert_allclose(found, expected, atol=0.1)
    if floor_db > -60:
        assert spans_of(music + hiss) == [(0, 580)]


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param([(0.3, level) for level in range(-40, -60, -2)], id="uneven: a decay"),
        pytest.param([(1.5, -60)], id="short"),
    ],
)
def test_a_rest_of_one_piece_is_no_gap_full_of_noise(rest: list[tuple[float, float]]) -> None:
    rng = np.random.default_rng(6)
    levels = power((200, -18), *rest, (200, -16))
    levels = levels * rng.chisquare(40, levels.size) / 40
    assert spans_of(levels, follows_noise_floor=True) == [(0, levels.size / 100)]


def test_an_even_quiet_end_is_no_gap_full_of_noise() -> None:
    levels = power((200, -18), (5, -50))
    assert spans_of(levels, follows_noise_floor=True) == [(0, 205)]


@pytest.mark.parametrize("follows_noise_floor", [False, True])
@pytest.mark.parametrize("room_db", [-110, -55])
def test_spoken_word_is_one_passage(room_db: float, follows_noise_floor: bool) -> None:
    rng = np.random.default_rng(7)
    sentences = [
        part for _ in range(80) for part in ((rng.uniform(2, 6), -22.0), (rng.uniform(0.3, 1.2), -120.0), (1.5, -25.0))
    ]
    sentences[40:40] = [(2.5, -120.0)]
    sentences[120:120] = [(3.0, -120.0)]
    speech = power(*sentences)
    levels = np.concatenate([np.zeros(300), speech, np.zeros(300)])
    levels += 10 ** (room_db / 10) * rng.chisquare(40, levels.size) / 40
    found = spans_of(levels, follows_noise_floor=follows_noise_floor)
    assert len(found) == 1
    if room_db < -64:
        np.testing.assert_allclose(found, [(3, 3 + speech.size / 100)], atol=0.02)


def test_a_voice_that_never_falls_silent_between_words_is_one_passage() -> None:
    rng = np.random.default_rng(7)
    words = [
        part for _ in range(200) for part in ((rng.uniform(1, 3), -20.0), (rng.uniform(0.2, 0.6), -50.0), (0.5, -18.0))
    ]
    for position in range(580, 0, -60):
        words[position:position] = [(2.2, -120.0)]
    assert len(spans_of(power(*words))) == 1


def test_short_tracks_with_few_rests_are_several_passages() -> None:
    tracks = [(30.0, -20.0), (0.5, -50.0), (10.0, -18.0), (2.5, -120.0)] * 8
    assert len(spans_of(power(*tracks))) == 8


@pytest.mark.parametrize("stray", [0.15, 1.9])
def test_a_stretch_under_two_seconds_beside_music_is_no_passage(stray: float) -> None:
    assert spans_of(power((40, -20), (2.5, -100), (stray, -20))) == [(0, 40)]
    assert spans_of(power((stray, -20), (2.0, -100), (40, -20))) == [(stray + 2, stray + 42)]


def test_a_file_of_short_sounds_keeps_them() -> None:
    assert spans_of(power((1, -20), (3, -100), (1.5, -20))) == [(0, 1), (4, 5.5)]


def test_a_person_who_chose_short_silences_gets_short_passages() -> None:
    samples = joined(tone(1, 8_000), silence(1, 8_000), tone(3, 8_000))
    assert passages_of(samples, 8_000) == [(0, 8_000), (16_000, 40_000)]


def test_quiet_music_is_not_silence() -> None:
    rng = np.random.default_rng(8)
    notes = np.repeat(rng.uniform(-72, -63, 80), 50)
    assert spans_of(np.concatenate([10 ** (notes / 10), np.zeros(300), 10 ** (notes / 10)])) == [(0, 40), (43, 83)]


@pytest.mark.parametrize("level_db", [-66, -75, -96])
@pytest.mark.parametrize("varies_by_db", [0.0, 0.3])
def test_hum_hiss_and_dither_are_not_quiet_music(level_db: float, varies_by_db: float) -> None:
    rng = np.random.default_rng(9)
    assert spans_of(10 ** ((level_db + varies_by_db * rng.standard_normal(3_000)) / 10)) == []
    wandering = level_db + varies_by_db * np.sin(np.arange(3_000) / 100)
    assert spans_of(10 ** (wandering / 10)) == []


def test_steps_of_16_bit_are_not_quiet_music() -> None:
    rng = np.random.default_rng(9)
    assert spans_of(10 ** (np.repeat(rng.uniform(-100, -82, 60), 50) / 10)) == []
