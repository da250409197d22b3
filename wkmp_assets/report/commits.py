"""Figures of all receipts: locks, waiting and hold times, and files per second."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from wkmp_assets.model.batch import Receipt
from wkmp_assets.report.bars import Bar, bin_values, make_bars
from wkmp_assets.report.text import clock, percentile

_MS_BOUNDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_MS_LABELS = ("< 0.1", *(f"{bound:g}" for bound in _MS_BOUNDS))
NEW_SESSION_S = 600
"""A pause this long separates two imports."""
IDLE_S = 60
"""A longer pause between two runs is idle time. A shorter one counts as the start of the next run."""
_MAX_BUCKETS = 60
_BUCKETS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400)
_SHOWN_SESSIONS = 8


@dataclass(frozen=True)
class TimedReceipt:
    """One file's last write."""

    receipt: Receipt
    run_began: datetime | None = None
    """Start of the run that wrote it, UTC without a zone as in receipts; None when Dagster no longer knows it."""


@dataclass(frozen=True)
class Spread:
    """The distribution of a time over the files."""

    bars: tuple[Bar, ...]
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True)
class Session:
    """Files that were written without a long pause between two commits."""

    first: datetime
    """Start of its first run, or its first commit where that is not known."""
    last: datetime
    """Its last commit."""
    files: int
    passages: int
    worked: timedelta
    """Without idle time: more than `IDLE_S` between the last commit of one run and the beginning of the next."""

    @property
    def seconds(self) -> float:
        """Working time in seconds; at least 1, because commits are timed to the second."""
        return max(self.worked.total_seconds(), 1.0)

    @property
    def files_per_s(self) -> float:
        """Files per second of working time."""
        return self.files / self.seconds


@dataclass(frozen=True)
class CommitFigures:
    """Figures of the kept receipts: one per file, from its last write."""

    files: int
    locks: tuple[Bar, ...]
    mean_locks: float
    reads: int
    retries: int
    conflicts: int
    hold: Spread
    wait: Spread
    sessions: tuple[Session, ...]
    """The latest first."""
    largest: Session | None
    """The one with the most files; None when no receipt says when it was written."""
    pace: tuple[Bar, ...]
    """Of that one: files written in each stretch of `pace_s`."""
    pace_s: int


def compute_commit_figures(commits: Sequence[TimedReceipt]) -> CommitFigures | None:
    """Add up receipts; None when there are none."""
    if not commits:
        return None
    receipts = [commit.receipt for commit in commits]
    locks = Counter(receipt.write_locks for receipt in receipts)
    written = sorted(_times(commits), key=lambda one: one.at)
    sessions = _sessions(written)
    largest = max(sessions, key=lambda session: session.files, default=None)
    pace_s, pace = _pace([one.at for one in written], largest) if largest else (1, ())
    return CommitFigures(
        files=len(receipts),
        locks=make_bars({str(count): locks[count] for count in sorted(locks)}),
        mean_locks=sum(receipt.write_locks for receipt in receipts) / len(receipts),
        reads=sum(receipt.selects_in_transaction for receipt in receipts),
        retries=sum(receipt.retries for receipt in receipts),
        conflicts=sum(receipt.conflicts for receipt in receipts),
        hold=_spread([receipt.hold_ms for receipt in receipts]),
        wait=_spread([receipt.wait_ms for receipt in receipts]),
        sessions=tuple(reversed(sessions))[:_SHOWN_SESSIONS],
        largest=largest,
        pace=pace,
        pace_s=pace_s,
    )


def _spread(values_ms: Sequence[float]) -> Spread:
    distribution = bin_values(values_ms, _MS_BOUNDS, _MS_LABELS)
    return Spread(distribution, percentile(values_ms, 50), percentile(values_ms, 99), max(values_ms))


@dataclass(frozen=True)
class _Write:
    at: datetime
    began: datetime | None
    """When the run began; None when that is not known."""
    passages: int


def _times(commits: Sequence[TimedReceipt]) -> Iterator[_Write]:
    for commit in commits:
        written = commit.receipt.written
        if written is not None:
            at = datetime.fromisoformat(written.written_at)
            yield _Write(at, min(commit.run_began, at) if commit.run_began else None, written.passages)


def _sessions(written: Sequence[_Write]) -> list[Session]:
    """Divide commits, sorted by time, at the long pauses."""
    if not written:
        return []
    pause = timedelta(seconds=NEW_SESSION_S)
    cuts = [number for number, (one, other) in enumerate(pairwise(written), 1) if other.at - one.at > pause]
    parts = [written[start:end] for start, end in pairwise([0, *cuts, len(written)])]
    sessions: list[Session] = []
    for part in parts:
        begun = [one.began for one in part if one.began and not (sessions and one.began <= sessions[-1].last)]
        first, last = min([part[0].at, *begun]), part[-1].at
        sessions.append(Session(first, last, len(part), sum(one.passages for one in part), _worked(part, first)))
    return sessions


def _worked(part: Sequence[_Write], first: datetime) -> timedelta:
    """Return the time without idle pauses. Between two commits of unknown runs, work is assumed."""
    total, until, idle = timedelta(), first, timedelta(seconds=IDLE_S)
    for one in part:
        total += one.at - (one.began if one.began and one.began - until > idle else until)
        until = one.at
    return total


def _pace(times: Sequence[datetime], session: Session) -> tuple[int, tuple[Bar, ...]]:
    """Count the files of a session in at most about sixty intervals of equal length."""
    width = next(
        (width for width in _BUCKETS_S if (session.last - session.first).total_seconds() / width < _MAX_BUCKETS),
        _BUCKETS_S[-1],
    )
    inside = [time for time in times if session.first <= time <= session.last]
    counts = Counter(int((time - session.first).total_seconds()) // width for time in inside)
    return width, make_bars({clock(number * width, 0): counts[number] for number in range(max(counts) + 1)})
