"""CUE sheets on disk, beside the music files of a folder."""

import os
import unicodedata
from functools import lru_cache
from pathlib import Path

from wkmp_assets.files.small_files import NotARegularFileError, open_regular_file
from wkmp_assets.files.walk import list_audio_names

CUE_ENDING = ".cue"
MAX_CUE_FILES = 20
"""Sheets that are read for one music file."""
MAX_CUE_BYTES = 256 * 1024
"""Of one sheet; one of 99 tracks has 20 KB."""


def find_cue_files(path: Path) -> tuple[str, ...]:
    """Return the names of the sheets in a music file's folder.

    Parameters
    ----------
    path : Path
        The music file.

    Returns
    -------
    tuple of str
        The sheet with the name of the file first, as `Live.cue` or `Live.flac.cue` for `Live.flac`; the others by name,
        `MAX_CUE_FILES` at most. Empty when the folder cannot be read.
    """
    names = _names_in(path.parent)[0]
    own = sorted(name for name in names if is_named_after(name, path))
    return tuple([*own, *(name for name in names if name not in own)][:MAX_CUE_FILES])


def is_named_after(cue_name: str, path: Path) -> bool:
    """Tell whether a sheet has the name of a music file; case does not count."""
    return _fold(Path(cue_name).stem) in {_fold(path.stem), _fold(path.name)}


def is_only_music(path: Path) -> bool:
    """Tell whether a music file is the only one in its folder."""
    return _names_in(path.parent)[1] == 1


def read_cue_file(path: Path) -> bytes:
    """Read a sheet.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is a symbolic link, which may lead out of the music folder, or no regular file, or larger than
        `MAX_CUE_BYTES`. The message is a clause about the sheet.
    """
    try:
        with open_regular_file(path) as file:
            data = file.read(MAX_CUE_BYTES + 1)
    except NotARegularFileError as error:
        raise ValueError("it is a symbolic link" if error.is_link else "it is no regular file") from error
    if len(data) > MAX_CUE_BYTES:
        raise ValueError(f"it is larger than {MAX_CUE_BYTES // 1024} KB")
    return data


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _names_in(folder: Path) -> tuple[tuple[str, ...], int]:
    """Return the names of the sheets in a folder, and the number of music files there."""
    try:
        return _list(folder, folder.stat().st_mtime_ns)
    except OSError:
        return (), 0


@lru_cache(maxsize=16)
def _list(folder: Path, _modified_at_ns: int) -> tuple[tuple[str, ...], int]:
    """List a folder once for all of its files. It is listed again when its time has changed."""
    names = [name for name in os.listdir(folder) if name.lower().endswith(CUE_ENDING)]  # noqa: PTH208 - names only
    return tuple(sorted(names)), len(list_audio_names(folder)) if names else 0
