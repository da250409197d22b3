"""A flavor in a person's words: `calm (78 %), instrumental (91 %), 96 bpm (64 %), D minor (55 %), -14.2 LUFS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wkmp_assets.model.flavor import parse_flavor
from wkmp_assets.model.json_text import parse_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wkmp_assets.model.flavor import Flavor

MIN_CERTAINTY = 0.6
"""A value of a binary characteristic that is less certain says nothing about a passage."""
MAX_TAGS = 4
"""Of moods and instruments, the most certain ones are enough."""
TAG_PREFIX = "user.tag_"
NOT_PREFIX = "not_"
_MOODS = "mood_"
_CHARACTER = ("user.energy", "user.brightness", "user.percussiveness")
"""What a person hears first. The other characteristics serve to compare passages, or speak through tempo and key."""
_VOICE = "voice_instrumental"
_CLASS_WORDS = {"voice": "with voice", "electronic": "electronic", "acoustic": "acoustic"}
MEASURED_KEY = "measured"
"""The import's key in `passages.additional_metadata`."""


@dataclass(frozen=True)
class FlavorWord:
    """One thing that is said about a passage."""

    text: str
    """Such as `calm`, `96 bpm` or `-14.2 LUFS`."""
    certainty: float | None
    """range 0..1: how sure it is; None for what is measured exactly."""

    def __str__(self) -> str:
        return self.text if self.certainty is None else f"{self.text} ({self.certainty:.0%})".replace("%", " %")


def describe_stored_flavor(vector: str | None, metadata: str | None) -> str:
    """Return the sentence about a passage from two columns of the library.

    Parameters
    ----------
    vector : str or None
        `passages.musical_flavor_vector`.
    metadata : str or None
        `passages.additional_metadata`.

    Returns
    -------
    str
        Such as `calm (78 %), instrumental (91 %), 96 bpm (64 %), D minor (55 %), -14.2 LUFS`; empty when nothing is
        known. Text in the columns that is no JSON counts as nothing.

    See Also
    --------
    describe_flavor : the same as separate words, from parsed values.
    """
    measured = (parse_object(metadata) or {}).get(MEASURED_KEY)
    words = describe_flavor(parse_flavor(vector).flavor, measured if isinstance(measured, dict) else {})
    return ", ".join(map(str, words))


def describe_flavor(flavor: Flavor, measured: Mapping[str, object]) -> tuple[FlavorWord, ...]:
    """Return what a person would say about a passage.

    Parameters
    ----------
    flavor : Flavor
        See `wkmp_assets.model.flavor.parse_flavor`.
    measured : mapping of str to object
        The import's raw measures by name, of `passages.additional_metadata`. Values of a wrong type are left out.

    Returns
    -------
    tuple of FlavorWord
        Character, voice, moods and instruments (the most certain first), tempo, key, loudness, in this order.
        Characteristics that are less than `MIN_CERTAINTY` sure are left out; tempo and key stay, with how sure they
        are. The certainty of a tempo is how regular the beat is among real music, that of a key how clear it is.
    """
    return (
        *(word for name in _CHARACTER if (word := _likely(flavor, name)) is not None),
        *_tags(flavor),
        *_tempo(flavor, measured),
        *_key(flavor, measured),
        *_loudness(measured),
    )


def _likely(flavor: Flavor, name: str) -> FlavorWord | None:
    """Return the more probable value of a binary characteristic, if it is certain enough and not a mere `not`."""
    values = flavor.get(name, {})
    if len(values) != 2:
        return None
    best = max(values, key=lambda value: (values[value], value))
    if values[best] < MIN_CERTAINTY or best.startswith(NOT_PREFIX):
        return None
    return FlavorWord(_CLASS_WORDS.get(best, best.replace("_", " ")), values[best])


def _tags(flavor: Flavor) -> list[FlavorWord]:
    names = [name for name in flavor if name.startswith((TAG_PREFIX, _MOODS))]
    found = [word for name in (_VOICE, *sorted(names)) if (word := _likely(flavor, name)) is not None]
    by_text: dict[str, FlavorWord] = {}
    for word in sorted(found, key=lambda word: -(word.certainty or 0.0)):
        by_text.setdefault(word.text, word)
    return list(by_text.values())[:MAX_TAGS]


def _tempo(flavor: Flavor, measured: Mapping[str, object]) -> Iterator[FlavorWord]:
    bpm = _number(measured, "bpm")
    if bpm is not None and bpm > 0:
        yield FlavorWord(f"{bpm:.0f} bpm", flavor.get("user.rhythm_regularity", {}).get("regular"))


def _key(flavor: Flavor, measured: Mapping[str, object]) -> Iterator[FlavorWord]:
    key, scale = measured.get("key"), measured.get("scale")
    if isinstance(key, str) and isinstance(scale, str):
        yield FlavorWord(f"{key} {scale}", flavor.get("user.key_clarity", {}).get("clear"))


def _loudness(measured: Mapping[str, object]) -> Iterator[FlavorWord]:
    integrated_lufs = _number(measured, "integrated_lufs")
    if integrated_lufs is not None:
        yield FlavorWord(f"{integrated_lufs:.1f} LUFS", None)


def _number(measured: Mapping[str, object], name: str) -> float | None:
    value = measured.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
