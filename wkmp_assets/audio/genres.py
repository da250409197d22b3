"""Genres under the names that MusicBrainz gives them.

`genre_names.txt` holds the names, one a line, from MusicBrainz' list of genres (https://musicbrainz.org/genres, public
domain under CC0).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mutagen.id3 import TCON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ALIASES = {
    "alternrock": "alternative rock",
    "altrock": "alternative rock",
    "bebob": "bebop",
    "dandb": "drum and bass",
    "dnb": "drum and bass",
    "drumbass": "drum and bass",
    "electronicdancemusic": "edm",
    "goa": "goa trance",
    "jazzandfunk": "jazz-funk",
    "psychadelic": "psychedelic",
    "rhythmandblues": "r&b",
    "rnb": "r&b",
    "thrash": "thrash metal",
}
"""Other names, as `_key` makes them; two are spelled so in the list of ID3v1."""
_SAY_NOTHING = frozenset({"unknown", "other", "none"})
_AND = re.compile(r"\s*(?:[&+]|[^\w\s]?\bn\b[^\w\s]?)\s*", re.IGNORECASE)
_LIST_SEPARATORS = re.compile(r"\s*[;,|]\s*")
_SLASHES = re.compile(r"\s*[/\\]\s*")
_ID3_REFERENCE = re.compile(r"[0-9]{1,3}|\((?:[0-9]{1,3}|RX|CR)\).*")


def name_genres(texts: Iterable[str]) -> tuple[str, ...]:
    """Name genres as MusicBrainz does.

    Parameters
    ----------
    texts : iterable of str
        Genre tags. A text may list several genres, or give their numbers in ID3v1, as `(17)`.

    Returns
    -------
    tuple of str
        In order, each once. `Hip-Hop` becomes `hip hop`, `Drum & Bass` becomes `drum and bass`. A genre that
        MusicBrainz does not have is in lower case.
    """
    named = [_name(part) for text in texts for one in _expand(text) for part in _split(one)]
    return tuple(dict.fromkeys(name for name in named if name and name not in _SAY_NOTHING))


def _expand(text: str) -> list[str]:
    """Return the genres that a text of ID3 refers to by number; else the text."""
    if not _ID3_REFERENCE.fullmatch(text):
        return [text]
    frame: Any = TCON
    return list(frame(encoding=3, text=[text]).genres)


def _split(text: str) -> list[str]:
    """Split a list of genres; `/` may belong to a name, so it separates only what MusicBrainz knows."""
    if _key(text) in _names():
        return [text]
    found = []
    for part in _LIST_SEPARATORS.split(text):
        pieces = _SLASHES.split(part)
        is_list = _key(part) not in _names() and any(_key(piece) in _names() for piece in pieces)
        found += pieces if is_list else [part]
    return found


def _name(text: str) -> str:
    plain = text.strip(" &")
    return _names().get(_key(plain)) or plain.lower()


def _key(name: str) -> str:
    """Return what is the same in all spellings of a name: its letters and digits, with "and" for `&` and `'n'`."""
    decomposed = unicodedata.normalize("NFKD", _AND.sub(" and ", name).casefold())
    return "".join(char for char in decomposed if char.isalnum())


@cache
def _names() -> Mapping[str, str]:
    """Return key -> name; where two names have one key, the first counts."""
    names: dict[str, str] = {}
    for name in files("wkmp_assets.audio").joinpath("genre_names.txt").read_text(encoding="utf-8").splitlines():
        names.setdefault(_key(name), name)
    return {**_ALIASES, **names}
