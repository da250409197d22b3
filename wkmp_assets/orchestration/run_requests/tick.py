"""Plan one tick: which files to register and which range runs to request.

Three kinds of files wait although they need an import: files in a run, files that are still being written, and files
that failed and have not changed since. A range run carries everything between its ends, so ranges stop before them.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wkmp_assets.model.known_files import FileStat
from wkmp_assets.model.timestamps import format_timestamp, read_timestamp
from wkmp_assets.model.work_estimates import estimate_work_s
from wkmp_assets.orchestration.run_requests.ranges import FileRange, RunSize, folder_of, plan_ranges, split_at


@dataclass(frozen=True)
class FailedFile:
    """A failed file: when it failed, and its size and time when a tick first saw that.

    The sensor's cursor keeps these fields as JSON.
    """

    failed_at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`."""
    size_bytes: int
    modified_at: str


@dataclass(frozen=True)
class TickLimits:
    """How much one tick may request."""

    runs: int
    """Runs to request; 0 when enough are pending."""
    size: RunSize
    """How much a run carries."""
    settle_s: int
    """Seconds since its last change after which a file counts as completely written."""


@dataclass(frozen=True)
class TickPlan:
    """What a tick registers and requests, and counts of the files that wait."""

    register: tuple[str, ...]
    """Partitions to register, in order."""
    ranges: tuple[FileRange, ...]
    failed: Mapping[str, FailedFile]
    """Failed files by partition key, for the cursor."""
    in_flight_count: int
    """Files in a pending or running run."""
    settling_count: int
    """Files that are still being written."""
    failed_count: int
    """Files that failed and have not changed since."""
    postponed_count: int
    """Files that are ready and exceed the limits of this tick."""


def runs_to_request(max_runs: int, pending_count: int) -> int:
    """Return how many runs a tick may request, so that at most `max_runs` are pending."""
    return max(max_runs - pending_count, 0)


def plan_tick(
    wanted: Mapping[str, FileStat],
    ordered: Sequence[str],
    in_flight: Collection[str],
    failures: Mapping[str, str],
    remembered: Mapping[str, FailedFile],
    limits: TickLimits,
    now: datetime,
    better: Mapping[str, str] | None = None,
) -> TickPlan:
    """Return what one tick registers and requests.

    Parameters
    ----------
    wanted : mapping of str to FileStat
        Partition key -> size and time on disk, for every new and changed file.
    ordered : sequence of str
        The registered partitions in their order.
    in_flight : collection of str
        Partitions in a pending or running run.
    failures : mapping of str to str
        Partition key -> time (UTC, `YYYY-MM-DD HH:MM:SS`) of its last failure.
    remembered : mapping of str to FailedFile
        `failed` of the previous tick's plan.
    limits : TickLimits
        How much to request.
    now : datetime
        With its time zone.
    better : mapping of str to str, optional
        Partition key of a copy -> key of the better copy that an earlier run found. The copy waits for it, unless both
        are in one run.
    """
    failed = {
        key: _remember(failures[key], remembered.get(key), stat, now) for key, stat in wanted.items() if key in failures
    }
    busy = wanted.keys() & set(in_flight)
    settling = {key for key, stat in wanted.items() if _is_fresh(stat, now, limits.settle_s)} - busy
    unchanged_failures = {key for key in failed if _is_as_it_failed(failed[key], wanted[key])} - busy - settling
    ready = sorted(wanted.keys() - busy - settling - unchanged_failures)
    known = set(ordered)
    unregistered = [key for key in ready if key not in known]
    work_s = {key: estimate_work_s(key, wanted[key].size_bytes) for key in ready}
    register = _fit(unregistered, work_s, limits)
    order = [*ordered, *register]
    stretches = list(split_at(order, set(in_flight) | settling | unchanged_failures))
    ranges = _plan_each(stretches, ready, work_s, limits)
    if held := _find_held(ranges, better or {}, wanted.keys() - unchanged_failures):
        ranges = _plan_each(stretches, set(ready) - held, work_s, limits)
    chosen = tuple(ranges[: limits.runs])
    postponed_count = len(ready) - sum(len(files.keys) for files in chosen)
    return TickPlan(tuple(register), chosen, failed, len(busy), len(settling), len(unchanged_failures), postponed_count)


def _fit(keys: Sequence[str], work_s: Mapping[str, float], limits: TickLimits) -> list[str]:
    """Return the first of some files, as many as the runs of one tick may carry; by work, whole folders."""
    if not limits.runs:
        return []
    fitting: list[str] = []
    sum_s = 0.0
    for key in keys if limits.size.files is None else keys[: limits.runs * limits.size.files]:
        if sum_s >= limits.runs * limits.size.work_s and folder_of(key) != folder_of(fitting[-1]):
            break
        fitting.append(key)
        sum_s += work_s[key]
    return fitting


def _plan_each(
    stretches: Sequence[Sequence[str]], ready: Collection[str], work_s: Mapping[str, float], limits: TickLimits
) -> list[FileRange]:
    ranges: list[FileRange] = []
    for stretch in stretches:
        ranges += plan_ranges(stretch, set(ready).intersection(stretch), limits.size, work_s)
    return ranges


def _find_held(ranges: Sequence[FileRange], better: Mapping[str, str], may_come: Collection[str]) -> frozenset[str]:
    """Return the files of the ranges whose better copy waits for another run."""
    return frozenset(
        key
        for files in ranges
        for key in files.keys
        if key in better and better[key] in may_come and better[key] not in files.keys
    )


def run_key(
    files: FileRange,
    wanted: Mapping[str, FileStat],
    now: datetime,
    after: str = "",
    *,
    library: str = "",
    attempt: int = 0,
) -> str:
    """Return a key for a run from its files and their state, so that a repeated tick requests no run twice.

    The key changes every day: files that no run has finished are requested again once a day. It also changes with
    `after`, the id of the last run that failed as a whole: the files of that run are requested again after it. It
    differs between libraries, and with the number of runs of the day that have ended without importing the files.
    """
    described = [[key, wanted[key].size_bytes, wanted[key].modified_at] for key in files.keys]
    text = json.dumps([now.astimezone(UTC).date().isoformat(), library, after, attempt, described])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _remember(failed_at: str, before: FailedFile | None, stat: FileStat, now: datetime) -> FailedFile:
    if before is not None and before.failed_at == failed_at:
        return before
    if stat.modified_at > failed_at or failed_at > format_timestamp(now):
        # The file changed after its failure and before this tick, or it may have: the clock was ahead when it failed.
        # No file has the size -1, so it is tried again.
        return FailedFile(failed_at, -1, stat.modified_at)
    return FailedFile(failed_at, stat.size_bytes, stat.modified_at)


def _is_as_it_failed(failed: FailedFile, stat: FileStat) -> bool:
    return (failed.size_bytes, failed.modified_at) == (stat.size_bytes, stat.modified_at)


def _is_fresh(stat: FileStat, now: datetime, settle_s: int) -> bool:
    """Tell whether a file changed just now. A time far in the future comes from a wrong clock and counts as old."""
    modified = read_timestamp(stat.modified_at)
    return modified is not None and abs((now - modified).total_seconds()) < settle_s
