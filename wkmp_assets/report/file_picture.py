"""The picture of a file: its level over time with passages, silences, lead points and names, and its sound below.

It is drawn from phase values and does not open the music file. matplotlib takes a second to load and is loaded only
here.
"""

from __future__ import annotations

import io
import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.report.file_picture_texts import (
    FONTS,
    LIST_COLUMNS,
    cut_text,
    drop_overlapping,
    list_passages,
    measure_width,
    name_passage,
    shorten_path,
)
from wkmp_assets.report.sound_panels import draw_sound
from wkmp_assets.report.text import clock, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from wkmp_assets.model.values import (
        Envelope,
        LeadPoints,
        PassageLeadPoints,
        PassageMatch,
        PassageSegments,
        SongMatches,
    )
    from wkmp_assets.report.sound_images import SoundImages

_INCHES = (10.4, 4.2)
"""The width that the web UI shows without scrolling."""
_SOUND_INCHES = 3.6
"""Height of the spectrogram and the chromagram together."""
_DPI = 100
_COLUMNS = 950
_TEXT_WIDTH = 1 / 130
"""Width of one letter as a share of the picture's width."""
_MAX_TITLE_LETTERS = 118
_LIST_ROW_INCHES = 0.17
_NUMBER_ROOM = 0.02
"""Width of one number as a share of the picture's width."""
_PASSAGE_COLOURS = ("#2f6f8f", "#7a5a9e")
_SILENCE, _LEAD_IN, _LEAD_OUT = "#d9d6cf", "#3c9a4f", "#d2691e"
_FLOOR_DB = -100.0
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MAX_TICKS = 14
_MANY = 20
_NONE = "no passages: nothing here is louder than the silence threshold for long enough"


@dataclass(frozen=True, eq=False)
class Levels:
    """The level of a file, one value per column of the picture."""

    seconds: NDArray[np.float64]
    """Start of each column."""
    loudest: NDArray[np.float64]
    """Largest RMS of a hop in each column, full scale = 1."""
    mean: NDArray[np.float64]
    """RMS of each column, full scale = 1."""


def reduce_levels(envelope: Envelope, most: int = _COLUMNS) -> Levels:
    """Reduce an envelope to the columns of a picture; an empty envelope has none."""
    power = envelope.mean_square.astype(np.float64)
    if not power.size:
        return Levels(power, power, power)
    starts = np.unique(np.linspace(0, power.size, min(most, power.size), endpoint=False).astype(np.intp))
    widths = np.diff(np.append(starts, power.size))
    return Levels(
        starts * envelope.hop_samples / envelope.sample_rate_hz,
        np.sqrt(np.maximum.reduceat(power, starts)),
        np.sqrt(np.add.reduceat(power, starts) / widths),
    )


def draw_picture(
    name: str,
    segments: PassageSegments,
    matches: SongMatches,
    leads: LeadPoints,
    images: SoundImages | None = None,
    note: str = "",
) -> bytes:
    """Draw one file.

    Parameters
    ----------
    name : str
        Title of the picture.
    segments, matches, leads
        Values of the phases. The passages are those of `matches`, after joining.
    images : SoundImages, optional
        Its spectrogram and its chromagram are drawn below the level.
    note : str
        What the picture says about what it lacks.

    Returns
    -------
    bytes
        A PNG, 1040 pixels wide and 420 high, 780 with images. Names that do not fit above their passages are listed
        below, which makes it higher.
    """
    figure = make_figure(name, segments, matches, leads, images, note)
    png = io.BytesIO()
    with warnings.catch_warnings():
        # Names are in any script. A glyph that no installed font has is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(png, format="png", metadata={"Software": None})
    return _reduce_colours(png) if images else png.getvalue()


def _reduce_colours(png: io.BytesIO) -> bytes:
    """Return a picture with 256 colours: a third of the size, which counts in Dagster's database."""
    from PIL import Image

    with Image.open(png) as full, io.BytesIO() as reduced:
        full.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(reduced, format="png", optimize=True)
        return reduced.getvalue()


