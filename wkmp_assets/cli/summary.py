"""The summary of an import: it collects commits and renders tables, and prints nothing itself."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from wkmp_assets.cli.failure_table import MAX_LISTED, render_failures
from wkmp_assets.db.read.incomplete import IncompleteFile
from wkmp_assets.model.batch import FileCommit
from wkmp_assets.model.file_entry import FileEntry, PassageEntry
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.flavor import has_classes
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.model.values import ClassesOutcome
from wkmp_assets.report.partition_metadata import name_result
from wkmp_assets.report.text import describe_warnings, explain_incomplete, explain_no_song, percentile, printable

_ORDER = (
    "imported", "duplicate", "no audio", "moved", "touched", "unchanged", "failed", "interrupted",
    SkipReason.ELSEWHERE, SkipReason.GONE, SkipReason.IGNORED, SkipReason.WAITS,
)  # fmt: skip
_IN_LIBRARY = frozenset({"imported", "duplicate", "no audio", "moved", "touched", "unchanged"})
_LISTED = frozenset({WarningKind.LOST_SONG, WarningKind.KEPT_PASSAGE})
"""Kinds of warnings that a person cannot know of before: this import has changed something. The others are counted."""


def is_waiting(commit: FileCommit) -> bool:
    """Tell whether a file waits for a better copy, and so comes a second time."""
    return isinstance(commit.outcome, Skipped) and commit.outcome.reason is SkipReason.WAITS


def is_in_library(commit: FileCommit) -> bool:
    """Tell whether a file is in the library."""
    return name_result(commit) in _IN_LIBRARY


@dataclass
class ImportSummary:
    """Counts of one import; `add` takes one commit at a time."""

    unchanged: int = 0
    """Unchanged files, which no run carries."""
    not_begun: int = 0
    """Files that a stopped import did not reach."""
    missing: int = 0
    """Files of the library that are not on disk."""
    not_looked_at: int = 0
    """Files of the library in places that the scan could not read."""
    passed_over: tuple[str, ...] = ()
    """Names that the scan passed over, each with its reason."""
    passed_over_by_name: str = ""
    """What patterns and endings kept out of the scan."""
    ignored: str = ""
    """Which files of the library a pattern passes over by now."""
    unreadable: str = ""
    """Which folders the scan could not read, and what to do."""
    results: Counter[str] = field(default_factory=Counter)
    waiting: set[str] = field(default_factory=set)
    """Partition keys of files that wait for a better copy."""
    passages: int = 0
    songs: set[str] = field(default_factory=set)
    without_song: int = 0
    """Passages without a song."""
    failures: list[tuple[str, Failed]] = field(default_factory=list)
    write_locks: "array[int]" = field(default_factory=lambda: array("L"))
    """Of each file with a receipt. The receipts would take 1 KB a file."""
    hold_ms: "array[float]" = field(default_factory=lambda: array("d"))
    wait_ms: "array[float]" = field(default_factory=lambda: array("d"))
    """The same for the times that the lock was held and waited for."""
    warnings: list[tuple[str, FileWarning]] = field(default_factory=list)
    """Path, and what is doubtful about the file."""
    flavors: int = 0
    """Passages with a measured flavor."""
    with_classes: int = 0
    """Passages among them with classes of AcousticBrainz."""
    deferred: Counter[str] = field(default_factory=Counter)
    """Reason -> passages whose lookup was deferred."""
    kept_matches: Counter[str] = field(default_factory=Counter)
    """Reason -> passages that keep the answer of an earlier import."""
    kept: Counter[str] = field(default_factory=Counter)
    """Reason -> passages that keep what the library knew, because no answer replaced it."""
    without_classes: Counter[str] = field(default_factory=Counter)
    """Reason -> passages whose classes were deferred."""
    without_loudness: int = 0
    """Passages whose loudness needs a decode that was not asked for."""
    not_asked: str = ""
    """What `--retry-deferred` does not ask for, with the reason."""
    incomplete: Sequence[IncompleteFile] = ()
    """Files that WKMP left half-made, after this import."""
    gone: str = ""
    """Since when AcousticBrainz has not answered; empty while it counts as reachable."""

    def add(self, commit: FileCommit) -> None:
        """Count one file. One that waits for a better copy comes a second time."""
        if is_waiting(commit):
            self.waiting.add(commit.key)
            return
        self.waiting.discard(commit.key)
        self.results[name_result(commit)] += 1
        if commit.receipt is not None:
            self.write_locks.append(commit.receipt.write_locks)
            self.hold_ms.append(commit.receipt.hold_ms)
            self.wait_ms.append(commit.receipt.wait_ms)
        if isinstance(commit.outcome, Failed):
            self.failures.append((decode_key(commit.key), commit.outcome))
        if commit.batch is not None:
            self.passages += len(commit.batch.passages)
            self.songs.update(link.song_id for link in commit.batch.passage_songs)
            linked = {link.passage_id for link in commit.batch.passage_songs}
            self.without_song += sum(passage.guid not in linked for passage in commit.batch.passages)
            self.deferred.update(_deferred(commit.outcome))
            self.kept_matches.update(_kept_matches(commit.outcome))
            self.kept.update(commit.batch.kept_because)
            flavors = [one.flavor for one in _passages(commit.outcome) if one.flavor]
            self.flavors += len(flavors)
            self.with_classes += sum(bool(flavor.classes) for flavor in flavors)
            self._add_waiting(commit)
            self.warnings += [(decode_key(commit.key), warning) for warning in commit.batch.warnings]

    def _add_waiting(self, commit: FileCommit) -> None:
        """Count passages that AcousticBrainz gave no answer for, unless the library has their classes from before."""
        rows = commit.batch.passages if commit.batch else ()
        for row, passage in zip(rows, _passages(commit.outcome), strict=False):
            if passage.flavor is None or has_classes(row.flavor_source_blend):
                continue
            if passage.flavor.outcome is ClassesOutcome.GONE:
                self.gone = passage.flavor.detail
            elif passage.flavor.outcome is ClassesOutcome.DEFERRED:
                self.without_classes[passage.flavor.detail] += 1

    @property
    def safe(self) -> int:
        """Number of this import's files that are in the library."""
        return sum(count for word, count in self.results.items() if word in _IN_LIBRARY)

    @property
    def has_failures(self) -> bool:
        """Whether a file could not be imported, or files may lie in a folder that cannot be read."""
        return bool(self.failures or self.unreadable)

    def render(self, elapsed_s: float) -> RenderableType:
        """Return the summary as rich tables."""
        table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(style="bold")
        table.add_column()
        for label, text in self._lines(elapsed_s):
            table.add_row(label, text)
        parts: list[RenderableType] = [table]
        if self.passed_over:
            parts += [Text(), *_listed(f"{len(self.passed_over)} passed over", self.passed_over)]
        if warnings := [f"{path}: {warning}" for path, warning in self.warnings if warning.kind in _LISTED]:
            parts += [Text(), *_listed(f"{len(warnings)} warnings", warnings)]
        if self.failures:
            parts += [Text(), render_failures(self.failures)]
        return Group(*parts)

    def _kept_lines(self) -> Iterator[tuple[str, str]]:
        for reason, count in self.kept_matches.items():
            yield "Kept", f"{count} passages keep the song that an earlier import found ({reason})"
        for reason, count in self.kept.items():
            yield "Kept", f"{count} passages keep what the library knew of them, because {reason}"

    def _lines(self, elapsed_s: float) -> Iterator[tuple[str, str]]:
        results = self.results + Counter({"unchanged": self.unchanged, "interrupted": self.not_begun})
        results[SkipReason.WAITS] += len(self.waiting)
        counts = [f"{results[word]} {word}" for word in _ORDER if results[word]]
        yield "Files", ", ".join(counts) or "none found"
        yield from self._kept_lines()
        for reason, count in self.deferred.items():
            yield "Deferred", f"{count} passages to look up later ({reason}): wkmp import FOLDER --retry-deferred"
        for reason, count in self.without_classes.items():
            yield "Deferred", f"{count} passages without classes yet ({reason}): wkmp import FOLDER --retry-deferred"
        if self.without_loudness:
            yield (
                "No loudness",
                f"{self.without_loudness} passages need a decode: wkmp import FOLDER --reflavor --decode",
            )
        if self.not_asked:
            yield "Not asked", self.not_asked
        if self.incomplete:
            yield "Incomplete", explain_incomplete(self.incomplete)
        yield from self._lines_of_scan()
        if self.warnings:
            yield "Warnings", f"{self._describe_warnings()} (wkmp warnings FOLDER lists them)"
        yield from self._lines_of_passages()
        if locks := self.write_locks:
            yield "Write locks", f"{sum(locks) / len(locks):.2f} per file written, at most {max(locks)}"
            yield "Transaction", f"{_spread(self.hold_ms)} held"
            yield "Waiting", f"{_spread(self.wait_ms)} for the lock"
        handled = sum(self.results.values())
        rate = f", {handled / elapsed_s:.1f} files/s" if handled and elapsed_s > 0 else ""
        yield "Time", f"{elapsed_s:.1f} s{rate}"

    def _lines_of_scan(self) -> Iterator[tuple[str, str]]:
        if self.missing:
            yield "Missing", f"{self.missing} in the library but not on disk (kept; wkmp missing FOLDER lists them)"
        if self.not_looked_at:
            yield "Not seen", f"{self.not_looked_at} in unreadable folders or behind links (kept)"
        if self.unreadable:
            yield "Unreadable", escape(self.unreadable)
        if self.passed_over_by_name:
            yield "Passed over", escape(self.passed_over_by_name)
        if self.ignored:
            yield "Passed over", escape(self.ignored)

    def _describe_warnings(self) -> str:
        kinds = {(path, str(warning.kind)) for path, warning in self.warnings}
        files = len({path for path, _ in self.warnings})
        return describe_warnings(files, Counter(kind for _, kind in kinds))

    def _lines_of_passages(self) -> Iterator[tuple[str, str]]:
        if self.results:
            yield "Passages", str(self.passages)
            yield "Songs", str(len(self.songs))
        if self.without_song:
            yield "No song", explain_no_song(self.without_song, self.passages)
        if self.flavors:
            gone = f" ({self.gone})" if self.gone else ""
            yield "Flavors", f"{self.flavors} measured, {self.with_classes} with AcousticBrainz' classes{gone}"


def _listed(title: str, lines: Sequence[str]) -> Iterator[Text]:
    yield Text(title, style="bold yellow")
    yield from (Text(f"  {printable(line)}") for line in lines[:MAX_LISTED])
    if len(lines) > MAX_LISTED:
        yield Text(f"  and {len(lines) - MAX_LISTED} more")


def _spread(milliseconds: Sequence[float]) -> str:
    p50, p99 = percentile(milliseconds, 50), percentile(milliseconds, 99)
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {max(milliseconds):.1f} ms"


def _passages(outcome: Outcome[FileEntry]) -> Sequence[PassageEntry]:
    return outcome.value.passages if isinstance(outcome, Result) else ()


def _deferred(outcome: Outcome[FileEntry]) -> Iterator[str]:
    for passage in _passages(outcome):
        lookup = passage.match.lookup
        if lookup is not None and lookup.outcome is LookupOutcome.DEFERRED:
            yield lookup.detail


def _kept_matches(outcome: Outcome[FileEntry]) -> Iterator[str]:
    for passage in _passages(outcome):
        lookup = passage.match.lookup
        if lookup is not None and lookup.stands_because:
            yield lookup.stands_because
