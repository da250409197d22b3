"""Which of several files with the same bytes stands for all of them, judged by their paths alone."""

import re
from typing import NamedTuple

_COPY_WORD = r"(?:copy|copie|copia|c\u00f3pia|kopie|kopia|kopi)"
_COPY_MARKS = (
    re.compile(r"\s*\(\d{1,2}\)$"),
    re.compile(rf"\s*\((?:another |\d{{1,2}}(?:st|nd|rd|th) )?{_COPY_WORD}(?: \d{{1,2}})?\)$", re.IGNORECASE),
    re.compile(rf"[\s_-]+{_COPY_WORD}(?:[\s_-]*\(?\d{{1,2}}\)?)?$", re.IGNORECASE),
    re.compile(r"\s*\((?:.* )?conflicted copy(?: [\d-]+)?\)$|\.sync-conflict-\d{8}-\d{6}(?:-\w+)?$", re.IGNORECASE),
    re.compile(rf"^{_COPY_WORD}(?: \(?\d{{1,2}}\)?)? (?:of|von|de|di|av|af) ", re.IGNORECASE),
)
"""What file managers, browsers, Dropbox and Syncthing add to a name: ` (1)`, ` - Copy`, ` copy 2`, `Kopie von `."""

_INBOX = re.compile(
    r"(?:my[\s_-])?downloads?|incoming|inbox|eingang|unsorted|unsortiert|to[\s_-]sort|torrents?|desktop",
    re.IGNORECASE,
)
"""Whole names of folders for unsorted files."""
_ASIDE = re.compile(
    r"(?:.*[\s._-])?(?:backups?|bak|sicherung(?:en)?|sauvegardes?|duplicates?|dupes)(?:[\s._-].*|\d*)"
    r"|(?:.*[._-])?(?:old|temp|tmp|deleted)\d*|.*[._-]trash|recycle[\s._-]?bin|papierkorb",
    re.IGNORECASE,
)
"""Whole names of folders for files put aside. `Old Crow Medicine Show` and `Trash` are music."""

_ALBUM_DEPTH = 2
"""An artist's folder, and an album's folder in it."""


class CopyRank(NamedTuple):
    """The better path has the smaller rank. Fields are compared in this order."""

    place: int
    """2 in a folder for files put aside, 1 in a folder for unsorted files, else 0."""
    copy_marks: int
    """How many marks of a copy the names of file and folders bear."""
    missing_folders: int
    """How many folders are missing to an artist's and an album's."""
    extra_folders: int
    """How many folders there are beyond these."""
    name: tuple[str, str]
    """The path without its ending, and the path."""


def rank_copy(path: str) -> CopyRank:
    """Rank a path among those of files with the same bytes: the smallest rank is the original's.

    Pure, and a total order of paths, so the choice depends neither on the order of files nor on who makes it.

    Parameters
    ----------
    path : str
        Relative to the library root, with `/` separators.

    Examples
    --------
    >>> min(["Downloads/01 Song.mp3", "Artist/Album/01 Song (1).mp3", "Artist/Album/01 Song.mp3"], key=rank_copy)
    'Artist/Album/01 Song.mp3'
    """
    *folders, name = path.split("/")
    stem, _, ending = name.rpartition(".")
    stem = stem or ending
    return CopyRank(
        place=max(map(_rank_place, folders), default=0),
        copy_marks=sum(map(_count_marks, (*folders, stem))),
        missing_folders=max(_ALBUM_DEPTH - len(folders), 0),
        extra_folders=max(len(folders) - _ALBUM_DEPTH, 0),
        name=("/".join((*folders, stem)), path),
    )


def explain_choice(original: str, copy: str) -> str:
    """Say why one path stands for another: `the copy is in Downloads`.

    Parameters
    ----------
    original, copy : str
        Two different paths. When the rank speaks for the copy, the original was there first.
    """
    chosen, other = rank_copy(original), rank_copy(copy)
    if other < chosen:
        return "the original was imported first"
    if other.place > chosen.place:
        named = next(name for name in copy.split("/")[:-1] if _rank_place(name) == other.place)
        return f"the copy is in {named}, a folder for {'files put aside' if other.place > 1 else 'unsorted files'}"
    if other.copy_marks > chosen.copy_marks:
        return "the copy has the name of one"
    if other.missing_folders > chosen.missing_folders:
        return "the copy is not in an artist's and an album's folder"
    if other.extra_folders > chosen.extra_folders:
        return "the copy is in more folders"
    return "the copy comes later in the alphabet"


def _rank_place(folder: str) -> int:
    if _ASIDE.fullmatch(folder):
        return 2
    return 1 if _INBOX.fullmatch(folder) else 0


def _count_marks(name: str) -> int:
    count = 0
    while True:
        shorter = next((cut for mark in _COPY_MARKS if (cut := mark.sub("", name)) != name), name)
        if shorter == name or not shorter:
            return count
        count, name = count + 1, shorter
