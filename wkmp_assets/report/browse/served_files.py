"""Which files leave the disk: music from below the library's root, and pictures from the folders of the import.

The paths are of the library, which may come from somebody else. So each is resolved, and must lie where it belongs.
"""

import os
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, PlainTextResponse

from wkmp_assets.errors import PartitionKeyError
from wkmp_assets.model.audio_formats import MEDIA_TYPES
from wkmp_assets.model.file_key import decode_key

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
"""The file may be another tomorrow, and no browser may take it for a page."""


def media_type_of(path: str) -> str | None:
    """Return the media type of a file of music that browsers play; None for all others."""
    return MEDIA_TYPES.get(Path(path).suffix.lower())


def find_inside(folder: Path, path: str) -> Path | None:
    """Return where a file really is, if it lies in a folder and is a regular file; else None.

    Parameters
    ----------
    folder : Path
        Nothing outside of it is returned, neither by `..` nor by a link.
    path : str
        Relative to it, or absolute.
    """
    try:
        root = folder.resolve(strict=True)
        found = (root / path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    return found if found.is_relative_to(root) and found.is_file() else None


def find_music(root: Path | None, path: str) -> Path | None:
    """Return where a file of the library is on disk; None when it is not there, or leads out of the root.

    Parameters
    ----------
    root : Path or None
        The library's root; None for music that is not on this machine.
    path : str
        As stored: the partition key where the name is not UTF-8.
    """
    if root is None:
        return None
    if found := find_inside(root, path):
        return found
    try:
        return find_inside(root, decode_key(path))
    except PartitionKeyError:
        return None


def serve(path: Path | None, media_type: str | None) -> Any:
    """Return the answer that sends a file, whole or in the ranges that a player asks for; 404 without a file."""
    if path is None or media_type is None or not os.access(path, os.R_OK):
        return PlainTextResponse("There is no such file.\n", status_code=404)
    # A media element that seeks asks for ranges; Starlette answers with 206 and 416, and to HEAD.
    return FileResponse(path, media_type=media_type, headers=_HEADERS)
