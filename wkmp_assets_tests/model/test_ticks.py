"""Ticks are exact: tables and vectors of the domain reference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wkmp_assets.model import ticks

TICKS_PER_SAMPLE = {
    8_000: 3528, 11_025: 2560, 12_000: 2352, 16_000: 1764, 22_050: 1280, 24_000: 1176, 32_000: 882,
    44_100: 640, 48_000: 588, 64_000: 441, 88_200: 320, 96_000: 294, 176_400: 160, 192_000: 147, 352_800: 80,
}  # fmt: skip


@pytest.mark.parametrize(("rate_hz", "expected"), TICKS_PER_SAMPLE.items())
def test_one_sample_at_a_common_rate_is_a_whole_number_of_ticks(rate_hz: int, expected: int) -> None:
    assert ticks.is_exact(rate_hz)
    assert ticks.from_samples(1, rate_hz) == expected


@pytest.mark.parametrize(
    ("samples", "rate_hz", "expected"),
    [
        (220_500, 44_100, 141_120_000),
        (240_000, 48_000, 141_120_000),
        (40_000, 8_000, 141_120_000),
        (132_300, 44_100, 84_672_000),
        (144_000, 48_000, 84_672_000),
        (4_409, 44_100, 2_821_760),
        (-44_100, 44_100, -28_224_000),
        (0, 44_100, 0),
    ],
)
def test_sample_counts_become_the_ticks_of_the_reference(samples: int, rate_hz: int, expected: int) -> None:
    assert ticks.from_samples(samples, rate_hz) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (5, 141_120_000), (10, 282_240_000), (55, 1_552_320_000), (234.5, 6_618_528_000),
        (177, 4_995_648_000), (2.3, 64_915_200), (0.1, 2_822_400), (0.3, 8_467_200), (0.001, 28_224),
    ],
)  # fmt: skip
def test_seconds_become_the_ticks_of_the_reference(seconds: float, expected: int) -> None:
    assert ticks.from_samples(round(seconds * 48_000), 48_000) == expected


@pytest.mark.parametrize(
    ("samples", "rate_hz", "expected"),
    [(1, 384_000, 74), (2, 384_000, 147), (-1, 384_000, -74), (1, 37_800, 747), (3, 37_800, 2240)],
)
def test_a_rate_that_does_not_divide_rounds_half_away_from_zero(samples: int, rate_hz: int, expected: int) -> None:
    assert not ticks.is_exact(rate_hz)
    assert ticks.from_samples(samples, rate_hz) == expected


@given(samples=st.integers(0, 2**40), rate_hz=st.sampled_from(sorted(TICKS_PER_SAMPLE)))
def test_ticks_of_any_length_divide_back_into_the_same_samples(samples: int, rate_hz: int) -> None:
    assert ticks.from_samples(samples, rate_hz) == samples * TICKS_PER_SAMPLE[rate_hz]


@pytest.mark.parametrize("rate_hz", [0, -44_100])
def test_a_rate_that_is_not_positive_is_refused(rate_hz: int) -> None:
    with pytest.raises(ValueError, match="sample rate must be positive"):
        ticks.from_samples(1, rate_hz)
