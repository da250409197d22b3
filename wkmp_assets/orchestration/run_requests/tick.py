"""What a tick of the sensor does about the files of a library. Pure: no disk, no SQL, no Dagster.

Of the files that need an import some are left alone for now: those a run has in hand, those still being written, and
those that failed and are as they were. A range run carries everything between its ends, so ranges stop at them.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wkmp_assets.model.known_files import FileStat
from wkmp_assets.orchestration.run_requests.ranges import FileRange, plan_ranges


@dataclass(frozen=True)
class FailedFile:
    """A file that failed: when, and what it was like when the sensor first saw that."""

    failed_at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`."""
    size_bytes: int
    modified_at: str


@dataclass(frozen=True)
class TickLimits:
    """How much one tick asks for."""

    runs: int
    """Most runs to request; 0 when enough are waiting already."""
    files_per_run: int | None
    """Most partitions a run may span; None for no limit."""
    settle_s: int
    """Seconds since its last change after which a file counts as written."""


@dataclass(frozen=True)
class TickPlan:
    """What a tick does, and what it leaves alone."""

    register: tuple[str, ...]
    """Partitions to be registered, in order."""
    ranges: tuple[FileRange, ...]
    failed: Mapping[str, FailedFile]
    """To be remembered for the next tick."""
    in_flight: int
    settling: int
    resting: int
    """Files that failed and have not changed since."""
    later: int
    """Files that are ready, but too many for this tick."""


def plan_tick(
    wanted: Mapping[str, FileStat],
    ordered: Sequence[str],
    in_flight: Collection[str],
    failures: Mapping[str, str],
    remembered: Mapping[str, FailedFile],
    limits: TickLimits,
    now: datetime,
) -> TickPlan:
    """Decide what one tick registers and requests.

    Parameters
    ----------
    wanted : mapping of str to FileStat
        Partition key -> what the file system says, for every new and changed file.
    ordered : sequence of str
        The registered partitions in their order.
    in_flight : collection of str
        Partitions that a waiting or running run carries.
    failures : mapping of str to str
        Partition key -> time (UTC, `YYYY-MM-DD HH:MM:SS`) of its last failure.
    remembered : mapping of str to FailedFile
        `failed` of the previous tick.
    limits : TickLimits
        How much to ask for.
    now : datetime
        With its time zone.
    """
    failed = {
        key: _remember(failures[key], remembered.get(key), stat) for key, stat in wanted.items() if key in failures
    }
    busy = wanted.keys() & set(in_flight)
    settling = {key for key, stat in wanted.items() if _is_fresh(stat, now, limits.settle_s)} - busy
    resting = {key for key in failed if _is_as_it_failed(failed[key], wanted[key])} - busy - settling
    ready = sorted(wanted.keys() - busy - settling - resting)
    known = set(ordered)
    unregistered = [key for key in ready if key not in known]
    most = None if limits.files_per_run is None else limits.runs * limits.files_per_run
    register = unregistered[:most] if limits.runs else []
    order = [*ordered, *register]
    ranges: list[FileRange] = []
    for stretch in _stretches(order, set(in_flight) | settling | resting):
        ranges += plan_ranges(stretch, set(ready).intersection(stretch), limits.files_per_run)
    chosen = tuple(ranges[: limits.runs])
    later = len(ready) - sum(len(files.keys) for files in chosen)
    return TickPlan(tuple(register), chosen, failed, len(busy), len(settling), len(resting), later)


def run_key(files: FileRange, wanted: Mapping[str, FileStat], now: datetime, after: str = "") -> str:
    """Name a run by its files as they are, so that a tick that is repeated requests nothing twice.

    The day is part of it: what a run did not get done, and no later one either, is asked for again once a day. So is
    `after`, the last run that failed as a whole: what that one did not get done is asked for again once all is well.
    """
    described = [[key, wanted[key].size_bytes, wanted[key].modified_at] for key in files.keys]
    text = json.dumps([now.astimezone(UTC).date().isoformat(), after, described])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _remember(failed_at: str, before: FailedFile | None, stat: FileStat) -> FailedFile:
    if before is not None and before.failed_at == failed_at:
        return before
    if stat.modified_at > failed_at:
        # Changed after it failed, before the sensor looked: size -1 equals no file's, so it is tried.
        return FailedFile(failed_at, -1, stat.modified_at)
    return FailedFile(failed_at, stat.size_bytes, stat.modified_at)


def _is_as_it_failed(failed: FailedFile, stat: FileStat) -> bool:
    return (failed.size_bytes, failed.modified_at) == (stat.size_bytes, stat.modified_at)


def _is_fresh(stat: FileStat, now: datetime, settle_s: int) -> bool:
    """Tell whether a file changed just now; one from far in the future has a wrong clock and would wait for ever."""
    modified = datetime.fromisoformat(f"{stat.modified_at}+00:00")
    return abs((now - modified).total_seconds()) < settle_s


def _stretches(ordered: Sequence[str], barriers: Collection[str]) -> Iterator[list[str]]:
    stretch: list[str] = []
    for key in ordered:
        if key in barriers:
            yield stretch
            stretch = []
        else:
            stretch.append(key)
    yield stretch
