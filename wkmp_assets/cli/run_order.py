"""The order of an import's runs, and which files the workers begin before their run."""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence

from wkmp_assets.orchestration.run_requests.ranges import FileRange

AHEAD_S = 20.0
"""unit=s: estimated work that the workers have in hand while a run commits."""
MAX_AHEAD_FILES = 150
"""Files of it. After a stop they are committed, which should not take long."""
MAX_RUN_S = 4.5
"""unit=s: how long a shared run should take. One that will probably take longer on this machine is divided. It may take
twice as long all the same, when a large file is measured beside it."""
MIN_WORK_S = 2.0
"""unit=s: estimated work of a part, because a run costs half a second whatever it holds."""


class RunOrder:
    """The runs of one import, one after another, shared ones first.

    The workers begin the files of the next runs early. A large file has a run of its own. It is begun beside the
    shared runs and its run comes as soon as its work has ended, so that no other file waits for it. Runs are sized by
    estimates; on a machine that takes longer they are divided, so that something is in the library every few seconds.

    Parameters
    ----------
    ranges : sequence of FileRange
        In the order of their partitions.
    begin : callable
        Lets the workers begin the files of a run, behind all that was begun before.
    has_ended : callable
        Tells whether all work that was begun for a run has ended.
    divide : callable, optional
        Divides a run into runs of about so much estimated work, in seconds. Default: none is divided.
    clock : callable, optional
        Seconds from any moment on.
    """

    def __init__(
        self,
        ranges: Sequence[FileRange],
        begin: Callable[[FileRange], None],
        has_ended: Callable[[FileRange], bool],
        divide: Callable[[FileRange, float], Sequence[FileRange]] = lambda files, _work_s: [files],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = deque(files for files in ranges if not files.is_large)
        self._large = deque(sorted((files for files in ranges if files.is_large), key=lambda files: files.work_s))
        self._begin_files, self._has_ended, self._divide, self._clock = begin, has_ended, divide, clock
        self._begun: set[str] = set()
        self._running: FileRange | None = None
        self._taken_at = -math.inf
        self._pace = 0.0
        """Seconds that the last shared run took for each second of its estimated work."""

    def take(self) -> FileRange | None:
        """Return the next run, and begin those after it; None after the last."""
        is_first = not self._begun
        if self._running is not None and not self._running.is_large and self._running.work_s:
            self._pace = (self._clock() - self._taken_at) / self._running.work_s
        files = self._choose()
        if files is not None:
            self._begin(files)
            self._look_ahead(is_first=is_first)
        # The first run is no measure: it waits for the start of the workers.
        self._running, self._taken_at = None if is_first else files, self._clock()
        return files

    def take_rest(self) -> list[FileRange]:
        """Return all runs that are left, and begin no more."""
        rest = [*self._large, *self._shared]
        self._large.clear()
        self._shared.clear()
        return rest

    def _choose(self) -> FileRange | None:
        if self._large and self._large[0].first in self._begun and self._has_ended(self._large[0]):
            return self._large.popleft()
        if self._shared:
            return self._take_shared()
        return self._large.popleft() if self._large else None

    def _take_shared(self) -> FileRange:
        """Take the next shared run, or only a part of it, if all of it would take too long."""
        files = self._shared.popleft()
        count = math.ceil(files.work_s * self._pace / MAX_RUN_S)
        if count > 1:
            parts = self._divide(files, max(MIN_WORK_S, files.work_s / count))
            if files.first in self._begun:
                self._begun.update(part.first for part in parts)
            self._shared.extendleft(reversed(parts))
            files = self._shared.popleft()
        return files

    def _look_ahead(self, *, is_first: bool) -> None:
        if self._large and self._shared and not is_first:
            self._begin(self._large[0])
        ahead_s, ahead_files = 0.0, 0
        for files in self._shared or self._large:
            if ahead_s >= AHEAD_S or ahead_files >= MAX_AHEAD_FILES:
                break
            self._begin(files)
            ahead_s += files.work_s
            ahead_files += len(files.keys)

    def _begin(self, files: FileRange) -> None:
        if files.first not in self._begun:
            self._begun.add(files.first)
            self._begin_files(files)
