"""What a file's name and its folders may say about it: weak evidence, for where the tags are silent. Pure."""

import re
from pathlib import PurePosixPath

from wkmp_assets.model.values import PathNames

_TRACK_NUMBER = re.compile(r"^\s*(?:[0-9]{1,2}-)?[0-9]{1,3}(?:\s*[._-]\s*|\s+)(?=\S)")
"""`07 `, `07. `, `1-07 - `; not the `1979` of a song of that name, which nothing follows."""
_BETWEEN = re.compile(r"\s+[-\u2013\u2014]\s+")
"""Hyphen or dash between blanks, as in `Artist - Title`; one inside a word belongs to it."""


def read_path_names(path: str) -> PathNames:
    """Take the texts out of a path.

    People order artist, album and title in every way there is, so nothing is said about which is which.

    Parameters
    ----------
    path : str
        Relative to the library's root, which itself says nothing.

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
