"""What of a stored flavor stays when it is measured or asked for again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wkmp_assets.flavor.vector import Flavor

MEASURED_NAMES = frozenset(
    "user." + name
    for name in (
        "brightness", "dynamics", "energy", "harmonic_complexity", "harmony", "key_clarity", "mode", "motion",
        "percussiveness", "pulse", "rhythm_regularity", "tempo", "texture", "timbre",
    )
)  # fmt: skip
"""Ours among the user-defined characteristics; every other `user.*` is a person's."""
CLASSIFIERS = 18
"""AcousticBrainz has so many."""


def classes_of(flavor: Flavor) -> Flavor:
    """Return AcousticBrainz' part."""
    return {name: values for name, values in flavor.items() if not name.startswith("user.")}


def measured_of(flavor: Flavor) -> Flavor:
    """Return what was measured from sound."""
    return {name: values for name, values in flavor.items() if name in MEASURED_NAMES}


def peoples_of(flavor: Flavor) -> Flavor:
    """Return what people have defined themselves."""
    return {name: values for name, values in flavor.items() if name.startswith("user.") and name not in MEASURED_NAMES}


def renewed(stored: Flavor, *, measured: Flavor, classes: Flavor) -> Flavor:
    """Put new parts in the place of stored ones; an empty part leaves what is stored, and people's always stay."""
    return {**(classes or classes_of(stored)), **(measured or measured_of(stored)), **peoples_of(stored)}


def sources_of(flavor: Flavor) -> list[str]:
    """Return where a flavor comes from, as the library names it."""
    parts = (("AcousticBrainz", classes_of), ("Measured", measured_of), ("User", peoples_of))
    return [name for name, part in parts if part(flavor)]


def completeness(flavor: Flavor) -> float:
    """Return the share of AcousticBrainz' classifiers that are there, 0..1."""
    return min(1.0, round(len(classes_of(flavor)) / CLASSIFIERS, 4))
