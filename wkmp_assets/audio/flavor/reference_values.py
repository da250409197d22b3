"""Reference values of real music, with which measures are compared.

They come from the calibration half of the flavor corpus. `wkmp_assets_tests/tools/benchmarks/flavor_calibration.py`
writes `reference_values.json`. They only scale measures: other music would give a somewhat different map. Changing them
changes every flavor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

BAND_NAMES = tuple(f"band_{number:02}" for number in range(1, 13))
"""From 60 Hz to 5.4 kHz, evenly spaced on the mel scale."""


@dataclass(frozen=True)
class Scale:
    """A logistic curve from a measure to a probability."""

    middle: float
    """The measure at which both values have probability 0.5: the median of real music."""
    width: float
    """The distance from the middle to a probability of 0.73: half the interquartile range of real music, > 0."""

    def apply(self, measure: float) -> float:
        """Return the probability of the first value, 0..1."""
        return float(1 / (1 + np.exp(-np.clip((measure - self.middle) / self.width, -50, 50))))


@dataclass(frozen=True)
class ReferenceValues:
    """Means and standard deviations of several measures over real music."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]


@dataclass(frozen=True)
class Reference:
    """All reference values, by the names of characteristics."""

    scales: dict[str, Scale]
    """Of binary characteristics."""
    profiles: dict[str, ReferenceValues]
    """Of complex characteristics that weigh deviations from what is usual."""
    tags: dict[str, Scale]
    """Tag of the network -> scale of its logit. Only these tags are part of a flavor."""


@cache
def load_reference() -> Reference:
    """Return the reference values, which are read once per process."""
    stored = json.loads((files("wkmp_assets.audio.flavor") / "reference_values.json").read_text(encoding="utf-8"))
    return Reference(
        {name: Scale(**values) for name, values in stored["scales"].items()},
        {
            name: ReferenceValues(tuple(values["means"]), tuple(values["deviations"]))
            for name, values in stored["profiles"].items()
        },
        {name: Scale(**values) for name, values in stored["tags"].items()},
    )
