"""How far an import is, how fast it goes, and when it ends.

Files differ a hundredfold in length, and a run commits many files at once. So rate and time left are weighed by the
work of the files, and what the workers have measured counts before it is committed.
"""

import math
from collections.abc import Mapping

_MEASURED = 0.9
"""Share of a file's work that is done when a worker has measured it. The commit is the rest."""
_SMOOTHING_S = 40.0
"""unit=s: how far back the rate looks. A long file that ends gives a step of several seconds of work."""
_MIN_S = 3.0
"""unit=s: after which a rate is shown."""
_QUIET_S = 60.0
"""unit=s: without news after which a rate says nothing about the files that are left."""


class ProgressEstimate:
    """The progress of one import, as numbers.

    Parameters
    ----------
    work_s : mapping of str to float
        Partition key -> estimated work, of every file of the import. Only proportions count.
    """

    def __init__(self, work_s: Mapping[str, float]) -> None:
        self._work_s = work_s
        self._total_s = sum(work_s.values())
        self._open = dict.fromkeys(work_s, 0.0)
        self._done_s = 0.0
        self.in_library_count = 0
        self._measured_count = 0
        self._started: float | None = None
        self._looked_at = 0.0
        self._advanced_at = 0.0
        self._seen_s = 0.0
        self._rate = 0.0

    def add_measured(self, key: str) -> None:
        """Count a file that a worker has measured."""
        self._measured_count += self._advance(key, _MEASURED)

    def add_done(self, key: str, *, is_in_library: bool) -> None:
        """Count a file that is committed, or will not be."""
        was_measured = self._open.get(key) == _MEASURED
        if self._advance(key, 1.0):
            self._measured_count -= was_measured
            self.in_library_count += is_in_library

    def _advance(self, key: str, share: float) -> bool:
        before = self._open.get(key)
        if before is None or share <= before:  # of another file of the range, or known already
            return False
        self._done_s += (share - before) * self._work_s[key]
        self._open[key] = share
        return True

    def look(self, now: float) -> None:
        """Note the time, in seconds of any clock that does not go back; call it regularly."""
        if self._started is None:
            self._started, self._looked_at, self._seen_s = now, now, self._done_s
            self._advanced_at = now
            return
        passed = now - self._looked_at
        if passed <= 0:
            return
        # The weight of the past falls with time, and the first looks count as their plain mean.
        weight = max(1 - math.exp(-passed / _SMOOTHING_S), passed / (now - self._started))
        self._rate += weight * ((self._done_s - self._seen_s) / passed - self._rate)
        if self._done_s > self._seen_s:
            self._advanced_at = now
        self._looked_at, self._seen_s = now, self._done_s

    @property
    def quiet_s(self) -> float:
        """How long no worker has finished a file, in seconds."""
        return self._looked_at - self._advanced_at

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        return min(self._done_s / self._total_s, 1.0) if self._total_s else 1.0

    @property
    def files_per_s(self) -> float | None:
        """The rate, in files of average length; None until it is known, and while nothing is finished."""
        if self._started is None or self._looked_at - self._started < _MIN_S or self.quiet_s > _QUIET_S:
            return None
        if self._rate <= 0 or not self._total_s:
            return None
        return self._rate * len(self._work_s) / self._total_s

    @property
    def left_s(self) -> float | None:
        """Time left, in seconds; None until it is known."""
        return (self._total_s - self._done_s) / self._rate if self.files_per_s else None

    def __str__(self) -> str:
        """Return one line for people."""
        said = f"{self.in_library_count} of {len(self._work_s)} files in the library"
        if self.quiet_s > _QUIET_S:
            return f"{said}, none finished for {describe_seconds(self.quiet_s)}"
        left = "" if self.left_s is None else f"{describe_seconds(self.left_s)} left"
        return ", ".join(filter(None, (said, self._describe_pace(), left)))

    def _describe_pace(self) -> str:
        """Return the rate; before a file is in the library, what the workers do: no rate would fit to a count of 0."""
        if self.in_library_count:
            return "" if self.files_per_s is None else describe_rate(self.files_per_s)
        if self._measured_count:
            return f"{self._measured_count} measured"
        return "" if self._done_s else "measuring the first"


def describe_rate(files_per_s: float) -> str:
    """Return a rate in words.

    Examples
    --------
    >>> describe_rate(12.34), describe_rate(0.2)
    ('12.3 files/s', '12.0 files/min')
    """
    return f"{files_per_s:.1f} files/s" if files_per_s >= 1 else f"{60 * files_per_s:.1f} files/min"


def describe_seconds(seconds: float) -> str:
    """Return a time left in words, no finer than it can be known.

    Examples
    --------
    >>> describe_seconds(4), describe_seconds(47), describe_seconds(130), describe_seconds(9000)
    ('under 10 s', 'about 50 s', 'about 2 min', 'about 2.5 h')
    """
    if seconds < 10:
        return "under 10 s"
    if seconds < 95:
        return f"about {round(seconds, -1):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
