"""What the picture of a file shows, and where."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from wkmp_assets.model.values import (
    Envelope,
    LeadPoints,
    PassageLeadPoints,
    PassageSegments,
    SegmentationParameters,
    SongMatches,
    Span,
)
from wkmp_assets.report.file_picture import draw_picture, make_figure, reduce_levels
from wkmp_assets.report.file_picture_texts import shorten_path
from wkmp_assets_tests.support.builders import LEAD_PARAMETERS, RATE_HZ, audio, passage, seconds

HOP = 441
Values = tuple[PassageSegments, SongMatches, LeadPoints]


def envelope(*levels: tuple[float, float]) -> Envelope:
    """Stretches of (seconds, RMS)."""
    stretches = [np.full(round(length * RATE_HZ / HOP), level**2, np.float32) for length, level in levels]
    power = np.concatenate([np.zeros(0, np.float32), *stretches])
    return Envelope(RATE_HZ, HOP, power.size * HOP, power)


def values(sound: Envelope, *bounds: tuple[float, float], title: str | None = "Song") -> Values:
    spans = [Span(*one) for one in seconds(*bounds)]
    parameters = SegmentationParameters(64.0, 50_803_200, 2_822_400)
    segments = PassageSegments(audio(sound.total_samples), sound, tuple(spans), parameters)
    matches = [replace(passage((span.start_sample, span.end_sample), None).match, title=title) for span in spans]
    # One second of lead-in, two of lead-out.
    points = [
        PassageLeadPoints(span, span.start_sample + RATE_HZ, span.end_sample - 2 * RATE_HZ, 0.3, False, False)
        for span in spans
    ]
    return segments, SongMatches(tuple(matches)), LeadPoints(tuple(points), LEAD_PARAMETERS)


THREE = values(envelope((12, 0.5), (2.5, 0), (15, 0.25), (3, 0), (12, 0.5)), (0, 12), (14.5, 29.5), (32.5, 44.5))


def stretches(found: Values, label: str) -> list[tuple[float, float]]:
    """Where the upper half of a picture is shaded as `label`, in seconds."""
    wave = make_figure("x", *found).axes[0]
    shaded = [patch for patch in wave.patches if isinstance(patch, Rectangle) and patch.get_label() == label]
    return [(round(one.get_x(), 3), round(one.get_x() + one.get_width(), 3)) for one in shaded]


def texts(found: Values) -> list[str]:
    return [text.get_text() for text in make_figure("x", *found).axes[0].texts]


@pytest.mark.slow
def test_leads_are_shaded_where_they_are() -> None:
    assert stretches(THREE, "lead-in") == [(0, 1), (14.5, 15.5), (32.5, 33.5)]
    assert stretches(THREE, "lead-out") == [(10, 12), (27.5, 29.5), (42.5, 44.5)]


@pytest.mark.slow
def test_only_the_silences_are_grey() -> None:
    """The test reads the pixels above the waveform."""
    rows = imread(BytesIO(draw_picture("x", *THREE)))
    row = rows[60, :, :3]
    frame = np.flatnonzero(row.max(axis=1) < 0.02)
    left, right = frame.min(), frame.max()
    grey = np.flatnonzero(np.abs(row - np.array([0xD9, 0xD6, 0xCF]) / 255).max(axis=1) < 0.01)
    at_s = (grey - left) / (right - left) * 44.5
    pixel_s = 44.5 / (right - left)
    assert all(
        12 - pixel_s <= second <= 14.5 + pixel_s or 29.5 - pixel_s <= second <= 32.5 + pixel_s for second in at_s
    )
    assert at_s.size * pixel_s == pytest.approx(5.5, abs=0.2)


@pytest.mark.slow
def test_passages_are_numbered_and_named_as_far_as_there_is_room() -> None:
    assert texts(THREE) == ["1 Song · Ann", "2 Song · Ann", "3 Song · Ann"]
    long = texts(values(envelope((20, 0.5)), (0, 10), title="A " * 100))
    assert long[0].startswith("1 A A")
    assert long[0].endswith("…")


def listed(found: Values) -> list[str]:
    """The lines below the picture."""
    return [text.get_text() for text in make_figure("x", *found).axes[2].texts]


@pytest.mark.slow
def test_names_that_do_not_fit_are_listed_below_with_the_time_they_begin() -> None:
    two = values(envelope((200, 0.5)), (0, 95), (100, 105), title="A Song")
    assert texts(two) == ["1", "2"]
    assert listed(two) == ["0:00  1 A Song · Ann", "1:40  2 A Song · Ann"]
    assert imread(BytesIO(draw_picture("x", *two))).shape[0] > 420


@pytest.mark.slow
@pytest.mark.long
def test_a_file_of_very_many_passages_has_numbers_apart_from_each_other_and_a_list_that_ends() -> None:
    many = values(envelope((1200, 0.5)), *((start, start + 9.0) for start in range(0, 1200, 10)))
    numbers = [int(text) for text in texts(many)]
    assert numbers[0] == 1
    assert set(np.diff(numbers)) == {3}, "2 % of 20 minutes are 24 s"
    assert len(listed(many)) == 60
    assert listed(many)[-1] == "and 61 more"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Artist/Album/Song.flac", "Artist/Album/Song.flac"),
        ("A" * 30 + "/Album of it/Song.flac", "…/Album of it/Song.flac"),
        ("A" * 30 + "/" + "B" * 30 + "/Song.flac", "…/Song.flac"),
        ("x/" + "千" * 20 + ".flac", "…/" + "千" * 10 + "…"),
    ],
)
def test_a_long_path_keeps_the_name_of_its_file(path: str, expected: str) -> None:
    assert shorten_path(path, 24) == expected


def test_a_file_of_a_second_is_drawn_without_holes_and_timed_in_tenths() -> None:
    short = values(envelope((1, 0.5)), (0, 1))
    figure = make_figure("x", *short)
    figure.canvas.draw()
    wave, level = figure.axes
    (width,) = wave.collections[0].get_linewidths()
    assert width / 72 * figure.dpi * 100 == pytest.approx(wave.get_window_extent().width, rel=0.3)
    assert {"0:00.0", "0:00.1", "0:00.2", "0:01.0"} <= {label.get_text() for label in level.get_xticklabels()}


@pytest.mark.slow
@pytest.mark.parametrize("title", ["$x^{", "日本", "a\nb\x00", "\udcff", "🎵", "<b>", "مرحبا"])
def test_any_name_can_be_drawn(title: str) -> None:
    png = draw_picture(title, *values(envelope((20, 0.5)), (0, 20), title=title))
    assert imread(BytesIO(png)).shape == (420, 1040, 4)


@pytest.mark.slow
def test_a_file_without_passages_or_lead_points_has_a_picture() -> None:
    silent = values(envelope((15, 0)))
    assert stretches(silent, "silence") == [(0, 15)]
    assert texts(silent)[0].startswith("no passages")
    assert imread(BytesIO(draw_picture("x", *values(envelope())))).shape == (420, 1040, 4)
    segments, matches, leads = values(envelope((15, 0.01)), (0, 15))
    unknown = replace(leads, passages=(replace(leads.passages[0], lead_in_sample=None, lead_out_sample=None),))
    assert stretches((segments, matches, unknown), "lead-in") == []
    assert texts((segments, matches, unknown)) == ["1 Song · Ann"]


def test_columns_keep_the_loudest_moment_and_the_mean_power() -> None:
    sound = envelope((10, 0.1), (0.01, 0.9), (10, 0.1))
    levels = reduce_levels(sound, 20)
    assert levels.loudest.max() == pytest.approx(0.9)
    assert levels.mean.max() < 0.2
    assert levels.seconds[0] == 0
    assert np.all(np.diff(levels.seconds) > 0)
    assert reduce_levels(Envelope(RATE_HZ, HOP, 0, np.zeros(0, np.float32))).mean.size == 0


def test_a_passage_keeps_its_place_however_long_the_file() -> None:
    three_hours = values(envelope((3 * 3600, 0.2)), (3600, 7200))
    assert stretches(three_hours, "lead-out") == [(7198, 7200)]
