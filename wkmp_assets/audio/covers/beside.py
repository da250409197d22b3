"""Picture files beside a music file: `cover.*`, `folder.*`, `front.*` and `albumart*.jpg`."""

import errno
import os
from functools import lru_cache
from pathlib import Path

from wkmp_assets.audio.covers.fit import MAX_PICTURE_BYTES, UnusablePictureError, name_megabytes
from wkmp_assets.files.small_files import NotARegularFileError, open_regular_file

EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
STEMS = ("cover", "folder", "front")
_MEDIA_PLAYER = "albumart"
"""What Windows Media Player's names begin with, such as `AlbumArt_{…}_Large.jpg`."""


def find_beside(folder: Path) -> tuple[str, ...]:
    """Return the names of the pictures in a folder that may be covers, the best first; none when it cannot be read.

    Names are compared without case. The order is `cover`, `folder`, `front`, `albumart`, then that of `EXTENSIONS`.
    """
    try:
        return _list_covers(folder, folder.stat().st_mtime_ns)
    except OSError:
        return ()


@lru_cache(maxsize=8)
def _list_covers(folder: Path, _changed_ns: int) -> tuple[str, ...]:
    """List a folder once for all its files: with 10,000 files in one folder, that many listings take minutes."""
    with os.scandir(folder) as scan:
        ranked = [(rank, entry.name) for entry in scan if (rank := _rank(entry.name)) is not None]
    return tuple(name for _, name in sorted(ranked))


def _rank(name: str) -> tuple[int, int] | None:
    stem, extension = os.path.splitext(name.lower())  # noqa: PTH122 - one per name of a large folder
    if extension not in EXTENSIONS:
        return None
    if stem in STEMS:
        return STEMS.index(stem), EXTENSIONS.index(extension)
    if stem.startswith(_MEDIA_PLAYER) and extension in EXTENSIONS[:2]:
        return len(STEMS), EXTENSIONS.index(extension)
    return None


def read_beside(path: Path, root: Path) -> bytes:
    """Read a picture file of the music folder.

    Parameters
    ----------
    path : Path
        The picture. It may be a link to another place in the music folder.
    root : Path
        The music folder.

    Raises
    ------
    UnusablePictureError
        It is a link out of the music folder, no regular file, too large, or cannot be read.
    """
    real = os.path.realpath(path)
    if not Path(real).is_relative_to(os.path.realpath(root)):
        raise UnusablePictureError("it is a link out of the music folder")
    try:
        with open_regular_file(real) as file:
            if os.fstat(file.fileno()).st_size > MAX_PICTURE_BYTES:
                raise UnusablePictureError(f"it is larger than {name_megabytes(MAX_PICTURE_BYTES)}")
            return file.read(MAX_PICTURE_BYTES + 1)
    except NotARegularFileError as error:
        # A link that is left after its path was resolved leads to itself.
        loop = f"it cannot be read ({os.strerror(errno.ELOOP)})"
        raise UnusablePictureError(loop if error.is_link else "it is a pipe, a folder or a device") from error
    except OSError as error:
        raise UnusablePictureError(f"it cannot be read ({error.strerror})") from error
