"""Tables for the page of a partition, with one line per passage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wkmp_assets.model.field_values import fields_of
from wkmp_assets.model.file_entry import FileEntry, PassageEntry
from wkmp_assets.model.ticks import to_seconds
from wkmp_assets.model.values import Flavors, PassageFlavor, PassageMatch, PassageSegments, SongMatches
from wkmp_assets.report.flavor_words import describe_flavor
from wkmp_assets.report.text import clock


@dataclass(frozen=True)
class PassageTable:
    """Lines of texts."""

    columns: tuple[str, ...]
    lines: tuple[Mapping[str, str], ...]
    """Column -> text."""


MAX_ROWS = 100
"""A file with more passages was probably cut wrongly, and its page must still open quickly."""
NOT_KNOWN = "-"


def tabulate_segments(segments: PassageSegments) -> PassageTable:
    """Return start, end and length of each passage."""
    rate = segments.audio.sample_rate_hz
    return _table(
        [
            {
                "from": clock(span.start_sample / rate),
                "to": clock(span.end_sample / rate),
                "length": clock(span.length_samples / rate),
            }
            for span in segments.passages
        ]
    )


def tabulate_matches(matches: SongMatches) -> PassageTable:
    """Return the song of each passage, its confidence and its source."""
    return _table([_of_match(match) | {"said by": match.source or NOT_KNOWN} for match in matches.passages])


def tabulate_flavors(flavors: Flavors) -> PassageTable:
    """Return what each passage sounds like, in words."""
    return _table([_of_flavor(flavor) for flavor in flavors.passages])


def tabulate_entry(entry: FileEntry) -> PassageTable:
    """Return place, song and lead points of each passage, as far as they fit the width of a page."""
    return _table([_of_passage(passage) for passage in entry.passages])


def _of_passage(passage: PassageEntry) -> dict[str, str]:
    points = passage.lead_points
    lead_in = None if points.lead_in_ticks is None else points.lead_in_ticks - passage.start_ticks
    lead_out = None if points.lead_out_ticks is None else passage.end_ticks - points.lead_out_ticks
    return {
        "from": clock(to_seconds(passage.start_ticks)),
        "to": clock(to_seconds(passage.end_ticks)),
        **_of_match(passage.match),
        "lead-in": NOT_KNOWN if lead_in is None else f"{to_seconds(lead_in):.1f} s",
        "lead-out": NOT_KNOWN if lead_out is None else f"{to_seconds(lead_out):.1f} s",
    }


def _of_match(match: PassageMatch) -> dict[str, str]:
    known = f"{match.level}, {match.score:.2f}" if match.song else "not known"
    return {"title": match.title or NOT_KNOWN, "artist": match.artist or NOT_KNOWN, "song": known}


def _of_flavor(flavor: PassageFlavor) -> dict[str, str]:
    words = describe_flavor({**flavor.classes, **flavor.measured}, fields_of(flavor.measures))
    return {"sound": ", ".join(map(str, words))}


def _table(rows: Sequence[Mapping[str, str]]) -> PassageTable:
    lines = tuple({"passage": str(number), **row} for number, row in enumerate(rows[:MAX_ROWS], start=1))
    return PassageTable(tuple(lines[0]) if lines else (), lines)
