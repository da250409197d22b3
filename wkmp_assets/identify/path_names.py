"""Texts in a file's path that may be its title, artist or album: weak evidence, for files without tags."""

import re
from pathlib import PurePosixPath

from wkmp_assets.model.values import PathNames

_TRACK_NUMBER = re.compile(r"^\s*(?:[0-9]{1,2}-)?[0-9]{1,3}(?:\s*[._-]\s*|\s+)(?=\S)")
"""`07 `, `07. `, `1-07 - `; not the song `1979`, because nothing follows the number."""
_BETWEEN = re.compile(r"\s+[-\u2013\u2014]\s+")
"""A hyphen or dash between blanks, as in `Artist - Title`; a hyphen inside a word belongs to the word."""


def read_path_names(path: str) -> PathNames:
    """Return the texts in a path.

    People order artist, album and title in every possible way, so the texts are not told apart.

    Parameters
    ----------
    path : str
        Relative to the library's root.

    Returns
    -------
    PathNames
        In the order of the path, without track numbers, file type and underscores.
    """
    parsed = PurePosixPath(path)
    stem = _TRACK_NUMBER.sub("", _words(parsed.stem))
    folders = [text for folder in parsed.parent.parts for text in _texts(_words(folder))]
    return PathNames(tuple(_texts(stem)), tuple(folders))


def _words(text: str) -> str:
    return text if " " in text else text.replace("_", " ")


def _texts(text: str) -> list[str]:
    return [part.strip() for part in _BETWEEN.split(text) if part.strip()]
