"""The picture of a file: its level over time with passages, silences, lead points and names, to be checked by eye.

Drawn from phase values alone: nothing is decoded. matplotlib takes a second to load and is loaded only here.
"""

from __future__ import annotations

import io
import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
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

_INCHES = (10.4, 4.2)
"""As wide as the web UI shows without scrolling."""
_DPI = 100
_COLUMNS = 950
_TEXT_WIDTH = 1 / 130
"""Of one letter, as a share of the picture's width."""
_PASSAGE_COLOURS = ("#2f6f8f", "#7a5a9e")
_SILENCE, _LEAD_IN, _LEAD_OUT = "#d9d6cf", "#3c9a4f", "#d2691e"
_FLOOR_DB = -100.0
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MOST_TICKS = 14


@dataclass(frozen=True, eq=False)
class Levels:
    """The level of a file in as many columns as a picture has."""

    seconds: NDArray[np.float64]
    """Where each column begins."""
    loudest: NDArray[np.float64]
    """Largest RMS of a hop in each column, full scale = 1."""
    mean: NDArray[np.float64]
    """RMS of each column, full scale = 1."""


def column_levels(envelope: Envelope, most: int = _COLUMNS) -> Levels:
    """Bring an envelope down to the columns of a picture; no columns for an empty one."""
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


def draw_picture(name: str, segments: PassageSegments, matches: SongMatches, leads: LeadPoints) -> bytes:
    """Draw one file.

    Parameters
    ----------
    name : str
        Title of the picture.
    segments, matches, leads
        What the phases found; passages are those of `matches`, after joining.

    Returns
    -------
    bytes
        A PNG of 1040 x 420 pixels.
    """
    figure = make_figure(name, segments, matches, leads)
    png = io.BytesIO()
    with warnings.catch_warnings():
        # Names are in any script; what the one font lacks is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


def make_figure(name: str, segments: PassageSegments, matches: SongMatches, leads: LeadPoints) -> Figure:
    """Return the picture of a file as matplotlib has it; parameters as for `draw_picture`."""
    # It tells of every font it looks at.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.WARNING)
    from matplotlib.figure import Figure

    rate_hz = segments.audio.sample_rate_hz
    end_s = segments.audio.total_samples / rate_hz
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    wave, level = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    figure.suptitle(_printable(name), fontsize=11, parse_math=False)
    for axes in (wave, level):
        axes.axvspan(0, end_s, color=_SILENCE, linewidth=0, zorder=0, label="silence")
        for match in matches.passages:
            start, end = match.span.start_sample / rate_hz, match.span.end_sample / rate_hz
            axes.axvspan(start, end, color="white", linewidth=0, zorder=1)
    _draw_levels(wave, level, segments, matches)
    for number, (match, points) in enumerate(zip(matches.passages, leads.passages, strict=True), 1):
        _draw_leads(wave, points, rate_hz)
        _write_name(wave, number, match, rate_hz, end_s)
    _finish(wave, level, end_s)
    return figure


def _draw_levels(wave: Axes, level: Axes, segments: PassageSegments, matches: SongMatches) -> None:
    levels = column_levels(segments.envelope)
    rate_hz = segments.audio.sample_rate_hz
    colours = np.full(levels.seconds.size, "#8d8a83", dtype=object)
    for number, match in enumerate(matches.passages):
        inside = slice(*np.searchsorted(levels.seconds * rate_hz, (match.span.start_sample, match.span.end_sample)))
        colours[inside] = _PASSAGE_COLOURS[number % len(_PASSAGE_COLOURS)]
    wave.vlines(levels.seconds, -levels.loudest, levels.loudest, colors=list(colours), linewidth=1.2, alpha=0.5)
    wave.vlines(levels.seconds, -levels.mean, levels.mean, colors=list(colours), linewidth=1.2)
    largest = float(levels.loudest.max(initial=0.0)) or 1.0
    wave.set_ylim(-1.1 * largest, 1.45 * largest)
    decibels = 20 * np.log10(np.maximum(levels.mean, 10 ** (_FLOOR_DB / 20)))
    level.plot(levels.seconds, decibels, color="#444444", linewidth=0.8, zorder=3)
    threshold = -segments.parameters.silence_threshold_db
    level.axhline(threshold, color="#b3261e", linewidth=0.9, linestyle="--", zorder=3, label="silence threshold")
    level.set_ylim(_FLOOR_DB, 3)


def _draw_leads(wave: Axes, points: PassageLeadPoints, rate_hz: int) -> None:
    if points.lead_in_sample is None or points.lead_out_sample is None:
        return
    start, end = points.span.start_sample / rate_hz, points.span.end_sample / rate_hz
    lead_in, lead_out = points.lead_in_sample / rate_hz, points.lead_out_sample / rate_hz
    for first, last, point, colour, label in (
        (start, lead_in, lead_in, _LEAD_IN, "lead-in"),
        (lead_out, end, lead_out, _LEAD_OUT, "lead-out"),
    ):
        wave.axvspan(first, last, color=colour, alpha=0.25, linewidth=0, zorder=2, label=label)
        wave.axvline(point, color=colour, linewidth=1.4, zorder=4)


def _write_name(wave: Axes, number: int, match: PassageMatch, rate_hz: int, end_s: float) -> None:
    """Write a passage's number and as much of its name as there is room for."""
    text = _printable(" · ".join(filter(None, (f"{number} {match.title or ''}".strip(), match.artist))))
    room = int(match.span.length_samples / rate_hz / end_s / _TEXT_WIDTH)
    if len(text) > room:
        text = f"{text[: room - 1]}…" if room > len(str(number)) + 2 else str(number)
    middle = (match.span.start_sample + match.span.end_sample) / 2 / rate_hz
    wave.text(
        middle, 0.97, text, transform=wave.get_xaxis_transform(), ha="center", va="top", fontsize=9, parse_math=False
    )


def _finish(wave: Axes, level: Axes, end_s: float) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    wave.set_yticks([])
    wave.set_ylabel("level (RMS)")
    level.set_ylabel("dBFS")
    level.set_xlim(0, end_s)
    step = next((step for step in _STEPS_S if end_s / step <= _MOST_TICKS), _STEPS_S[-1])
    level.xaxis.set_major_locator(MultipleLocator(step))
    level.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: _clock(seconds)))
    entries = [axes.get_legend_handles_labels() for axes in (wave, level)]
    once = {label: handle for handles, labels in entries for handle, label in zip(handles, labels, strict=True)}
    wave.figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def _printable(text: str) -> str:
    """Return one line that a font can draw."""
    whole = text.encode("utf-8", "backslashreplace").decode()
    return "".join(character if character.isprintable() else " " for character in whole)
