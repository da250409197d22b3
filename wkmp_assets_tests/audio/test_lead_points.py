"""Lead points: the vectors of the specification, to the tick, and the limits of the rules."""

import numpy as np
import pytest

from wkmp_assets.audio.lead_points import clipping_warnings, find_lead_points
from wkmp_assets.model import ticks
from wkmp_assets.model.lead_presets import LEAD_PRESETS, LeadPreset
from wkmp_assets.model.values import LeadPointParameters, PassageLeadPoints, Span
from wkmp_assets_tests.audio.sounds import Samples, envelope_of, joined, silence, tone

PARAMETERS = LeadPointParameters(lead_in_threshold_db=-12.0, lead_out_threshold_db=-12.0)


def faded(length_s: float, fade_in_s: float, fade_out_s: float, rate_hz: int = 44_100) -> Samples:
    samples = tone(length_s, rate_hz)
    fade_in, fade_out = round(fade_in_s * rate_hz), round(fade_out_s * rate_hz)
    if fade_in:
        samples[:, :fade_in] *= np.arange(fade_in, dtype=np.float32) / fade_in
    if fade_out:
        samples[:, -fade_out:] *= np.arange(fade_out, 0, -1, dtype=np.float32) / fade_out
    return samples


def lead_points(samples: Samples, parameters: LeadPointParameters = PARAMETERS) -> PassageLeadPoints:
    return find_lead_points(envelope_of(samples), Span(0, samples.shape[1]), parameters)


def in_ticks(found: PassageLeadPoints) -> tuple[int, int]:
    assert found.lead_in_sample is not None
    assert found.lead_out_sample is not None
    return ticks.from_samples(found.lead_in_sample, 44_100), ticks.from_samples(found.lead_out_sample, 44_100)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(faded(20, 0, 0), (0, 564_480_000), id="constant"),
        pytest.param(faded(40, 3, 3), (22_579_200, 1_106_380_800), id="three-second-fades"),
        pytest.param(faded(60, 8, 8), (56_448_000, 1_636_992_000), id="eight-second-fades"),
        pytest.param(faded(60, 0, 10), (0, 1_622_880_000), id="ten-second-fade-out"),
        pytest.param(faded(20, 0.5, 0), (0, 564_480_000), id="half-second-attack"),
    ],
)
def test_lead_points_are_those_of_the_reference(samples: Samples, expected: tuple[int, int]) -> None:
    assert in_ticks(lead_points(samples)) == expected


def test_a_passage_is_judged_by_itself_and_its_points_count_from_the_file_start() -> None:
    samples = joined(tone(5), silence(2), faded(40, 3, 3), silence(2), tone(5))
    span = Span(7 * 44_100, 47 * 44_100)
    found = find_lead_points(envelope_of(samples), span, PARAMETERS)
    assert found.span == span
    assert in_ticks(found) == (
        22_579_200 + round(7 * ticks.TICKS_PER_SECOND),
        1_106_380_800 + round(7 * ticks.TICKS_PER_SECOND),
    )


def test_level_does_not_matter_only_shape_does() -> None:
    samples = faded(40, 3, 3)
    assert in_ticks(lead_points(samples)) == in_ticks(lead_points(samples * np.float32(0.2)))


def test_everything_before_the_lead_in_is_below_the_threshold() -> None:
    samples = faded(60, 8, 8)
    found = lead_points(samples)
    assert found.lead_in_sample is not None
    before = samples[0, : found.lead_in_sample].reshape(-1, 4410).astype(np.float64)
    assert (np.sqrt((before**2).mean(axis=1)) < found.peak_rms * 10 ** (-12 / 20)).all()


def test_quick_ramps_are_reported_on_their_own_side() -> None:
    found = lead_points(faded(60, 0, 10))
    assert found.quick_ramp_up
    assert not found.quick_ramp_down


def test_a_side_that_stays_quiet_takes_a_quarter_of_the_passage_at_most() -> None:
    samples = joined(tone(12, amplitude=0.05), tone(8))
    assert lead_points(samples).lead_in_sample == 5 * 44_100


def test_a_lead_is_never_longer_than_its_maximum() -> None:
    samples = joined(tone(50, amplitude=0.05), tone(50), tone(50, amplitude=0.05))
    shorter = LeadPointParameters(-12.0, -12.0, max_lead_in_duration_s=4.0, max_lead_out_duration_s=6.0)
    assert lead_points(samples).lead_in_sample == 10 * 44_100
    assert lead_points(samples, shorter).lead_in_sample == 4 * 44_100
    assert lead_points(samples, shorter).lead_out_sample == 144 * 44_100


