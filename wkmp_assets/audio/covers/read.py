"""Find the covers of one file, and keep them in the state folder."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from wkmp_assets.audio.covers import embedded
from wkmp_assets.audio.covers.beside import find_beside, read_beside
from wkmp_assets.audio.covers.embedded import EmbeddedPicture, read_embedded
from wkmp_assets.audio.covers.fit import UnusablePictureError
from wkmp_assets.audio.covers.made import KeptCover, make_cover
from wkmp_assets.audio.covers.store import CoverStore
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.values import Cover, CoverKind, CoverSource

MAX_TRIES = 5
"""Pictures of one kind that are tried until one can be used."""


class _Candidate(NamedTuple):
    name: str
    """What warnings call it."""
    source: CoverSource
    read: Callable[[], bytes]


def read_covers(path: Path, display_path: str, store: CoverStore) -> tuple[tuple[Cover, ...], tuple[FileWarning, ...]]:
    """Return the covers of a file, at most one of each kind, and a warning for each picture that cannot be used.

    The front cover is, in this order: an embedded picture of the type "front cover", one without a type, a picture file
    beside the music, an embedded picture of another type, such as the artist. Of several, the first that can be read.

    Parameters
    ----------
    path : Path
        The file.
    display_path : str
        Its path in the library, which tells where the music folder begins.
    store : CoverStore
        Gets the covers.

    Raises
    ------
    StateDiskError
        The state folder may not be written to.
    """
    pictures = [
        (one.type, _Candidate(f"The embedded picture {number}", CoverSource.EMBEDDED, partial(_data_of, one)))
        for number, one in enumerate(read_embedded(path), start=1)
    ]
    covers: list[Cover] = []
    warnings: list[FileWarning] = []
    for kind, candidates in (
        (CoverKind.FRONT, _fronts(pictures, path, display_path)),
        (CoverKind.BACK, _of_type(pictures, embedded.BACK)),
        (CoverKind.LINER, _of_type(pictures, embedded.LEAFLET)),
    ):
        for _, candidate in zip(range(MAX_TRIES), candidates, strict=False):
            kept = make_cover(candidate.read, store)
            if isinstance(kept, KeptCover):
                covers.append(Cover(kind, kept.path, kept.width, kept.height, candidate.source))
                break
            text = f"{candidate.name} cannot be used as a cover: {kept}."
            warnings.append(FileWarning(WarningKind.UNUSED_PICTURE, text))
    return tuple(covers), tuple(warnings)


_Pictures = list[tuple[int, _Candidate]]


def _fronts(pictures: _Pictures, path: Path, display_path: str) -> Iterator[_Candidate]:
    yield from _of_type(pictures, embedded.FRONT)
    yield from _of_type(pictures, embedded.OTHER)
    root = path.parents[len(PurePosixPath(display_path).parts) - 1]
    for name in find_beside(path.parent):
        yield _Candidate(f"The file {name}", CoverSource.BESIDE, partial(read_beside, path.parent / name, root))
    named = {embedded.FRONT, embedded.OTHER, embedded.BACK, embedded.LEAFLET}
    yield from (candidate for kind, candidate in pictures if kind not in named)


def _of_type(pictures: _Pictures, wanted: int) -> Iterator[_Candidate]:
    return (candidate for kind, candidate in pictures if kind == wanted)


def _data_of(picture: EmbeddedPicture) -> bytes:
    if picture.problem:
        raise UnusablePictureError(picture.problem)
    return picture.data
