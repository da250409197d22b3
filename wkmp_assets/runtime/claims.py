"""Claims of runs on partitions, so that two runs at once share the work and do not overwrite each other's phase values.

A run lists its partitions in a file of its own and keeps that file locked while it lives. Other runs leave these
partitions alone. The kernel releases the lock of a killed run, so nothing has to be cleaned up by hand. Where each step
has a process of its own, the one that claims ends before its run. The list then counts while the run is alive.

The library does not depend on claims: on a file system without locks two runs compute the same rows, and
compare-and-set at the write accepts one of them.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from wkmp_assets.runtime.atomic_files import translate_disk_errors
from wkmp_assets.runtime.file_locks import hold_lock, try_lock
from wkmp_assets.runtime.state_files import open_for_writing

IsAlive = Callable[[str], bool]
"""Tells by its id whether a run is still running, in whatever process."""


class RunClaims:
    """The claims of one run; see `open_claims`.

    Parameters
    ----------
    folder : Path
        The folder in which the runs of one library keep their claims.
    own : file
        The list of this run, locked.
    is_alive : callable
        Asked about the runs whose list is not locked.
    """

    def __init__(self, folder: Path, own: IO[str], is_alive: IsAlive) -> None:
        self._folder = folder
        self._own = own
        self._is_alive = is_alive

    def claim(self, keys: Iterable[str]) -> frozenset[str]:
        """Claim partitions until the run ends; return those that no other run has claimed.

        Raises
        ------
        StateDiskError
            The list of claims cannot be written.
        """
        with translate_disk_errors(self._folder), _one_run_at_a_time(self._folder):
            claimed = frozenset(keys) - _claimed(self._folder, self._is_alive, Path(self._own.name))
            self._own.writelines(f"{key}\n" for key in sorted(claimed))
            self._own.flush()
        return claimed


def _ends_with_its_process(_run_id: str) -> bool:
    """Say of a run whose list nobody holds that it is gone."""
    return False


def read_claimed_keys(folder: Path, is_alive: IsAlive = _ends_with_its_process) -> frozenset[str]:
    """Return the partitions that are claimed by living runs.

    Parameters
    ----------
    folder : Path
        As for `open_claims`.
    is_alive : callable, optional
        Asked about the runs whose list is not locked. Default: they are gone.

    Raises
    ------
    StateDiskError
        The lists of claims cannot be read.
    """
    with translate_disk_errors(folder), _one_run_at_a_time(folder):
        return _claimed(folder, is_alive)


@contextmanager
def open_claims(
    folder: Path, run_id: str, is_alive: IsAlive = _ends_with_its_process, *, goes_on: bool = False
) -> Iterator[RunClaims]:
    """Let a run claim partitions in the block; they are free again at its end, even if the process is killed.

    Parameters
    ----------
    folder : Path
        The folder in which the runs of one library keep their claims.
    run_id : str
        Of the run.
    is_alive : callable, optional
        As for `read_claimed_keys`.
    goes_on : bool, optional
        Whether the run goes on after the block, in other processes. Its claims then last as long as `is_alive` says of
        it.

    Raises
    ------
    StateDiskError
        The list of claims cannot be written.
    """
    path = folder / f"{run_id}.claims"
    with ExitStack() as stack:
        # No other run sees the list before it is locked.
        with translate_disk_errors(folder), _one_run_at_a_time(folder):
            own = stack.enter_context(open(path, "a", encoding="utf-8", opener=open_for_writing))
            try_lock(own)
        if not goes_on:
            stack.callback(path.unlink, missing_ok=True)
        yield RunClaims(folder, own, is_alive)


def _claimed(folder: Path, is_alive: IsAlive, own: Path | None = None) -> frozenset[str]:
    """Read the claims of all living runs, except those in the file `own`."""
    taken: set[str] = set()
    for path in folder.glob("*.claims"):
        if path == own:
            continue
        with suppress(FileNotFoundError), path.open(encoding="utf-8") as theirs:  # its run may end just now
            if try_lock(theirs) and not is_alive(path.stem):
                path.unlink()  # its run is gone
            else:
                taken.update(theirs.read().splitlines())
    return frozenset(taken)


@contextmanager
def _one_run_at_a_time(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(folder / "lock"):
        yield
