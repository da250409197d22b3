"""Bars, of which all charts of the report consist except the map."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One bar of a chart."""

    label: str
    count: int
    height: float
    """0..1, the largest of the chart is 1."""


def make_bars(counts: Mapping[str, int]) -> tuple[Bar, ...]:
    """Return a bar for every count, in the given order."""
    largest = max(counts.values(), default=0) or 1
    return tuple(Bar(label, count, count / largest) for label, count in counts.items())


def bin_values(values: Iterable[float], bounds: Sequence[float], labels: Sequence[str]) -> tuple[Bar, ...]:
    """Count values between bounds.

    Parameters
    ----------
    values : iterable of float
        What to count.
    bounds : sequence of float
        Ascending. A value that equals a bound is counted above it.
    labels : sequence of str
        One more than bounds: the first for values below all bounds, the last for values above them.

    Returns
    -------
    tuple of Bar
        Without the empty bins at both ends; empty when there are no values.
    """
    counts = [0] * len(labels)
    for value in values:
        counts[bisect_right(bounds, value)] += 1
    filled = [number for number, count in enumerate(counts) if count]
    if not filled:
        return ()
    shown = slice(filled[0], filled[-1] + 1)
    return make_bars(dict(zip(labels[shown], counts[shown], strict=True)))
