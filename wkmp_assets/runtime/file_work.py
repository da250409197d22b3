"""The work of a worker on one file, from its request to its outcome."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from wkmp_assets.errors import AudioFileError
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.runtime.worker_process import WorkerLimits

CRASHED, OUT_OF_MEMORY, TOOK_TOO_LONG = "WORKER_CRASHED", "OUT_OF_MEMORY", "TOOK_TOO_LONG"
WORKER_FAILURES = frozenset({CRASHED, OUT_OF_MEMORY, TOOK_TOO_LONG})
"""Codes of the failures of a worker, not of its function."""


@dataclass(frozen=True)
class RaisedError:
    """What a function raised that no file explains; whoever waits for the work raises it."""

    error: BaseException


class Receiver(Protocol):
    """Takes work that has ended: a queue, or a `Bell`."""

    def put(self, item: "FileWork") -> None:
        """Take it."""


class Bell:
    """Tells that some work has ended, and keeps none of it."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def put(self, _item: "FileWork") -> None:
        """Ring."""
        self._rung.set()

    def wait(self, timeout_s: float) -> None:
        """Wait until it rings, or has rung since the last wait, at most so long."""
        self._rung.wait(timeout_s)
        self._rung.clear()


@dataclass(eq=False)
class FileWork:
    """The work on one file."""

    key: str
    """Partition key."""
    phase: str
    """For failures."""
    function: Callable[..., Any]
    """Importable by the workers."""
    arguments: tuple[Any, ...]
    ended: Receiver
    """Receives the work when it has ended."""
    outcome: Any = None
    """What the function returned, `Failed`, `Skipped(INTERRUPTED)` or `RaisedError`."""
    seconds: float = 0.0
    """How long it may take."""
    deadline: float = 0.0
    """On the monotonic clock; 0 until it starts."""
    is_done: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_same(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
        """Tell whether this is the same work."""
        return self.function is function and self.arguments == arguments

    def end(self, outcome: Any) -> None:
        """Tell whoever waits for the work how it ended."""
        with self._lock:
            self.outcome, self.is_done = outcome, True
            self.ended.put(self)

    def raise_error(self) -> None:
        """Raise what the function raised, unless it is about the file."""
        if isinstance(self.outcome, RaisedError):
            raise self.outcome.error

    def tell(self, ended: Receiver) -> None:
        """Let the work tell someone else when it has ended, or now if it has."""
        with self._lock:
            self.ended = ended
            if self.is_done:
                ended.put(self)


def find_outcome(phase: str, future: Future[Any]) -> Any:
    """Return how finished work ended: what it returned, `Failed` or `RaisedError`."""
    error = future.exception()
    if error is None:
        return future.result()
    return Failed(phase, error.code, str(error)) if isinstance(error, AudioFileError) else RaisedError(error)


def describe_hang(work: FileWork) -> Failed:
    """Return the failure of a file that was not finished in time."""
    return Failed(
        work.phase,
        TOOK_TOO_LONG,
        f"{work.key}: it was not finished in {work.seconds:.0f} s; check or re-encode the file, or raise "
        "WKMP_WORKER_TIMEOUT_S, then import again",
    )


def describe_crash(work: FileWork, error: BaseException | None, limits: WorkerLimits) -> Failed:
    """Return the failure of a file whose worker died or ran out of memory when it had no other file."""
    if isinstance(error, MemoryError):
        return Failed(
            work.phase,
            OUT_OF_MEMORY,
            f"{work.key}: reading it takes more than the {limits.memory_mb} MB of memory allowed; check or "
            "re-encode the file, or raise WKMP_WORKER_MEMORY_MB, then import again",
        )
    return Failed(
        work.phase,
        CRASHED,
        f"{work.key}: the process that reads it crashed twice (a defect in a decoder, or out of memory); check or "
        "re-encode the file, then import again",
    )
