"""Where the things are that the pages show."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.db.read.listing import ListedPassage
from wkmp_assets.model.likeness import SimilarPassage


@dataclass(frozen=True)
class BrowsedLibrary:
    """One library to browse."""

    root: Path | None
    """The music folder; None for music that is not on this machine."""
    database: Path
    report: Path
    """The page of the library report; it may not be written yet."""
    receipts: Path
    """The list of receipts, written with the report."""
    covers: Path
    """The folder of the covers."""
    pictures: Path
    """The folder of the pictures of files."""
    picture_of: Callable[[str], Path]
    """Path of a file below the root -> where its picture is, if it was drawn."""
    find_similar: Callable[[str], Iterator[SimilarPassage[ListedPassage]]]
    """Guid of a passage -> the others as `wkmp similar` ranks them, the nearest first."""
