"""Running imports as a person starts them, and how to kill them: `wkmp import` with its worker processes."""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

from wkmp_assets_tests.support.builders import problems
from wkmp_assets_tests.support.library_rows import whole_files
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until
from wkmp_assets_tests.support.workplace import Workplace


class RunningImports:
    """One import, or several at once into the same library, each the leader of a process group with its workers."""

    def __init__(self, place: Workplace, folders: Sequence[Path]) -> None:
        self._state = place.home / ".wkmp"
        self._before = self._state_files()
        before = _event_count(place)
        self._processes = [place.start("import", folder) for folder in folders]
        # Before the first run, only Dagster starts up.
        wait_until(lambda: self.have_ended or _event_count(place) > before, "the first run of the import begins")

    def _state_files(self) -> dict[Path, int]:
        files = {}
        for path in (*self._state.rglob("*.json"), *self._state.rglob("*.pcm*")):
            try:
                files[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # a temporary file that was just renamed
                continue
        return files

    @property
    def progress(self) -> int:
        """Number of phase values and decoded sounds that they have written or begun."""
        return sum(self._before.get(path) != written for path, written in self._state_files().items())

    @property
    def have_ended(self) -> bool:
        """Whether all of them have ended."""
        return all(process.poll() is not None for process in self._processes)

    def kill(self) -> None:
        """Kill all of them and their workers, with SIGKILL."""
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def outcomes(self) -> list[int]:
        """Wait for the end of all; return their exit statuses, each of success or of a kill."""
        statuses = []
        for process in self._processes:
            out, err = process.communicate(timeout=PATIENCE_S)
            assert process.returncode in {0, -signal.SIGKILL}, out + err
            statuses.append(process.returncode)
        return statuses


def _event_count(place: Workplace) -> int:
    """Return the id of the last event of all runs."""
    return int(_ask_history(place, "SELECT max(id) FROM event_logs") or 0)


def step_reached(place: Workplace) -> str:
    """Return the last step of the newest run, from Dagster's event log."""
    found = _ask_history(place, "SELECT step_key FROM event_logs ORDER BY id DESC LIMIT 1")
    return str(found or "between steps")


def _ask_history(place: Workplace, query: str) -> object:
    index = place.home / "history" / "runs" / "index.db"
    if not index.exists():
        return None
    with closing(sqlite3.connect(index)) as connection:
        try:
            found = connection.execute(query).fetchone()
        except sqlite3.OperationalError:  # killed before the log had its tables
            return None
    return found and found[0]


def copy_of(database: Path, folder: Path) -> Path:
    """Copy a library that is not open, with its write-ahead log; the next import recovers it."""
    folder.mkdir(exist_ok=True)
    copy = folder / "wkmp.db"
    for suffix in ("", "-wal"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
        if (file := database.with_name(database.name + suffix)).exists():
            shutil.copy(file, folder)
    return copy


def look_at_what_is_left(database: Path, folder: Path, references: Collection[Path]) -> set[str]:
    """Check a copy of a library after a fault; return its files, all of which are complete."""
    if not database.exists():
        return set()
    copy = copy_of(database, folder)
    found = whole_files(copy, *references)
    assert problems(copy) == []
    return found


def clear_error(result: "subprocess.CompletedProcess[str]") -> str:
    """Return the message of an import that had to fail: one paragraph for a person."""
    said = result.stdout + result.stderr
    assert result.returncode == 1, said
    assert "Traceback" not in said, said
    return " ".join(result.stderr.split())


def succeed(result: "subprocess.CompletedProcess[str]") -> str:
    """Return the output of a command that had to succeed."""
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
