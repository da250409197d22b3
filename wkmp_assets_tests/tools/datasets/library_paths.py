"""Name files the way taggers do: `Artist/Album/NN Title.ext`, safe on common file systems, no two alike."""

import re

from wkmp_assets_tests.tools.datasets.tagging import Tags

MAX_NAME_LENGTH = 80


class PathMaker:
    """Makes paths that differ even on file systems that ignore case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def make(self, tags: Tags, fallback: str, suffix: str) -> str:
        """Name a file after its tags.

        Parameters
        ----------
        tags : Tags
            Missing artist or album: `fallback` stands in.
        fallback : str
            Name of the folder for files that do not say where they belong.
        suffix : str
            Ending, with the dot.
        """
        folder = f"{_safe(tags.artist or fallback)}/{_safe(tags.album or fallback)}"
        number = f"{tags.track:02d} " if tags.track else ""
        name = _safe(f"{number}{tags.title or 'Untitled'}")
        path, copy = f"{folder}/{name}{suffix}", 1
        while path.casefold() in self._taken:
            copy += 1
            path = f"{folder}/{name} ({copy}){suffix}"
        self._taken.add(path.casefold())
        return path


def _safe(name: str) -> str:
    # What Windows and Samba refuse, too: libraries are copied about.
    cleaned = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", name)
    return cleaned[:MAX_NAME_LENGTH].strip(" .") or "_"
