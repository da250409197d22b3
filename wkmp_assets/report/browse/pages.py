"""What the pages show: the start page with search and counts, and the page of one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from wkmp_assets.db.read.browsing import (
    ListedFile,
    read_covers_of,
    read_guids,
    read_newest_files,
    read_path_of,
)
from wkmp_assets.db.read.counts import LibraryCounts, read_counts
from wkmp_assets.db.read.file_details import FileDetails, PassageDetails, read_file_details
from wkmp_assets.db.read.listing import ListedPassage
from wkmp_assets.db.read.search import search_passages
from wkmp_assets.model.match_levels import level_of
from wkmp_assets.report.browse.places import BrowsedLibrary
from wkmp_assets.report.browse.served_files import find_inside, find_music, media_type_of
from wkmp_assets.report.flavor_words import MEASURED_KEY, describe_flavor

MAX_FOUND = 100
MAX_NEWEST = 20
MAX_NEIGHBOURS = 8
MAX_SHARED = 3


@dataclass(frozen=True)
class FoundPassage:
    """One line of a search."""

    listed: ListedPassage
    file: str | None
    """Guid of its file."""


@dataclass(frozen=True)
class StartPage:
    """What the library holds, and what a search found."""

    counts: LibraryCounts
    newest: Sequence[ListedFile]
    words: str
    found: Sequence[FoundPassage]
    found_count: int
    has_report: bool
    has_receipts: bool


@dataclass(frozen=True)
class Neighbour:
    """A passage that sounds like another."""

    listed: ListedPassage
    file: str | None
    distance: float
    shared: str
    """Characteristics that both have."""


@dataclass(frozen=True)
class ShownPassage:
    """One passage with what is said about it."""

    details: PassageDetails
    words: Sequence[str]
    """Its flavor."""
    level: str
    """How sure the song is; empty without one."""


@dataclass(frozen=True)
class FilePage:
    """One file with its passages."""

    guid: str
    file: FileDetails
    passages: Sequence[ShownPassage]
    media_type: str | None
    """None when browsers do not play the format."""
    is_on_disk: bool
    has_picture: bool
    covers: int
    compared: ListedPassage | None
    """The passage of which the neighbours are shown, if any."""
    neighbours: Sequence[Neighbour]


def read_start_page(library: BrowsedLibrary, words: str) -> StartPage:
    """Read the start page; with words, also what they find."""
    counts = read_counts(library.database) or LibraryCounts({}, {}, 0)
    found = search_passages(library.database, words, limit=MAX_FOUND)
    guids = read_guids(library.database, {one.path for one in found.best})
    return StartPage(
        counts=counts,
        newest=read_newest_files(library.database, MAX_NEWEST),
        words=words,
        found=[FoundPassage(one, guids.get(one.path)) for one in found.best],
        found_count=found.count,
        has_report=library.report.is_file(),
        has_receipts=library.receipts.is_file(),
    )


def read_file_page(library: BrowsedLibrary, guid: str, number: int | None = None) -> FilePage | None:
    """Read the page of a file; None when the library does not have it.

    Parameters
    ----------
    library : BrowsedLibrary
        Where it is.
    guid : str
        Of the file.
    number : int, optional
        Of the passage of which to show the neighbours. They take seconds to find among 100,000 passages.
    """
    path = read_path_of(library.database, guid)
    file = None if path is None else read_file_details(library.database, path)
    if path is None or file is None:
        return None
    compared = next((one.listed for one in file.passages if one.listed.number == number), None)
    return FilePage(
        guid=guid,
        file=file,
        passages=[_show(one) for one in file.passages],
        media_type=media_type_of(path),
        is_on_disk=find_music(library.root, path) is not None,
        has_picture=find_inside(library.pictures, str(library.picture_of(path))) is not None,
        covers=len(read_covers_of(library.database, guid)),
        compared=compared,
        neighbours=[] if compared is None else find_neighbours(library, compared.passage),
    )


def find_neighbours(library: BrowsedLibrary, passage: str) -> list[Neighbour]:
    """Return the passages that sound most like one, the nearest first; none when it has no flavor."""
    nearest = list(islice(library.find_similar(passage), MAX_NEIGHBOURS))
    guids = read_guids(library.database, {one.listed.path for one in nearest})
    return [
        Neighbour(
            one.listed,
            guids.get(one.listed.path),
            one.distance,
            ", ".join(value.replace("_", " ") for _, value in one.shared[:MAX_SHARED]),
        )
        for one in nearest
    ]


def _show(details: PassageDetails) -> ShownPassage:
    measured: Any = details.additional.get(MEASURED_KEY)
    words = describe_flavor(details.flavor, measured if isinstance(measured, dict) else {})
    confidence = details.listed.confidence
    return ShownPassage(details, [str(word) for word in words], "" if confidence is None else str(level_of(confidence)))
