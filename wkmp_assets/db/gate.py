"""The writer gate: our own writers queue in the kernel instead of sleeping in SQLite's busy handler.

An advisory `flock` on a file beside the database. Programs that do not know it (the player) still meet
SQLite's own lock; `retry` is for them.
"""

import errno
import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOG = logging.getLogger(__name__)
_NOT_SUPPORTED = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


class GateTimeoutError(Exception):
    """The gate stayed closed longer than the limit."""


class WriterGate:
    """One writer at a time among the processes that use this gate.

    Parameters
    ----------
    database : Path
        The gate file is `<database>.gate`. Where it cannot be created or locked (read-only folders, some
        network file systems) the gate stays open and SQLite's own lock does the queueing.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".gate")
        self._is_usable = True

    @contextmanager
    def hold(self, *, limit_ms: float) -> Iterator[None]:
        """Hold the gate for the block.

        Raises
        ------
        GateTimeoutError
            Another process kept it longer than `limit_ms`.
        """
        descriptor = self._open()
        if descriptor is None:
            yield
            return
        try:
            owns_descriptor = self._lock(descriptor, limit_ms)
        except BaseException:
            os.close(descriptor)
            raise
        if not owns_descriptor:
            raise GateTimeoutError
        try:
            yield
        finally:
            os.close(descriptor)  # closing releases the lock

    def _open(self) -> int | None:
        if not self._is_usable:
            return None
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            self._give_up(error)
            return None

    def _lock(self, descriptor: int, limit_ms: float) -> bool:
        """Lock; False when the limit passed, and the waiting thread then closes the descriptor."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _lock_in_thread(descriptor, limit_ms)
        except OSError as error:
            if error.errno not in _NOT_SUPPORTED:
                raise
            self._give_up(error)
        return True

    def _give_up(self, error: OSError) -> None:
        self._is_usable = False
        _LOG.warning("no writer gate at %s (%s): writers rely on SQLite's own lock", self.path, error.strerror)


def _lock_in_thread(descriptor: int, limit_ms: float) -> bool:
    """Wait for the lock in the kernel, with a time limit that `flock` itself does not have.

    A thread blocks in `flock`; should the limit pass first it is told that nobody waits any more and closes the
    descriptor, which releases the lock at once when it comes.
    """
    state = threading.Lock()
    acquired = threading.Event()
    abandoned = False

    def wait() -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with state:
            if abandoned:
                os.close(descriptor)
            else:
                acquired.set()

    threading.Thread(target=wait, name="writer-gate", daemon=True).start()
    if acquired.wait(limit_ms / 1000):
        return True
    with state:
        if acquired.is_set():
            return True
        abandoned = True
        return False
