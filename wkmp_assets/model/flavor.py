"""A musical flavor: read, write, combine and compare it, and renew parts of a stored one.

A flavor maps characteristics to distributions over their values: `{"mood_happy": {"happy": 0.8, "not_happy": 0.2}}`.
A characteristic with exactly two values is binary, one with more is complex.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wkmp_assets.model.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Distribution = dict[str, float]
"""Value -> probability."""
Flavor = dict[str, Distribution]
"""Characteristic -> its distribution."""

SUM_TOLERANCE = 1e-4
"""A distribution whose sum is further from 1 gets a warning. Its values are used."""
DECIMALS = 6
_UNITS = 10**DECIMALS
UNLIKE = 1.0
"""Distance of two flavors without a common characteristic."""


@dataclass(frozen=True)
class ReadFlavor:
    """The usable part of a flavor from outside."""

    flavor: Flavor
    warnings: tuple[str, ...] = ()
    """What was left out or looks wrong, one sentence each."""


def read_flavor(value: object) -> ReadFlavor:
    """Read the usable part of parsed JSON.

    Parameters
    ----------
    value : object
        Anything. Only an object of objects of numbers has characteristics; the JSON that WKMP writes itself, with
        texts and frequencies, has none.

    Returns
    -------
    ReadFlavor
        Characteristics with at least two values, each 0..1. All others are left out, with a warning.
    """
    if not isinstance(value, dict):
        return ReadFlavor({}, ("it is no JSON object",))
    flavor: Flavor = {}
    warnings: list[str] = []
    for name in sorted(value):
        problem = _problem(value[name])
        if problem is not None:
            warnings.append(f"{name} is left out: {problem}")
            continue
        flavor[name] = {key: float(value[name][key]) for key in sorted(value[name])}
        total = math.fsum(flavor[name].values())
        if abs(total - 1) >= SUM_TOLERANCE:
            warnings.append(f"the values of {name} sum to {total:.6f}, not 1")
    return ReadFlavor(flavor, tuple(warnings))


def parse_flavor(text: str | None) -> ReadFlavor:
    """Read a stored flavor; None has no characteristics."""
    if text is None:
        return ReadFlavor({})
    try:
        return read_flavor(parse_json(text))
    except ValueError:
        return ReadFlavor({}, ("it is no JSON",))


def _problem(values: object) -> str | None:
    if not isinstance(values, dict):
        return "it has no values"
    if len(values) < 2:
        return f"it has {len(values)} of at least two values"
    for name, number in values.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
            return f"{name} is {number!r}, not a number from 0 to 1"
    return None


def flavor_json(flavor: Mapping[str, Mapping[str, float]]) -> str:
    """Write a flavor as JSON. Names are sorted and numbers have six decimals, so equal flavors are equal texts.

    A distribution that sums to 1 still does so after rounding, within 1e-9: what rounding takes goes to the values with
    the largest remainders.
    """
    return json.dumps({name: round_distribution(values) for name, values in flavor.items()}, sort_keys=True)


def round_distribution(values: Mapping[str, float]) -> Distribution:
    """Round a distribution to six decimals. A sum of 1 (within 1e-4) stays 1."""
    names = sorted(values)
    units = [round(values[name] * _UNITS) for name in names]
    if sum(units) == _UNITS:
        rounded = {name: unit / _UNITS for name, unit in zip(names, units, strict=True)}
        if rounded == values:  # what a worker has rounded
            return rounded
    total = math.fsum(values.values())
    is_whole = abs(total - 1) < SUM_TOLERANCE
    exact = [values[name] * _UNITS / (total if is_whole else 1.0) for name in names]
    units = [math.floor(value) if is_whole else round(value) for value in exact]
    if is_whole:
        by_remainder = sorted(range(len(names)), key=lambda i: (units[i] - exact[i], i))
        for index in by_remainder[: _UNITS - sum(units)]:
            units[index] += 1
    return {name: unit / _UNITS for name, unit in zip(names, units, strict=True)}


def combine(parts: Iterable[tuple[float, Flavor]]) -> Flavor:
    """Return the weighted mean of flavors.

    Parameters
    ----------
    parts : iterable of (float > 0, Flavor)
        A recording's running time inside the passage, in any unit, and its flavor. Flavors without a characteristic do
        not count.

    Returns
    -------
    Flavor
        All characteristics of all parts. Each value is the mean over the parts that have it. Complex characteristics
        are normalised to the sum 1. The second value of a binary one is 1 minus the first.
    """
    weighted = [(weight, flavor) for weight, flavor in parts if flavor]
    return {name: _combined(list(_having(weighted, name))) for name in sorted({n for _, f in weighted for n in f})}


def _having(parts: Sequence[tuple[float, Flavor]], name: str) -> Iterator[tuple[float, Distribution]]:
    return ((weight, flavor[name]) for weight, flavor in parts if name in flavor)


def _combined(parts: Sequence[tuple[float, Distribution]]) -> Distribution:
    if len(parts) == 1:
        return dict(parts[0][1])
    means = {}
    for value in sorted({value for _, values in parts for value in values}):
        having = [(weight, values[value]) for weight, values in parts if value in values]
        means[value] = math.fsum(w * p for w, p in having) / math.fsum(w for w, _ in having)
    if len(means) == 2:
        first, second = means
        return {first: means[first], second: 1 - means[first]}
    total = math.fsum(means.values())
    return {value: mean / total for value, mean in means.items()} if total > 0 else means


def distance(one: Flavor, other: Flavor) -> float:
    """Return the distance of two flavors over the characteristics that both have.

    It is half the mean squared difference over common binary characteristics, plus half the mean, over common complex
    ones, of the mean squared difference of their common values. A half without a common characteristic counts 1.

    Returns
    -------
    float
        0 for equal flavors, at most 1 for distributions. A missing half weighs more than any disagreement: opposite
        one-hot distributions over ten values are only 0.2 apart.
    """
    binary: list[float] = []
    complex_: list[float] = []
    for name in sorted(one.keys() & other.keys()):
        common = sorted(one[name].keys() & other[name].keys())
        is_binary = len(one[name]) == 2
        if not common or is_binary != (len(other[name]) == 2):
            continue
        if is_binary:
            binary.append((one[name][common[0]] - other[name][common[0]]) ** 2)
        else:
            complex_.append(_mean([(one[name][value] - other[name][value]) ** 2 for value in common]))
    return ((_mean(binary) if binary else UNLIKE) + (_mean(complex_) if complex_ else UNLIKE)) / 2


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


TAG_PREFIX = "user.tag_"
TAG_NAMES = frozenset(
    TAG_PREFIX + tag
    for tag in (
        "acoustic", "ambient", "country", "dance", "easy_listening", "experimental", "female_vocalists", "folk",
        "happy", "instrumental", "male_vocalists", "mellow", "metal", "party", "pop", "sad",
    )
)  # fmt: skip
"""The characteristics that the tagger gives."""
SOUND_NAMES = frozenset(
    "user." + name
    for name in (
        "brightness", "dynamics", "energy", "harmonic_complexity", "harmony", "key_clarity", "mode", "motion",
        "percussiveness", "pulse", "rhythm_regularity", "tempo", "texture", "timbre",
    )
)  # fmt: skip
"""The characteristics that formulas give."""
MEASURED_NAMES = SOUND_NAMES | TAG_NAMES
"""The user-defined characteristics that an import measures. Every other `user.*` belongs to a person."""
TAGGER = "MusiCNN 0.1.0 (2)"
"""The source of the tags, with its version and, in brackets, that of what it hears and of all reference values.