def make_figure(
    name: str,
    segments: PassageSegments,
    matches: SongMatches,
    leads: LeadPoints,
    images: SoundImages | None = None,
    note: str = "",
) -> Figure:
    """Return the picture of a file as a matplotlib figure; see `draw_picture`."""
    # matplotlib logs every font it looks at.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.WARNING)
    from matplotlib.figure import Figure

    rate_hz = segments.audio.sample_rate_hz
    # A file without samples has a picture, too.
    end_s = segments.audio.total_samples / rate_hz or 1.0
    places = [_Place(number, match, rate_hz, end_s) for number, match in enumerate(matches.passages, 1)]
    listed = list_passages([(place.start_s, place.name) for place in places]) if _need_a_list(places) else []
    list_inches = _LIST_ROW_INCHES * -(-len(listed) // LIST_COLUMNS)
    sound_inches = [_SOUND_INCHES / 2] * 2 if images else []
    inches = [*sound_inches, *([list_inches] if listed else ())]
    figure = Figure(figsize=(_INCHES[0], _INCHES[1] + sum(inches)), dpi=_DPI, layout="constrained")
    wave, level, *below = figure.subplots(2 + len(inches), 1, height_ratios=[3, 1, *inches])
    timed = [wave, level, *below[: len(sound_inches)]]
    for axes in timed[1:]:
        axes.sharex(wave)
    if images:
        draw_sound(below[0], below[1], images)
    figure.suptitle(
        shorten_path(printable(name), _MAX_TITLE_LETTERS), fontsize=11, parse_math=False, fontfamily=_fonts()
    )
    for axes in (wave, level):
        axes.axvspan(0, end_s, color=_SILENCE, linewidth=0, zorder=0, label="silence")
        for place in places:
            axes.axvspan(place.start_s, place.end_s, color="white", linewidth=0, zorder=1)
    _draw_levels(wave, level, segments, matches)
    for points in leads.passages:
        _draw_leads(wave, points, rate_hz, 1.4 if len(places) <= _MANY else 0.8)
    if listed:
        _write_above(
            wave, drop_overlapping([(place.middle_s, str(place.number)) for place in places], _NUMBER_ROOM * end_s)
        )
        _write_list(below[-1], listed)
    else:
        _write_above(
            wave, [(place.middle_s, cut_text(place.name, place.room)) for place in places] or [(end_s / 2, _NONE)]
        )
    _finish(timed, end_s, note)
    return figure


class _Place:
    """Place of a passage on the picture."""

    def __init__(self, number: int, match: PassageMatch, rate_hz: int, end_s: float) -> None:
        self.number = number
        self.name = name_passage(number, match)
        self.start_s, self.end_s = match.span.start_sample / rate_hz, match.span.end_sample / rate_hz
        self.middle_s = (self.start_s + self.end_s) / 2
        self.room = (self.end_s - self.start_s) / end_s / _TEXT_WIDTH
        """Room for its name, in letters."""


def _need_a_list(places: Sequence[_Place]) -> bool:
    """Tell whether a name does not fit above its passage; a single passage has room for any name."""
    return len(places) > 1 and any(measure_width(place.name) > place.room for place in places)


def _draw_levels(wave: Axes, level: Axes, segments: PassageSegments, matches: SongMatches) -> None:
    levels = reduce_levels(segments.envelope)
    rate_hz = segments.audio.sample_rate_hz
    colours = np.full(levels.seconds.size, "#8d8a83", dtype=object)
    for number, match in enumerate(matches.passages):
        inside = slice(*np.searchsorted(levels.seconds * rate_hz, (match.span.start_sample, match.span.end_sample)))
        colours[inside] = _PASSAGE_COLOURS[number % len(_PASSAGE_COLOURS)]
    # In points. A short file has few columns; they are drawn wide enough to touch each other.
    width = max(1.2, 0.65 * _COLUMNS / max(levels.seconds.size, 1))
    middles = levels.seconds + segments.audio.total_samples / rate_hz / max(levels.seconds.size, 1) / 2
    wave.vlines(middles, -levels.loudest, levels.loudest, colors=list(colours), linewidth=width, alpha=0.5)
    wave.vlines(middles, -levels.mean, levels.mean, colors=list(colours), linewidth=width)
    largest = float(levels.loudest.max(initial=0.0)) or 1.0
    wave.set_ylim(-1.1 * largest, 1.45 * largest)
    decibels = 20 * np.log10(np.maximum(levels.mean, 10 ** (_FLOOR_DB / 20)))
    level.plot(levels.seconds, decibels, color="#444444", linewidth=0.8, zorder=3)
    threshold = -segments.parameters.silence_threshold_db
    level.axhline(threshold, color="#b3261e", linewidth=0.9, linestyle="--", zorder=3, label="silence threshold")
    level.set_ylim(_FLOOR_DB, 3)


def _draw_leads(wave: Axes, points: PassageLeadPoints, rate_hz: int, width: float) -> None:
    if points.lead_in_sample is None or points.lead_out_sample is None:
        return
    start, end = points.span.start_sample / rate_hz, points.span.end_sample / rate_hz
    lead_in, lead_out = points.lead_in_sample / rate_hz, points.lead_out_sample / rate_hz
    for first, last, point, colour, label in (
        (start, lead_in, lead_in, _LEAD_IN, "lead-in"),
        (lead_out, end, lead_out, _LEAD_OUT, "lead-out"),
    ):
        wave.axvspan(first, last, color=colour, alpha=0.25, linewidth=0, zorder=2, label=label)
        wave.axvline(point, color=colour, linewidth=width, zorder=4)


def _write_above(wave: Axes, texts: Sequence[tuple[float, str]]) -> None:
    """Write texts above the level, each at its second."""
    for second, text in texts:
        wave.text(
            second, 0.97, text, transform=wave.get_xaxis_transform(), ha="center", va="top", fontsize=9,
            parse_math=False, fontfamily=_fonts(),
        )  # fmt: skip


def _write_list(below: Axes, lines: Sequence[str]) -> None:
    """Write lines in columns, top to bottom."""
    below.axis("off")
    rows = -(-len(lines) // LIST_COLUMNS)
    for number, line in enumerate(lines):
        column, row = divmod(number, rows)
        below.text(
            column / LIST_COLUMNS, 1 - row / rows, line, transform=below.transAxes, va="top", fontsize=8,
            parse_math=False, fontfamily=_fonts(),
        )  # fmt: skip


def _fonts() -> list[str]:
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return [name for name in FONTS if name in installed]


def _finish(timed: Sequence[Axes], end_s: float, note: str) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    wave, level, *_ = timed
    wave.set_yticks([])
    wave.tick_params(labelbottom=False)
    wave.set_ylabel("level (RMS)")
    level.set_ylabel("dBFS")
    level.set_xlim(0, end_s)
    step = next((step for step in _STEPS_S if end_s / step <= _MAX_TICKS), _STEPS_S[-1])
    level.xaxis.set_major_locator(MultipleLocator(step))
    level.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: clock(seconds, 1 if step < 1 else 0)))
    level.text(0.995, 0.06, note, transform=level.transAxes, ha="right", fontsize=8, color="#666666", zorder=5)
    entries = [axes.get_legend_handles_labels() for axes in timed]
    once = {label: handle for handles, labels in entries for handle, label in zip(handles, labels, strict=True)}
    wave.figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=6, fontsize=8, frameon=False)
