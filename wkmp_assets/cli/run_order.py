"""The order of an import's runs, and which files the workers begin before their run."""

from collections import deque
from collections.abc import Callable, Sequence

from wkmp_assets.orchestration.run_requests.ranges import FileRange, RunSize

AHEAD_S = 20.0
"""unit=s: estimated work that the workers have in hand while a run commits."""
MAX_AHEAD_FILES = 150
"""Files of it. After a stop they are committed, which should not take long."""


class RunOrder:
    """The runs of one import, one after another, shared ones first.

    The workers begin the files of the next runs early. A large file has a run of its own. It is begun beside the
    shared runs and its run comes as soon as its work has ended, so that no other file waits for it.

    Parameters
    ----------
    ranges : sequence of FileRange
        In the order of their partitions.
    begin : callable
        Lets the workers begin the files of a run, behind all that was begun before.
    has_ended : callable
        Tells whether all work that was begun for a run has ended.
    """

    def __init__(
        self,
        ranges: Sequence[FileRange],
        begin: Callable[[FileRange], None],
        has_ended: Callable[[FileRange], bool],
    ) -> None:
        self._shared = deque(files for files in ranges if not files.is_large)
        self._large = deque(sorted((files for files in ranges if files.is_large), key=lambda files: files.work_s))
        self._begin_files, self._has_ended = begin, has_ended
        self._begun: set[str] = set()

    def take(self) -> FileRange | None:
        """Return the next run, and begin those after it; None after the last."""
        files = self._choose()
        if files is not None:
            is_first = not self._begun
            self._begin(files)
            self._look_ahead(is_first=is_first)
        return files

    def join_ended(self, files: FileRange, size: RunSize) -> FileRange:
        """Return a run that was taken with those that follow it directly, as far as all work for them has ended too.

        A run costs the same whatever it carries, so the faster the workers are, the more files share one.

        Parameters
        ----------
        files : FileRange
            The run. A large file stays alone.
        size : RunSize
            Its `files` are the partitions that the joined run may span.
        """
        while not files.is_large and self._shared and self._can_join(files, self._shared[0], size.files):
            files = files.joined_with(self._shared.popleft())
            self._look_ahead(is_first=False)
        return files

    def _can_join(self, files: FileRange, following: FileRange, max_size: int | None) -> bool:
        return (
            (max_size is None or files.size + following.size <= max_size)
            and files.is_followed_by(following)
            and following.first in self._begun
            and self._has_ended(following)
        )

    def give_back(self, files: FileRange) -> None:
        """Let the rest of a run that was taken be the next shared run. Its files are begun."""
        self._begun.add(files.first)
        self._shared.appendleft(files)

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
            return self._shared.popleft()
        return self._large.popleft() if self._large else None

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
