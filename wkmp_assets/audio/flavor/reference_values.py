"""Reference values of real music, with which characteristics are compared.

Means and standard deviations over the music library of the benchmarks. They only scale deviations: values from another
library would give a somewhat different map. Changing them changes every flavor.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReferenceValues:
    """Means and standard deviations of several measures over real music."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]


BAND_NAMES = tuple(f"band_{number:02}" for number in range(1, 13))
"""From 60 Hz to 5.4 kHz, evenly spaced on the mel scale."""

TIMBRE = ReferenceValues(
    (14.86, 11.5, 8.176, 5.534, 3.155, 1.069, -0.9836, -2.842, -4.435, -6.371, -9.573, -20.09),
    (4.989, 4.449, 4.173, 3.388, 3.289, 2.762, 2.231, 2.367, 3.196, 3.935, 4.527, 5.578),
)
"""unit=dB: level of each band above the mean of all bands."""
TEXTURE = ReferenceValues(
    (7.686, 6.898, 7.256, 7.498, 7.367, 7.621, 7.86, 7.831, 7.841, 7.976, 8.121, 8.278),
    (4.009, 3.065, 2.583, 2.622, 2.676, 2.727, 3.13, 2.979, 3.073, 3.123, 3.232, 3.202),
)
"""unit=dB: standard deviation of each band over time."""
MOTION = ReferenceValues(
    (2.223, 1.997, 2.09, 2.162, 2.184, 2.236, 2.323, 2.364, 2.416, 2.495, 2.632, 2.781),
    (0.9489, 0.7284, 0.6928, 0.7492, 0.821, 0.8167, 0.9032, 0.9212, 0.9744, 1.057, 1.159, 1.246),
)
"""unit=dB: mean change of each band from one frame to the next."""
HARMONY = ReferenceValues(
    (0.1901, 0.1758, 0.1761, 0.1781, 0.1991, 0.08085),
    (0.01947, 0.01329, 0.009784, 0.01042, 0.02568, 0.007786),
)
"""Shares of the six intervals, in the order of `tonality.INTERVAL_NAMES`."""
