"""The writer gate: our own writers queue in the kernel instead of sleeping in SQLite's busy handler.

An advisory `flock` on a file beside the database. Programs that do not know it (the player) still meet
SQLite's own lock; `retry` is for them.
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
"""The byte that is locked while somebody looks for the end of the queue."""
_FIRST = 2
"""The byte of a writer before whom nobody waits; nobody ever locks the one before it."""


class GateTimeoutError(Exception):
    """The gate stayed closed longer than the limit."""


class WriterGate:
    """One writer at a time among the processes that use this gate, in the order in which they came.

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
        place = _Place(descriptor)
        try:
            place.enter(fcntl.LOCK_NB)
        except BlockingIOError:
            return _enter_in_thread(place, limit_ms)
        except OSError as error:
            if error.errno not in _NOT_SUPPORTED:
                raise
            self._give_up(error)
        return True

    def _give_up(self, error: OSError) -> None:
        self._is_usable = False
        _LOG.warning("no writer gate at %s (%s): writers rely on SQLite's own lock", self.path, error.strerror)


class _Place:
    """A place in the queue before the gate.

    Without a queue a lock goes to whoever asks first once it is free. That is rarely the waiter the kernel has just
    woken, who then waits on behind all others: with 16 busy writers some were overtaken a hundred times. So every
    writer locks a byte of its own in the gate file, behind the last one locked, and waits for the byte before it. A
    process takes its byte with it, however it ends. All this is about the order only, and left out where there are
    no such locks (they are Linux's); the `flock` keeps two writers apart.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._byte: int | None = None

    def enter(self, how: int) -> None:
        """Wait for one's turn and lock; with LOCK_NB for `how`, BlockingIOError instead of waiting."""
        if sys.platform == "linux":
            if self._byte is None:
                self._byte = _line_up(self.descriptor, how)
            _lock_byte(self.descriptor, self._byte - 1, how)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX | how)


def _line_up(descriptor: int, how: int) -> int:
    """Lock the first byte that is free and has only free ones behind it."""
    _lock_byte(descriptor, _DESK, how)
    try:
        end = _FIRST
        while True:
            found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _flock(fcntl.F_WRLCK, end, length=0))
            kind, _, start, length, _ = struct.unpack(_FLOCK_FORMAT, found)
            if kind == fcntl.F_UNLCK or length == 0:  # length 0: not one of ours; locking the byte will tell
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
    """Wait for the lock in the kernel, with a time limit that the kernel's locks do not have.

    A thread blocks there. Whoever takes `decision` first, it or the limit, decides: a place that comes too late is
    given up by the thread, which closes the descriptor. Bare locks: whatever takes time here keeps the gate closed.
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