def test_a_wider_window_and_thresholds_of_their_own_are_used() -> None:
    parameters = LeadPointParameters(-6.0, -18.0, rms_window_ms=200.0)
    found = lead_points(faded(60, 8, 8), parameters)
    assert in_ticks(found) == (round(4.0 * ticks.TICKS_PER_SECOND), round((60 - 1.0) * ticks.TICKS_PER_SECOND))


@pytest.mark.parametrize("length_s", [0.2, 0.35, 1.0, 3.21])
def test_points_are_ordered_and_inside_a_short_passage(length_s: float) -> None:
    samples = faded(length_s, length_s / 2, length_s / 2)
    found = lead_points(samples)
    assert found.lead_in_sample is not None
    assert found.lead_out_sample is not None
    assert 0 <= found.lead_in_sample <= found.lead_out_sample <= samples.shape[1]


def test_a_very_quiet_passage_has_no_lead_points() -> None:
    found = lead_points(tone(20, amplitude=0.06))
    assert (found.lead_in_sample, found.lead_out_sample) == (None, None)
    assert "very quiet" in found.warnings[0].text


def test_a_silent_passage_has_no_lead_points() -> None:
    found = lead_points(silence(20))
    assert found.peak_rms == 0
    assert "very quiet" in found.warnings[0].text


def test_a_passage_shorter_than_two_windows_has_no_lead_points() -> None:
    found = lead_points(tone(0.19))
    assert (found.lead_in_sample, found.lead_out_sample) == (None, None)
    assert "too short" in found.warnings[0].text


@pytest.mark.parametrize("absolute_db", [60.0, 70.0, 76.0])
def test_a_positive_threshold_is_decibels_above_one_step_of_16_bit_pcm(absolute_db: float) -> None:
    samples = faded(60, 8, 8)
    peak = lead_points(samples).peak_rms
    relative_db = absolute_db - 20 * np.log10(32768 * peak)
    absolute = LeadPointParameters(lead_in_threshold_db=absolute_db, lead_out_threshold_db=absolute_db)
    relative = LeadPointParameters(lead_in_threshold_db=relative_db, lead_out_threshold_db=relative_db)
    assert relative_db < 0
    assert in_ticks(lead_points(samples, absolute)) == in_ticks(lead_points(samples, relative))


@pytest.mark.parametrize(
    ("preset", "lead_in_s"),
    [
        # A linear fade-in of 8 s reaches -8, -12, -15 and -18 dB after 40, 25, 18 and 13 % of it, in whole windows.
        pytest.param(LeadPreset.ROCK_POP, 2.0, id="never longer than 2 s"),
        pytest.param(LeadPreset.DEFAULT, 2.0, id="default"),
        pytest.param(LeadPreset.CLASSICAL, 1.4, id="classical"),
        pytest.param(LeadPreset.ELECTRONIC, 1.0, id="electronic"),
    ],
)
def test_presets_find_the_beginning_of_their_kind_of_music(preset: LeadPreset, lead_in_s: float) -> None:
    found = lead_points(faded(60, 8, 0), LEAD_PRESETS[preset])
    assert found.lead_in_sample == round(lead_in_s * 44_100)


def test_a_beginning_that_is_quick_for_electronic_music_is_none_for_rock() -> None:
    samples = faded(60, 2, 0)
    assert lead_points(samples, LEAD_PRESETS[LeadPreset.ELECTRONIC]).quick_ramp_up
    assert not lead_points(samples, LEAD_PRESETS[LeadPreset.ROCK_POP]).quick_ramp_up


@pytest.mark.parametrize(("peak", "warned"), [(0.5, False), (0.9899, False), (0.99, True), (1.0, True), (1.3, True)])
def test_a_file_at_full_scale_may_be_clipped(peak: float, warned: bool) -> None:
    assert bool(clipping_warnings(peak)) is warned


def test_a_fade_that_clips_at_once_is_a_quick_ramp() -> None:
    samples = np.clip(faded(40, 3, 3) * 4, -1, 1)
    found = lead_points(samples)
    assert found.lead_in_sample == 0
    assert found.quick_ramp_up
