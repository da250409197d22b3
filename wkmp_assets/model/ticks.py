"""Time as integers: 28,224,000 ticks a second, which is exact for every common sample rate.

Positions in the phases are integer samples. They become ticks once, where a file's entry is assembled (`file_entry`).
No position passes through float seconds.
"""

TICKS_PER_SECOND = 28_224_000
"""Least common multiple of 8000, 11025, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400 and 192000 Hz."""


def from_samples(samples: int, rate_hz: int) -> int:
    """Convert a sample position or count to ticks.

    Parameters
    ----------
    samples : int
        Position or count in frames at `rate_hz`; may be negative.
    rate_hz : int, > 0
        Frames per second.

    Returns
    -------
    int
        Exact when `rate_hz` divides `TICKS_PER_SECOND`. Otherwise (37,800 Hz, 384,000 Hz) rounded half away from zero,
        in integer arithmetic.

    Raises
    ------
    ValueError
        `rate_hz` is not positive.
    """
    if rate_hz <= 0:
        raise ValueError(f"a sample rate must be positive, not {rate_hz}")
    magnitude = (2 * abs(samples) * TICKS_PER_SECOND + rate_hz) // (2 * rate_hz)
    return magnitude if samples >= 0 else -magnitude


def is_exact(rate_hz: int) -> bool:
    """Tell whether one sample at `rate_hz` is a whole number of ticks."""
    return TICKS_PER_SECOND % rate_hz == 0


def to_seconds(ticks: int) -> float:
    """Convert a tick position or count to seconds, correctly rounded."""
    return ticks / TICKS_PER_SECOND
