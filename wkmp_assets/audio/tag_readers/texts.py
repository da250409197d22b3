"""Texts of one tag by their names: cleaned, bounded, and picked for each field."""

from __future__ import annotations

import re
import unicodedata
from itertools import chain, islice
from typing import TYPE_CHECKING

from wkmp_assets.audio.tag_readers.fields import MAX_CHARACTERS, MAX_VALUES, TagFields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAX_RAW_VALUES = 2 * MAX_VALUES
"""Limit for one name, before empty values are removed."""
_MAX_RAW_CHARACTERS = 4 * MAX_CHARACTERS
"""Of a text before white space and control characters are removed."""
_DATES = frozenset({"date", "original_date"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PAGE_OF_AN_ID = re.compile(r"\bhttps?://(?:[a-z]+\.)?musicbrainz\.org/[a-z-]+/", re.IGNORECASE)
_NO_PART_OF_A_TEXT = frozenset({"Cc", "Cs"})
_BYTE_ORDER_MARKS = frozenset("\ufeff\ufffe")


def free(name: str) -> str:
    """Return the key of a name that people and programs choose: its case, blanks and punctuation do not count."""
    return "=" + "".join(char for char in name.casefold() if char.isalnum())


class TagTexts:
    """The texts of one tag.

    Parameters
    ----------
    kind : str
        What people call this kind of tag.
    names : TagFields
        For each field the keys that hold it, best first: names of the container in lower case, or `free` ones.
    """

    def __init__(self, kind: str, names: TagFields) -> None:
        self.kind = kind
        self._names = names
        self._wanted = frozenset(chain.from_iterable(names))
        self._texts: dict[str, list[str]] = {}
        self._spelled: dict[str, str] = {}

    def add(self, name: str, texts: Iterable[str]) -> None:
        """Add the texts of a name that the container defines; names of no field are ignored."""
        if name.lower() not in self._wanted:
            return
        known = self._texts.setdefault(name.lower(), [])
        values = (value for text in islice(texts, _MAX_RAW_VALUES) for value in _values(text))
        known += islice(values, MAX_VALUES + 1 - len(known))

    def add_free(self, name: str, texts: Iterable[str]) -> None:
        """Add the texts of a free name. Of two spellings of one name, the first counts."""
        key = free(name)
        if self._spelled.setdefault(key, name.lower()) == name.lower():
            self.add(key, texts)

    def wants(self, name: str) -> bool:
        """Tell whether a free name is one of a field's."""
        return free(name) in self._wanted

    def fields(self) -> TagFields:
        """Return the texts of each field: those of the first key that has any.

        Of dates those of all keys, because programs write dates that say nothing. Of ids those of the first key that
        has a UUID, without the address of the id's page.
        """
        return TagFields._make(self._field(field, keys) for field, keys in self._names._asdict().items())

    def _field(self, field: str, keys: tuple[str, ...]) -> tuple[str, ...]:
        if field.endswith("_ids"):
            return self._ids(keys)
        if field in _DATES:
            return tuple(dict.fromkeys(chain.from_iterable(self._present(keys))))[: MAX_VALUES + 1]
        return next(self._present(keys), ())

    def _present(self, keys: Iterable[str]) -> Iterator[tuple[str, ...]]:
        return (tuple(self._texts[key]) for key in keys if self._texts.get(key))

    def _ids(self, keys: Iterable[str]) -> tuple[str, ...]:
        present = list(self._present(keys))
        holding = (texts for texts in present if any(map(_UUID.search, texts)))
        return tuple(_PAGE_OF_AN_ID.sub("", text) for text in next(holding, next(iter(present), ())))


def _values(text: str) -> Iterator[str]:
    """Yield the values in a text, which NUL separates."""
    for value in text.split("\0", _MAX_RAW_VALUES)[:_MAX_RAW_VALUES]:
        if clean := _clean(value):
            yield clean


def _clean(text: str) -> str:
    """Remove control characters and what UTF-8 cannot hold, and reduce white space to single blanks."""
    kept = (" " if char.isspace() else char for char in text[:_MAX_RAW_CHARACTERS] if char not in _BYTE_ORDER_MARKS)
    clean = " ".join("".join(c for c in kept if unicodedata.category(c) not in _NO_PART_OF_A_TEXT).split())
    return clean[: MAX_CHARACTERS + 1]
