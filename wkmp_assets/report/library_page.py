"""The library report as one HTML page without links to other files or the network. All text in it is escaped."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from wkmp_assets.db.read.overview import NamedPassage
from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets.report.figures import FlavorFigures, ReportFigures
from wkmp_assets.report.text import clock, printable

_MAP_WIDTH, _MAP_HEIGHT = 1040.0, 620.0
_MARGIN = 20.0


def render_page(figures: ReportFigures, library: str, made_at: datetime) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    figures : ReportFigures
        Figures to show.
    library : str
        Path of the library, for the heading.
    made_at : datetime
        Time of the report, with a time zone.
    """
    # File names and titles are foreign text, so everything is escaped. A misspelt name in the template is an error.
    environment = Environment(
        loader=PackageLoader("wkmp_assets.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "passage": _name_passage,
        "clock": _format_length,
        "short": _abbreviate,
        "printable": printable,
    }
    return environment.get_template("library_page.html.jinja").render(
        figures=figures,
        flavor_map=_draw_map(figures.flavors) if figures.flavors else None,
        library=library,
        made_at=made_at,
    )


@dataclass(frozen=True)
class _Map:
    """The map in the units of the SVG."""

    width: float
    height: float
    points: list[dict[str, object]]
    """Place, name and neighbours of each passage, in the order of the passages."""


def _draw_map(flavors: FlavorFigures) -> _Map:
    positions = flavors.flavor_map.positions
    low, span = positions.min(axis=0), np.ptp(positions, axis=0)
    # Both axes have one scale, so that distances are true.
    room = np.array([_MAP_WIDTH, _MAP_HEIGHT]) - 2 * _MARGIN
    scale = float(np.min(room / np.maximum(span, 1e-9)))
    places = (positions - low) * scale + _MARGIN
    width, height = (span * scale + 2 * _MARGIN).tolist()
    points = [
        {"x": round(x, 1), "y": round(y, 1), "name": _name_passage(passage), "near": nearest}
        for (x, y), passage, nearest in zip(
            places.tolist(), flavors.passages, flavors.flavor_map.neighbours.tolist(), strict=True
        )
    ]
    return _Map(width, height, points)


def _name_passage(passage: NamedPassage) -> str:
    """Return title and artist of a passage, or its file and start where it has no title."""
    if passage.title:
        return printable(" · ".join(filter(None, (passage.title, passage.artist))))
    return printable(f"{passage.path} from {_format_length(passage.start_ticks)}")


def _format_length(length_ticks: int) -> str:
    return clock(length_ticks / TICKS_PER_SECOND)


def _abbreviate(count: int) -> str:
    """Return a number short enough to stand above a bar: 999, 1.5k, 12k, 3.4M."""
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if count >= size:
            return f"{count / size:.0f}{letter}" if count >= 10 * size else f"{count / size:.1f}{letter}"
    return str(count)
