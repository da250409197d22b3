"""One `wkmp import` in a process of its own, watched from outside: its commits, its memory, and how it stops."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import psutil

from wkmp_assets_tests.tools.benchmarks.music_library import ROOT

_POLL_S = 0.05
_FILES = re.compile(r"(\d+) of \d+ files are safely in the library")


@dataclass
class Place:
    """A music folder, and a folder for all results of its imports."""

    music: Path
    folder: Path
    workers: int | None = None
    cluster: str | None = None
    """Address of a scheduler, whose workers take the place of those of this machine."""
    code: Path = ROOT
    """The checkout whose code imports."""
    command: str = "wkmp_assets.cli.main"
    """The module that is run as `wkmp`."""

    @property
    def home(self) -> Path:
        """Its DAGSTER_HOME, which holds the state folder too."""
        return self.folder / "home"

    @property
    def database(self) -> Path:
        """Its library."""
        return self.folder / "wkmp.db"

    def renew(self) -> None:
        """Forget all imports."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.home.mkdir(parents=True)
        shutil.copy(self.code / "dagster.yaml", self.home)


@dataclass
class Watched:
    """What was seen of one import."""

    wall_s: float = 0.0
    status: int = 0
    output: str = ""
    peak_mb: float = 0.0
    """Of the main process."""
    cpu_s: float = 0.0
    """Of the main process, without its workers."""
    commits: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the start, and files in the library, at each change."""
    stopping_s: float = 0.0
    """From the last signal to the end."""

    @property
    def first_s(self) -> float:
        """When the first file was in the library."""
        return self.commits[0][0] if self.commits else self.wall_s

    @property
    def committing_s(self) -> float:
        """From the first commit that was seen to the last."""
        return self.commits[-1][0] - self.commits[0][0] if self.commits else 0.0

    @property
    def longest_gap_s(self) -> float:
        """The longest time between two commits."""
        return max((after - before for (before, _), (after, _) in pairwise(self.commits)), default=0.0)

    @property
    def files(self) -> int:
        """Files in the library at the end."""
        return self.commits[-1][1] if self.commits else 0

    @property
    def said_safe(self) -> int | None:
        """How many files a stopped import called safe."""
        found = _FILES.search(self.output)
        return int(found.group(1)) if found else None


def watch_import(place: Place, signals: Sequence[tuple[float, int]] = ()) -> Watched:
    """Import a folder and watch it.

    Parameters
    ----------
    place : Place
        Where.
    signals : sequence of tuple of float and int
        Seconds since the first commit, or since the signal before, and a signal for the process group.
    """
    seen = Watched()
    before = _count(place.database)
    started = time.monotonic()
    with open(place.folder / "output.txt", "w+", encoding="utf-8") as output:  # noqa: PTH123 - read again below
        process = subprocess.Popen(
            [sys.executable, "-m", place.command, "import", str(place.music), "--database", place.database],
            env=_environment(place),
            cwd=place.code,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        due = list(signals)
        last_signal: float | None = None
        while process.poll() is None:
            now = time.monotonic()
            count = _count(place.database)
            if count != (seen.commits[-1][1] if seen.commits else before):
                seen.commits.append((now - started, count))
            since = last_signal or (started + seen.commits[0][0] if seen.commits else None)
            if due and since is not None and now - since >= due[0][0]:
                os.killpg(process.pid, due.pop(0)[1])
                last_signal = now
            seen.peak_mb = max(seen.peak_mb, _peak_mb(process.pid))
            seen.cpu_s = max(seen.cpu_s, _cpu_s(process.pid))
            time.sleep(_POLL_S)
        ended = time.monotonic()
        output.seek(0)
        seen.output = output.read()
    seen.wall_s, seen.status = ended - started, process.returncode
    seen.stopping_s = ended - last_signal if last_signal else 0.0
    if (count := _count(place.database)) != (seen.commits[-1][1] if seen.commits else before):
        seen.commits.append((seen.wall_s, count))
    return seen


def interrupted_after(seconds: float) -> Sequence[tuple[float, int]]:
    """Return the signals of one Ctrl-C, so many seconds after the first commit."""
    return ((seconds, signal.SIGINT),)


def find_lost(place: Place) -> int:
    """Count the files that were decoded whole and are not in the library."""
    decoded = {path.name.partition(".")[0] for path in place.home.glob(".wkmp/**/*.pcm")}
    with closing(sqlite3.connect(place.database)) as library:
        known = {str(row[0]) for row in library.execute("SELECT hash FROM files")}
    return len(decoded - known)


def size_mb(folder: Path, is_counted: Callable[[Path], bool] = lambda _path: True) -> float:
    """Return the size of the files below a folder."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file() and is_counted(path):
                total += path.stat().st_size
    return total / 1e6


def _environment(place: Place) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WKMP_", "DAGSTER_"))}
    own = {"DAGSTER_HOME": str(place.home), "WKMP_LIBRARY_ROOT": str(place.music), "PYTHONPATH": str(place.code)}
    if place.workers:
        own["WKMP_WORKERS"] = str(place.workers)
    if place.cluster:
        own["WKMP_CLUSTER"] = place.cluster
    return kept | own


def _count(database: Path) -> int:
    if not database.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as library:
            return int(library.execute("SELECT count(*) FROM files").fetchone()[0])
    except sqlite3.Error:  # it is being made
        return 0


def _peak_mb(process: int) -> float:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024
    return 0.0


def _cpu_s(process: int) -> float:
    with suppress(psutil.Error):
        times = psutil.Process(process).cpu_times()
        return float(times.user + times.system)
    return 0.0
