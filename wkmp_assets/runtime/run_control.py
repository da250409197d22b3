"""The thread between a run and whoever watches it: progress and commits one way, the wish to stop the other."""

import threading
from collections.abc import Callable

from wkmp_assets.model.batch import FileCommit


class RunControl:
    """Shared by the worker pool, the commit and the command line; safe to use from several threads.

    Attributes
    ----------
    on_file : callable
        Called with phase and partition key whenever a phase is done with a file.
    on_commit : callable
        Called with the `FileCommit` of every file, failed and skipped ones included.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self.on_file: Callable[[str, str], None] = lambda _phase, _key: None
        self.on_commit: Callable[[FileCommit], None] = lambda _commit: None

    def request_stop(self) -> None:
        """Let the files in hand finish and start no more."""
        self._stop.set()

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set()
