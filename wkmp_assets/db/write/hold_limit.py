"""A limit on what the statements of one transaction may compute, because they hold the write lock meanwhile.

SQLite asks every few thousand steps of its machine whether to go on. Computing time of this thread counts, so that a
slow disk, a busy machine or a stopped process ends no transaction. https://sqlite.org/c3ref/progress_handler.html
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

MAX_COMPUTE_MS = 10_000
"""For transactions over a whole library, as the marks of a scan. Those of one file have a smaller limit."""
_STEPS = 20_000
"""Steps of SQLite's machine between two questions. A file's statements take fewer, so that they are never asked."""


class HoldLimit:
    """Ends statements of a connection when their transaction has computed too long.

    Parameters
    ----------
    limit_ms : float, > 0
        Computing time of one transaction.
    """

    def __init__(self, limit_ms: float) -> None:
        self.limit_ms = limit_ms
        self._ends_at_s: float | None = None

    def watch(self, connection: sqlite3.Connection) -> None:
        """Attach to a connection, and replace any earlier progress handler."""
        connection.set_progress_handler(self._is_over, _STEPS)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Limit the statements within the block, which SQLite ends with SQLITE_INTERRUPT and a rollback."""
        self._ends_at_s = time.thread_time() + self.limit_ms / 1000
        try:
            yield
        finally:
            self._ends_at_s = None

    def _is_over(self) -> bool:
        return self._ends_at_s is not None and time.thread_time() > self._ends_at_s
