"""Retry a transaction while another program holds SQLite's lock. Nothing else in the package retries.

SQLite's error code decides, never a message. Delays are 10, 20, 40 ... 1000 ms with jitter, within a total budget.
"""

import logging
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from wkmp_assets.db.connection import primary_code
from wkmp_assets.db.write.gate import GateTimeoutError
from wkmp_assets.errors import LibraryLockedError

_LOG = logging.getLogger(__name__)
Value = TypeVar("Value")

LOCK_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Primary codes. BUSY_SNAPSHOT (517) and other extended codes share their low byte."""

SLOW_MS = 2000.0
VERY_SLOW_MS = 5000.0
"""A write that succeeds after this long is logged as a warning, or as an error."""

FIRST_DELAY_MS = 10.0
MAX_DELAY_MS = 1000.0
JITTER = 0.2


def delays_ms() -> Iterator[float]:
    """Yield the delays before the retries, without jitter: 10, 20, 40 ... 640, 1000, 1000 ..."""
    delay = FIRST_DELAY_MS
    while True:
        yield min(delay, MAX_DELAY_MS)
        delay = min(delay * 2, MAX_DELAY_MS)


def is_lock_error(error: BaseException) -> bool:
    """Tell whether an error only means that another process holds the lock."""
    return isinstance(error, GateTimeoutError) or (
        isinstance(error, sqlite3.OperationalError) and primary_code(error) in LOCK_CODES
    )


@dataclass
class LockRetry:
    """Runs an operation again while the library is locked, for a limited time.

    Parameters
    ----------
    budget_ms : float
        Total time. It is checked after each failed attempt, so one busy wait may overrun it.
    sleep, clock, jitter : callable
        For tests to replace: sleep for seconds, return monotonic seconds, return a number in [0, 1).
    """

    budget_ms: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = field(default=random.random)  # noqa: S311 - a pause, no secret

    def run(self, database: Path, operation: Callable[[], Value]) -> tuple[Value, int]:
        """Run an operation, and run it again while another process holds the lock.

        Parameters
        ----------
        database : Path
            Named in messages.
        operation : callable
            Must leave nothing behind when it raises, and be safe to repeat.

        Returns
        -------
        tuple of value and int
            The operation's value, and the number of retries.

        Raises
        ------
        LibraryLockedError
            The budget is used up.
        """
        started = self.clock()
        for attempt, delay in enumerate(delays_ms(), start=1):
            try:
                value = operation()
            except (sqlite3.OperationalError, GateTimeoutError) as error:
                waited_ms = (self.clock() - started) * 1000
                if not is_lock_error(error):
                    raise
                if self._is_used_up(waited_ms):
                    _LOG.error("%s stayed locked for %.0f ms, given up after %d attempts", database, waited_ms, attempt)
                    raise LibraryLockedError(database, waited_ms, attempt) from error
                _LOG.warning("%s is locked by another program (attempt %d); trying again", database, attempt)
                spread = 1 + JITTER * (2 * self.jitter() - 1)
                self.sleep(min(delay * spread, max(self.budget_ms - waited_ms, 0)) / 1000)
            else:
                if attempt > 1:
                    waited_ms = (self.clock() - started) * 1000
                    _LOG.log(_level(waited_ms), "%s written after %d attempts, %.0f ms", database, attempt, waited_ms)
                return value, attempt - 1
        raise AssertionError("delays_ms never ends")

    def _is_used_up(self, waited_ms: float) -> bool:
        return waited_ms >= self.budget_ms


def _level(waited_ms: float) -> int:
    if waited_ms > VERY_SLOW_MS:
        return logging.ERROR
    return logging.WARNING if waited_ms > SLOW_MS else logging.DEBUG
