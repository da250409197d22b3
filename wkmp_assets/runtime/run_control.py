"""The link between a run and the command line: progress and commits go one way, the request to stop the other."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wkmp_assets.model.batch import FileCommit


class RunControl:
    """Progress callbacks and the stop flag of one run; safe to use from several threads.

    Attributes
    ----------
    on_work : callable
        Called with the partition key when a worker has finished work on a file, from a thread of its own.
    on_file : callable
        Called with the phase and the partition key when a phase has finished a file.
    on_commit : callable
        Called with the `FileCommit` of every file, also of failed and skipped ones.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._on_stop: list[Callable[[], None]] = []
        self.on_work: Callable[[str], None] = lambda _key: None
        self.on_file: Callable[[str, str], None] = lambda _phase, _key: None
        self.on_commit: Callable[[FileCommit], None] = lambda _commit: None

    def request_stop(self) -> None:
        """Ask the run to commit the files that are finished and to start no more."""
        self._stop.set()
        for tell in tuple(self._on_stop):
            tell()

    def tell_of_stop(self, tell: Callable[[], None]) -> None:
        """Call a function when a stop is requested, perhaps inside a signal handler: it must take no lock."""
        self._on_stop.append(tell)

    @contextmanager
    def telling_of_stop(self, tell: Callable[[], None]) -> Iterator[None]:
        """Do as `tell_of_stop` for the block; call the function now if a stop was requested before."""
        self._on_stop.append(tell)
        try:
            if self.is_stopping:
                tell()
            yield
        finally:
            self._on_stop.remove(tell)

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set()
