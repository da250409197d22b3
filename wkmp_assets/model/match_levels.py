"""Levels of confidence in an identification."""

from enum import StrEnum


class MatchLevel(StrEnum):
    """How sure the identification of a passage is."""

    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    NONE = "None"


MIN_HIGH = 0.85
MIN_MEDIUM = 0.70
MIN_LOW = 0.60
"""Lowest confidence of each level, 0..1."""
SCORE_TOLERANCE = 1e-9
"""Rounding errors of the weighted sums are smaller than this."""


def level_of(confidence: float) -> MatchLevel:
    """Return the level of a confidence, 0..1."""
    for lowest, level in ((MIN_HIGH, MatchLevel.HIGH), (MIN_MEDIUM, MatchLevel.MEDIUM), (MIN_LOW, MatchLevel.LOW)):
        if confidence >= lowest - SCORE_TOLERANCE:
            return level
    return MatchLevel.NONE