A flavor that names another one is of an earlier version."""

CLASSIFIERS = 18
"""Number of AcousticBrainz' classifiers."""


def classes_of(flavor: Flavor) -> Flavor:
    """Return the part that AcousticBrainz gave."""
    return {name: values for name, values in flavor.items() if not name.startswith("user.")}


def measured_of(flavor: Flavor) -> Flavor:
    """Return the part that was measured from sound, tags included."""
    return {name: values for name, values in flavor.items() if name in MEASURED_NAMES}


def sound_of(flavor: Flavor) -> Flavor:
    """Return the part that formulas gave."""
    return {name: values for name, values in flavor.items() if name in SOUND_NAMES}


def tags_of(flavor: Flavor) -> Flavor:
    """Return the part that the tagger gave."""
    return {name: values for name, values in flavor.items() if name in TAG_NAMES}


def peoples_of(flavor: Flavor) -> Flavor:
    """Return the part that people have defined."""
    return {name: values for name, values in flavor.items() if name.startswith("user.") and name not in MEASURED_NAMES}


def renew(stored: Flavor, *, measured: Flavor, classes: Flavor) -> Flavor:
    """Replace parts of a stored flavor. An empty part keeps what is stored, and what people defined always stays."""
    return {**(classes or classes_of(stored)), **(measured or measured_of(stored)), **peoples_of(stored)}


CLASSES = "AcousticBrainz"
"""How the library names the source of classes."""


def has_classes(blend: str | None) -> bool:
    """Tell whether the stored JSON list of a flavor's sources names the one of classes."""
    return f'"{CLASSES}"' in (blend or "")


def sources_of(flavor: Flavor) -> list[str]:
    """Return the sources of a flavor, as the library names them."""
    parts = ((CLASSES, classes_of), ("Measured", sound_of), (TAGGER, tags_of), ("User", peoples_of))
    return [name for name, part in parts if part(flavor)]


def completeness(flavor: Flavor) -> float:
    """Return the share of all characteristics that an import can find, measured ones and classes, 0..1."""
    found = min(len(classes_of(flavor)), CLASSIFIERS) + len(measured_of(flavor))
    return round(found / (CLASSIFIERS + len(MEASURED_NAMES)), 4)
