"""Columns of other programs in a library: play history, queue, timeslots and others."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A column of another program that refers to files or passages."""

    target: str
    """`files` or `passages`."""
    table: str
    column: str
    outlives: bool
    """Its rows survive what they refer to (ON DELETE SET NULL)."""
