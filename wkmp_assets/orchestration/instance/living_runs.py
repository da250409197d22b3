"""Which runs are alive: the process that executes a run holds the lock of a file with the run's id as its name.

The process takes the lock before Dagster reports the start of the run. The kernel releases it when the process ends,
even by kill -9 or a power cut. A started run without a locked file is therefore dead, whichever server launched it.
"""

from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from wkmp_assets.runtime.file_locks import hold_lock, try_lock


class LivingRuns:
    """The runs of this process, and whether those of other processes are alive.

    Parameters
    ----------
    folder : Path
        Holds the locked files. It is made when the first run begins.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: dict[str, IO[str]] = {}
        self._ended: set[str] = set()

    def begin(self, run_id: str) -> None:
        """Hold the run's lock for the life of this process."""
        self._release(self._ended)
        self._folder.mkdir(parents=True, exist_ok=True)
        with hold_lock(self._folder / ".lock"):  # no other process sees the file before it is locked
            file = self._path(run_id).open("w", encoding="utf-8")
            try_lock(file)
        self._own[run_id] = file

    def is_own(self, run_id: str) -> bool:
        """Tell whether this process holds the run's lock."""
        return run_id in self._own

    def end(self, run_id: str) -> None:
        """Mark a run as ended.

        The lock of a run of this process is released when the next run begins or the storage closes. Released now, the
        run would look dead until Dagster has stored its end.
        """
        if run_id in self._own:
            self._ended.add(run_id)
        elif not self.is_alive(run_id):
            self._path(run_id).unlink(missing_ok=True)

    def is_alive(self, run_id: str) -> bool:
        """Tell whether a process holds the run's lock."""
        if not self._folder.exists():
            return False
        with hold_lock(self._folder / ".lock"), suppress(FileNotFoundError), self._path(run_id).open() as file:
            return not try_lock(file)
        return False

    def close(self) -> None:
        """Release the locks of all runs of this process."""
        self._release(set(self._own))

    def _release(self, run_ids: set[str]) -> None:
        for run_id in list(run_ids):
            self._path(run_id).unlink(missing_ok=True)
            self._own.pop(run_id).close()
        self._ended -= run_ids

    def _path(self, run_id: str) -> Path:
        return self._folder / run_id


def living_runs_of(event_log_storage: Any) -> LivingRuns | None:
    """Return the living runs that a storage of events knows; None for one of Dagster's own classes."""
    living = getattr(event_log_storage, "living_runs", None)
    return living if isinstance(living, LivingRuns) else None
