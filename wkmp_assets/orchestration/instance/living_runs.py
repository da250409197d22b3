"""Which runs are alive: the process that executes a run holds the lock of a file named like it.

The lock is taken before Dagster says that the run has started, and the kernel releases it when the process ends, even
by kill -9 or a power cut. So a run that has started and whose file nobody locks is gone, wherever it was started from,
and whether or not the server that started it is still there.
"""

from contextlib import suppress
from pathlib import Path
from typing import IO

from wkmp_assets.runtime.file_locks import hold_lock, try_lock


class LivingRuns:
    """The runs of this process, and what is to be known of the others.

    Parameters
    ----------
    folder : Path
        Where the files are; made when the first run begins.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: dict[str, IO[str]] = {}
        self._ended: set[str] = set()

    def begin(self, run_id: str) -> None:
        """Let this process stand for a run from now on."""
        self._let_go(self._ended)
        self._folder.mkdir(parents=True, exist_ok=True)
        with hold_lock(self._folder / ".lock"):  # nobody sees the file before it is locked
            file = self._path(run_id).open("w", encoding="utf-8")
            try_lock(file)
        self._own[run_id] = file

    def end(self, run_id: str) -> None:
        """Take note that a run has ended, in this process or in one that is gone.

        A run of this process is let go with the next that begins, or at the end: until Dagster has written down that it
        ended, it would look dead.
        """
        if run_id in self._own:
            self._ended.add(run_id)
        elif not self.is_alive(run_id):
            self._path(run_id).unlink(missing_ok=True)

    def is_alive(self, run_id: str) -> bool:
        """Tell whether a process stands for a run."""
        if not self._folder.exists():
            return False
        with hold_lock(self._folder / ".lock"), suppress(FileNotFoundError), self._path(run_id).open() as file:
            return not try_lock(file)
        return False

    def close(self) -> None:
        """Let go of all runs of this process."""
        self._let_go(set(self._own))

    def _let_go(self, run_ids: set[str]) -> None:
        for run_id in list(run_ids):
            self._path(run_id).unlink(missing_ok=True)
            self._own.pop(run_id).close()
        self._ended -= run_ids

    def _path(self, run_id: str) -> Path:
        return self._folder / run_id
