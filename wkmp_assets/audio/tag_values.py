"""Dates, numbers and flags, from the texts that tagging programs write for them."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_YEAR = 1860
"""Of the oldest recording of a voice, and of every date in tags: below are tracks, lengths and zeros."""
MAX_BPM = 999

_DATE = re.compile(
    r"(?<![0-9])(?P<year>[0-9]{4})"
    r"(?:(?P<separator>[-/.])(?P<month>[0-9]{1,2})(?:(?P=separator)(?P<day>[0-9]{1,2}))?(?![0-9])"
    r"|(?P<compact_month>[01][0-9])(?P<compact_day>[0-3][0-9]))?(?![0-9])"
)
_COUNT = r"(?:\s*(?:/|,|\bof\b)\s*0*(?P<count>[0-9]{1,5})(?![0-9]))?"
_TRACK = re.compile(
    r"\s*(?:track|no\.|#)?\s*(?:(?:cd|dis[ck])?\s*0*(?P<disc>[0-9]{1,2})\s*[-.]\s*)?"
    rf"0*(?P<number>[0-9]{{1,5}})(?![0-9]){_COUNT}",
    re.IGNORECASE,
)
_DISC = re.compile(rf"\s*(?:(?:cd|dis[ck])[\s#.:-]*)?0*(?P<number>[0-9]{{1,4}})(?![0-9]){_COUNT}", re.IGNORECASE)
_COUNT_ALONE = re.compile(r"\s*/\s*0*(?P<count>[0-9]{1,5})(?![0-9])")
_SIDE = re.compile(r"[A-Z]{1,2}[-.]?[0-9]{0,2}")
_BPM = re.compile(r"([0-9]{1,4})(?:[.,]([0-9]+))?(?![0-9])")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
MIN_REPEATED_CHARACTERS = 4
"""Of a name that slashes without blanks repeat, as ID3v2.3 joins values: "M/M" is a name."""
_NAME_SEPARATORS = (re.compile(r"\s*;\s*"), re.compile(r"\s+/\s+"))
"""Between the entries of a list of names."""
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class Position(NamedTuple):
    """The place of a track on its release, or of a disc in its set. What the text does not say is None."""

    number: int | None = None
    out_of: int | None = None
    disc: int | None = None
    side: str | None = None
    """The place on a record with sides, such as `A1`. It has no number, because sides may be counted in two ways."""


def unique_texts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each text once, in order. Texts that differ in letter case or Unicode composition alone are equal."""
    return _unique(map(without_repeats, texts))


def unique_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each name of an artist once, as `unique_texts` does, also out of a list such as `Name; Name`.

    A title may say a word twice, but nobody is called so.
    """
    return _unique(map(_without_repeated_names, map(without_repeats, texts)))


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for text in texts:
        found.setdefault(fold(text), text)
    return tuple(found.values())


def _without_repeated_names(text: str) -> str:
    """Return the list of names in a text without its repeats; a text without any stays as it is."""
    for separator in _NAME_SEPARATORS:
        names = [name for name in separator.split(text) if name]
        distinct = _unique(names)
        if len(distinct) < len(names):
            return "; ".join(distinct)
    names = text.split("/")
    is_repeat = len(names[0]) >= MIN_REPEATED_CHARACTERS and len(_unique(names)) == 1
    return names[0] if is_repeat else text


def without_repeats(text: str) -> str:
    """Return one of the values of a text that repeats it.

    FFmpeg joins values with `;`, also those that a Vorbis comment has twice.
    """
    values = text.split(";")
    return values[0] if len(values) > 1 and values[0] and len(set(map(fold, values))) == 1 else text


def fold(text: str) -> str:
    """Return the form in which equal texts are equal, whatever their letter case and Unicode composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def parse_date(texts: Iterable[str]) -> str | None:
    """Read the first text that says a date.

    Parameters
    ----------
    texts : iterable of str
        Such as `2003`, `2003-04-01`, `20030401`, `2003-04-00` or `01.04.2003`.

    Returns
    -------
    str or None
        `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, as far as the text says it in this order. None when no text has a year from
        `MIN_YEAR` to the next year.
    """
    max_year = datetime.now(UTC).year + 1
    for text in texts:
        for match in _DATE.finditer(text):
            if MIN_YEAR <= int(match["year"]) <= max_year:
                return _date_of(match)
    return None


def _date_of(match: re.Match[str]) -> str:
    year = match["year"]
    month = int(match["month"] or match["compact_month"] or 0)
    day = int(match["day"] or match["compact_day"] or 0)
    if not 1 <= month <= 12:
        return year
    try:
        return date(int(year), month, day).isoformat()
    except ValueError:  # no day, or no day of that month
        return f"{year}-{month:02d}"


def parse_track(texts: Iterable[str]) -> Position:
    """Read the first text that says a track: `3`, `3/12`, disc and track as `1-03` or `2.05`, a side as `A1`.

    Numbers are at least 1; 0 counts as absent.
    """
    found = [_track(text) for text in texts]
    return next((position for position in found if any(position)), Position())


def _track(text: str) -> Position:
    match = _TRACK.match(text)
    if match is None:
        return Position(out_of=_count_alone(text), side=_side(text))
    number, disc = _positive(match["number"]), _positive(match["disc"])
    if number is None and disc is not None:  # "2.0" is track 2, written by a program that counts in fractions
        number, disc = disc, None
    return Position(number, _positive(match["count"]), disc)


def _side(text: str) -> str | None:
    side = text.strip().upper()
    return side if _SIDE.fullmatch(side) else None


def parse_disc(texts: Iterable[str]) -> Position:
    """Read the first text that says a disc: `1`, `1/2`, `CD 1`. Numbers are at least 1; 0 counts as absent."""
    for text in texts:
        match = _DISC.match(text)
        found = (
            Position(_positive(match["number"]), _positive(match["count"]))
            if match
            else Position(out_of=_count_alone(text))
        )
        if any(found):
            return found
    return Position()


def parse_count(texts: Iterable[str]) -> int | None:
    """Read the first text that is a number of at least 1."""
    for text in texts:
        match = re.match(r"\s*0*([1-9][0-9]{0,4})(?![0-9])", text)
        if match:
            return int(match[1])
    return None


def _count_alone(text: str) -> int | None:
    match = _COUNT_ALONE.match(text)
    return _positive(match["count"]) if match else None


def _positive(digits: str | None) -> int | None:
    return int(digits) or None if digits else None


def parse_bpm(texts: Iterable[str]) -> float | None:
    """Read the first text that is a tempo, above 0 and up to `MAX_BPM` beats per minute."""
    for text in texts:
        match = _BPM.match(text.strip())
        bpm = float(f"{match[1]}.{(match[2] or '0')[:3]}") if match else 0.0
        if 0 < bpm <= MAX_BPM:
            return bpm
    return None


def parse_flag(texts: Iterable[str]) -> bool | None:
    """Read the first text that says yes or no: `1`, `true` or `yes`; `0`, `false` or `no`."""
    return next((_FLAGS[text.strip().lower()] for text in texts if text.strip().lower() in _FLAGS), None)


def parse_isrcs(texts: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read international standard recording codes, written with or without hyphens and blanks.

    Returns
    -------
    two tuples of str
        The codes as twelve characters, each once; and the texts that are none.
    """
    codes: dict[str, None] = {}
    others = []
    for text in texts:
        for part in filter(None, re.split(r"[;,/]", text)):
            code = re.sub(r"[-\s]", "", part).upper()
            if _ISRC.fullmatch(code):
                codes[code] = None
            else:
                others.append(part.strip())
    return tuple(codes), tuple(others)
