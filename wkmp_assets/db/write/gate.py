"""The writer gate: imports queue in the kernel instead of sleeping in SQLite's busy handler.

It is an advisory `flock` on a file beside the database. Programs that do not know it (the player) still meet SQLite's
own lock, and `retry` handles them.
"""

import errno
import fcntl
import logging
import os
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOG = logging.getLogger(__name__)
_NOT_SUPPORTED = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
_FLOCK_FORMAT = "hhqqi4x"
"""C's `struct flock` as Linux has it: type, whence, start, length (0: all that follows), process (always 0 here)."""
_DESK = 0
"""The byte that a writer locks while it looks for the end of the queue."""
_FIRST = 2
"""The byte of a writer that is first in the queue. The byte before it is never locked."""


class GateTimeoutError(Exception):
    """The gate stayed closed longer than the limit."""


class WriterGate:
    """Lets one process write at a time, in the order in which they came.

    Parameters
    ----------
    database : Path
        The gate file is `<database>.gate`. Where it cannot be created or locked (read-only folders, some network file
        systems) the gate stays open, and SQLite's own lock keeps writers apart.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".gate")
        self._is_usable = True

    @contextmanager
    def hold(self, *, limit_ms: float) -> Iterator[None]:
        """Hold the gate within the block.

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

    @contextmanager
    def hold_if_free(self) -> Iterator[bool]:
        """Hold the gate within the block, or yield False at once when another process has it or waits for it."""
        descriptor = self._open()
        if descriptor is None:
            yield True
            return
        try:
            yield self._lock_if_free(_Place(descriptor))
        finally:
            os.close(descriptor)  # closing releases the lock

    def _open(self) -> int | None:
        if not self._is_usable:
            return None
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            self._give_up(error)
            return None

    def _lock(self, descriptor: int, limit_ms: float) -> bool:
        """Lock and return True, or False after the limit. Then the waiting thread closes the descriptor."""
        place = _Place(descriptor)
        return self._lock_if_free(place) or _enter_in_thread(place, limit_ms)

    def _lock_if_free(self, place: "_Place") -> bool:
        try:
            place.enter(fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NOT_SUPPORTED:
                raise
            self._give_up(error)
        return True

    def _give_up(self, error: OSError) -> None:
        self._is_usable = False
        _LOG.warning(
            "%s cannot be used to queue writers (%s); imports that run at the same time wait for SQLite's own lock",
            self.path,
            error.strerror,
        )


class _Place:
    """A place in the queue before the gate.

    Without a queue, a free lock goes to the process that asks first. That is rarely the waiter that the kernel has just
    woken: with 16 busy writers some were overtaken a hundred times. So every writer locks a byte of its own in the gate
    file, behind the last one locked, and waits for the byte before it. A byte is released when its process ends in any
    way. The bytes only keep the order, and only on Linux, which has such locks. The `flock` keeps writers apart.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._byte: int | None = None

    def enter(self, how: int) -> None:
        """Wait in the queue and lock. With LOCK_NB for `how`, raise BlockingIOError instead of waiting."""
        if sys.platform == "linux":
            if self._byte is None:
                self._byte = _line_up(self.descriptor, how)
            _lock_byte(self.descriptor, self._byte - 1, how)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX | how)


def _line_up(descriptor: int, how: int) -> int:
    """Lock the byte at the end of the queue and return its position."""
    _lock_byte(descriptor, _DESK, how)
    try:
        end = _FIRST
        while True:
            found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _flock(fcntl.F_WRLCK, end, length=0))
            kind, _, start, length, _ = struct.unpack(_FLOCK_FORMAT, found)
            if kind == fcntl.F_UNLCK or length == 0:  # length 0: not a byte of this gate; locking will tell
                break
            end = start + length
        _lock_byte(descriptor, end, how)
    finally:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _flock(fcntl.F_UNLCK, _DESK))
    return end


def _lock_byte(descriptor: int, position: int, how: int) -> None:
    command = fcntl.F_OFD_SETLK if how == fcntl.LOCK_NB else fcntl.F_OFD_SETLKW
    fcntl.fcntl(descriptor, command, _flock(fcntl.F_WRLCK, position))


def _flock(kind: int, start: int, length: int = 1) -> bytes:
    return struct.pack(_FLOCK_FORMAT, kind, os.SEEK_SET, start, length, 0)


def _enter_in_thread(place: _Place, limit_ms: float) -> bool:
    """Wait for the lock in the kernel, with a time limit, which the kernel's locks do not have.

    A thread blocks in the kernel. The first to take `decision`, the thread or the time limit, decides. A thread that
    gets the lock too late closes the descriptor. These are bare locks, because everything slow here keeps the gate
    closed.
    """
    decision = threading.Lock()
    entered = threading.Lock()
    entered.acquire()

    def wait() -> None:
        place.enter(0)
        if decision.acquire(blocking=False):
            entered.release()
        else:
            os.close(place.descriptor)

    threading.Thread(target=wait, name="writer-gate", daemon=True).start()
    return entered.acquire(timeout=limit_ms / 1000) or not decision.acquire(blocking=False)
