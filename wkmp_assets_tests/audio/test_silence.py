"""Passages lie between silences: the vectors of the specification, and properties at every sample rate."""

import numpy as np
import pytest
from hypothesis import given, settings
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


@settings(deadline=None, max_examples=150)
@given(
    rate_hz=st.sampled_from(RATES_HZ),
    start_s=st.floats(0.5, 1.5),
    extra_samples=st.integers(0, 2_000),
    minimum_s=st.sampled_from([0.05, 0.1, 0.15, 0.3, 0.5, 1.0]),
)
def test_every_gap_of_the_minimum_length_is_found_wherever_it_starts(
    rate_hz: int, start_s: float, extra_samples: int, minimum_s: float
) -> None:
    start = round(start_s * rate_hz)
    length = round(minimum_s * rate_hz) + extra_samples
    samples = noise(start_s + minimum_s + 1.5, rate_hz, rms=0.2)
    samples[:, start : start + length] = 0
    found = passages_of(samples, rate_hz, min_silence_ticks=ticks.from_samples(round(minimum_s * rate_hz), rate_hz))
    assert len(found) == 2
    assert _distance(found, [(0, start), (start + length, samples.shape[1])]) < hop_length(rate_hz)


@settings(deadline=None, max_examples=80)
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


@settings(deadline=None, max_examples=80)
@given(
    levels=st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.1, 0.5]), min_size=1, max_size=60),
    hops=st.integers(1, 30),
    min_silence_ticks=st.integers(0, 28_224_000),
    min_passage_ticks=st.integers(0, 28_224_000),
)
def test_passages_are_ordered_apart_long_enough_and_inside_the_file(
    levels: list[float], hops: int, min_silence_ticks: int, min_passage_ticks: int
) -> None:
    power = np.repeat(np.array(levels, np.float32) ** 2, hops)
    envelope = Envelope(44_100, 441, power.size * 441 - 100, power)
    found = find_passages(
        envelope,
        silence_threshold_db=35,
        min_silence_ticks=min_silence_ticks,
        min_passage_ticks=min_passage_ticks,
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


@pytest.mark.parametrize("floor_db", [40, 50, 60, 70])
def test_a_gap_full_of_noise_is_found_where_the_noise_floor_is_followed(floor_db: int) -> None:
    hiss = noise(65, 8_000, rms=10 ** (-floor_db / 20))
    samples = hiss + joined(tone(30, 8_000), silence(4, 8_000), tone(31, 8_000))
    envelope = envelope_of(samples, 8_000)
    settings_of_library = {
        "silence_threshold_db": 64.0,
        "min_silence_ticks": round(1.8 * ticks.TICKS_PER_SECOND),
        "min_passage_ticks": PASSAGE_TICKS,
    }
    found = find_passages(envelope, **settings_of_library, follows_noise_floor=True)
    assert _distance([(span.start_sample, span.end_sample) for span in found], [(0, 240_000), (272_000, 520_000)]) <= 80
    if floor_db < 64:
        assert len(find_passages(envelope, **settings_of_library)) == 1
