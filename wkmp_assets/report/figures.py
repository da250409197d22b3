"""The figures of the library report."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from wkmp_assets.db.read.counts import LibraryCounts, StoredFailure
from wkmp_assets.db.read.file_warnings import ListedWarning, WarningCounts
from wkmp_assets.db.read.overview import LibraryOverview, NamedPassage, PassageNumbers
from wkmp_assets.model.flavor import parse_flavor
from wkmp_assets.model.match_levels import MatchLevel, level_of
from wkmp_assets.model.ticks import TICKS_PER_SECOND
from wkmp_assets.report.bars import Bar, bin_values, make_bars
from wkmp_assets.report.commits import CommitFigures, TimedReceipt, compute_commit_figures
from wkmp_assets.report.flavor_map import FlavorMap, map_flavors
from wkmp_assets.report.text import explain_no_song, name_status

MAX_EXAMPLES = 10
"""Files named for each cause."""
_LENGTHS_S = (5, 15, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1800, 3600)
_LENGTH_LABELS = (
    "< 5 s", "5 s", "15 s", "30 s", "1 min", "2", "3", "4", "5", "6", "8", "10", "15", "30 min", "1 h",
)  # fmt: skip
_LEADS_S = (1e-9, 0.25, 0.5, 1, 2, 3, 4, 5, 7, 10)
_LEAD_LABELS = ("0 s", "> 0", "0.25", "0.5", "1", "2", "3", "4", "5", "7", "10 s")


@dataclass(frozen=True)
class FailureGroup:
    """Files that failed for the same reason in the same phase."""

    phase: str
    code: str
    files: int
    examples: tuple[StoredFailure, ...]


@dataclass(frozen=True)
class WarningGroup:
    """Files with a warning of one kind."""

    kind: str
    files: int
    examples: tuple[ListedWarning, ...]


@dataclass(frozen=True, eq=False)
class FlavorFigures:
    """The map and the passages that its points stand for."""

    flavor_map: FlavorMap
    passages: tuple[NamedPassage, ...]
    total: int
    """Passages with a flavor in the library; the map may show a sample of them."""


@dataclass(frozen=True, eq=False)
class ReportFigures:
    """Everything the report shows."""

    counts: dict[str, int]
    """Name -> number of rows in the library."""
    statuses: tuple[Bar, ...]
    levels: tuple[Bar, ...]
    with_song: int
    no_song: str
    """What passages without a song mean; empty when there are none."""
    failures: tuple[FailureGroup, ...]
    """The most frequent first."""
    failed: int
    warnings: tuple[WarningGroup, ...]
    """The most serious kind first."""
    commits: CommitFigures | None
    lengths: tuple[Bar, ...]
    leads: dict[str, tuple[Bar, ...]]
    without_leads: int
    longest: tuple[NamedPassage, ...] = ()
    shortest: tuple[NamedPassage, ...] = ()
    flavors: FlavorFigures | None = field(default=None)


def compute_figures(
    report: LibraryCounts,
    failures: Sequence[StoredFailure],
    overview: LibraryOverview,
    commits: Sequence[TimedReceipt],
    warnings: Sequence[ListedWarning] = (),
) -> ReportFigures:
    """Compute the figures of the report.

    Parameters
    ----------
    report, failures, overview
        From the library's database.
    commits : sequence of TimedReceipt
        The last write of each file, from Dagster's records. There may be fewer than files in the library.
    warnings : sequence of ListedWarning
        From the library's database.
    """
    passages = overview.passages
    return ReportFigures(
        counts={"files": sum(report.files_by_status.values()), **report.rows},
        statuses=make_bars({name_status(status): count for status, count in report.files_by_status.items()}),
        levels=_levels(passages),
        with_song=sum(passage.has_song for passage in passages),
        no_song=explain_no_song(report.without_song, len(passages)) if report.without_song else "",
        failures=_groups(failures),
        failed=len(failures),
        warnings=_warnings(report.warnings, warnings),
        commits=compute_commit_figures(commits),
        lengths=bin_values((_seconds(passage.length_ticks) for passage in passages), _LENGTHS_S, _LENGTH_LABELS),
        leads={
            "Lead-in": _leads([passage.lead_in_ticks for passage in passages]),
            "Lead-out": _leads([passage.lead_out_ticks for passage in passages]),
        },
        without_leads=sum(passage.lead_in_ticks is None for passage in passages),
        longest=overview.longest,
        shortest=overview.shortest,
        flavors=_flavors(overview),
    )


def _levels(passages: Sequence[PassageNumbers]) -> tuple[Bar, ...]:
    found = Counter(level_of(passage.confidence or 0.0) for passage in passages)
    return make_bars({str(level): found[level] for level in MatchLevel}) if passages else ()


def _groups(failures: Sequence[StoredFailure]) -> tuple[FailureGroup, ...]:
    by_cause: dict[tuple[str, str], list[StoredFailure]] = {}
    for failure in failures:
        by_cause.setdefault((failure.phase, failure.code), []).append(failure)
    groups = [FailureGroup(*cause, len(files), tuple(files[:MAX_EXAMPLES])) for cause, files in by_cause.items()]
    return tuple(sorted(groups, key=lambda group: (-group.files, group.phase, group.code)))


def _warnings(counts: WarningCounts, warnings: Sequence[ListedWarning]) -> tuple[WarningGroup, ...]:
    by_kind: dict[str, list[ListedWarning]] = {}
    for warning in warnings:
        by_kind.setdefault(warning.kind, []).append(warning)
    return tuple(
        WarningGroup(kind, files, tuple(by_kind.get(kind, ())[:MAX_EXAMPLES])) for kind, files in counts.by_kind.items()
    )


def _leads(lengths_ticks: Sequence[int | None]) -> tuple[Bar, ...]:
    return bin_values((_seconds(length) for length in lengths_ticks if length is not None), _LEADS_S, _LEAD_LABELS)


def _flavors(overview: LibraryOverview) -> FlavorFigures | None:
    read = [(passage, parse_flavor(passage.flavor).flavor) for passage in overview.flavored]
    usable = [(passage, flavor) for passage, flavor in read if flavor]
    flavor_map = map_flavors([flavor for _, flavor in usable])
    if flavor_map is None:
        return None
    return FlavorFigures(flavor_map, tuple(passage for passage, _ in usable), overview.flavored_total)


def _seconds(length_ticks: int) -> float:
    return length_ticks / TICKS_PER_SECOND
