"""One import by the real Dagster job, in another process, with only temporary files."""

import hashlib
import os
import resource
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from wkmp_assets.cli.summary import ImportSummary
from wkmp_assets.db.kept_open import keep_open
from wkmp_assets.model.batch import Receipt
from wkmp_assets.model.phases import SCAN, SEGMENTS
from wkmp_assets.runtime.loading import loading_modules
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.tools.benchmarks.event_clock import Breakdown, EventClock
from wkmp_assets_tests.tools.benchmarks.music_library import ROOT

if TYPE_CHECKING:
    from wkmp_assets.cli.importer import LibraryImporter
    from wkmp_assets.model.batch import FileCommit

_SAMPLING_S = 0.25


@dataclass(frozen=True)
class Task:
    """The music to import, and the folder for all results."""

    music: Path
    folder: Path
    """Empty or new; gets a DAGSTER_HOME, the database and the state folder."""
    workers: int
    own_storage: bool = True
    """False: dagster.yaml without its `storage:` block, so Dagster's own storage class."""


@dataclass
class Import:
    """Figures of one import: a scan, then range runs."""

    files: int = 0
    """Files that were to be imported."""
    ranges: int = 0
    scan_s: float = 0.0
    scan_computing_s: float = 0.0
    """Of that, inside the scan's asset function."""
    runs_s: float = 0.0
    main_cpu_s: float = 0.0
    """CPU of the main process during the runs."""
    breakdown: Breakdown = field(default_factory=Breakdown)
    tasks: Counter[str] = field(default_factory=Counter)
    """Files that were sent to a worker, by phase; a decode is one of `passage_segments`."""
    receipts: list[Receipt] = field(default_factory=list)
    passages: int = 0
    database_unchanged: bool = False

    @property
    def computing_s(self) -> float:
        """Wall time inside the asset functions."""
        return sum(spent.wall_s for spent in self.breakdown.computing.values())

    @property
    def orchestration_s(self) -> float:
        """Wall time of the runs outside the asset functions, per file."""
        return (self.runs_s - self.computing_s) / self.files


@dataclass
class Measured:
    """A first import, a second one of the unchanged library, and one that runs the job over unchanged files."""

    first: Import
    again: Import
    rerun: Import
    main_peak_mb: float
    worker_cpu_s: float
    """CPU of all worker processes, their start included."""
    process: int
    worker_peaks_mb: list[float] = field(default_factory=list)


def run_import(task: Task) -> Measured:
    """Import a library in a new process, and watch the memory of its workers."""
    peaks: dict[int, tuple[int, float]] = {}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        future: Future[Measured] = pool.submit(_run, task)
        while not wait([future], timeout=_SAMPLING_S).done:
            _note_peaks(peaks)
        measured = future.result()
    measured.worker_peaks_mb = sorted(peak for parent, peak in peaks.values() if parent == measured.process)
    return measured


def _note_peaks(peaks: dict[int, tuple[int, float]]) -> None:
    """Remember parent and highest memory so far of every process below this one."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error, OSError, StopIteration):
            status = Path(f"/proc/{child.pid}/status")
            if status.is_file():
                lines = status.read_text(encoding="utf-8").splitlines()
                kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
            else:
                kilobytes = child.memory_info().rss // 1024
            before = peaks.get(child.pid, (0, 0.0))[1]
            peaks[child.pid] = (child.ppid(), max(before, kilobytes / 1024))


def _run(task: Task) -> Measured:
    settings = _prepare(task)
    warnings.filterwarnings("ignore", module="dagster")
    with loading_modules():  # as `wkmp import` does
        from dagster import DagsterInstance

        from wkmp_assets.cli.importer import LibraryImporter

    control = RunControl()
    with DagsterInstance.get() as instance, closing(LibraryImporter(settings, instance, control)) as importer:
        clock = EventClock(instance)

        def observed(*, everything: bool) -> Import:
            return _observe(settings, importer, control, clock, everything=everything)

        first, again, rerun = observed(everything=False), observed(everything=False), observed(everything=True)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    main_peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(first, again, rerun, main_peak_mb, workers.ru_utime + workers.ru_stime, os.getpid())


def _prepare(task: Task) -> Settings:
    home = task.folder / "home"
    home.mkdir(parents=True)
    text = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
    (home / "dagster.yaml").write_text(text if task.own_storage else without_storage(text), encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("WKMP_")]:
        del os.environ[name]
    os.environ["DAGSTER_HOME"] = str(home)
    return load_settings(
        library_root=task.music,
        database=task.folder / "wkmp.db",
        state_dir=task.folder / "state",
        workers=task.workers,
    )


def without_storage(text: str) -> str:
    """Take the `storage:` block out of dagster.yaml."""
    lines, is_inside = [], False
    for line in text.splitlines():
        is_inside = line.startswith("storage:") or (is_inside and line.startswith((" ", "\t")))
        if not is_inside:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _observe(
    settings: Settings, importer: "LibraryImporter", control: RunControl, clock: EventClock, *, everything: bool
) -> Import:
    """Do what `wkmp import` does; with `everything`, run the job over unchanged files as well."""
    from wkmp_assets.cli.import_command import run_until_none_waits

    seen = Import()
    summary = ImportSummary()

    def committed(commit: "FileCommit") -> None:
        summary.add(commit)
        if commit.receipt is not None:
            seen.receipts.append(commit.receipt)
        seen.passages += len(commit.batch.passages) if commit.batch else 0

    control.on_file = lambda phase, _key: seen.tasks.update([phase])
    control.on_commit = committed
    before = _content_of(settings.database_path)
    with keep_open(settings.database_path):
        started = time.perf_counter()
        changes = importer.scan()
        ranges = importer.plan(changes.to_import + (changes.unchanged if everything else ()))
        seen.scan_s = time.perf_counter() - started
        seen.scan_computing_s = clock.breakdown.computing[SCAN].wall_s
        seen.files = sum(len(files.keys) for files in ranges)
        seen.breakdown = clock.breakdown = Breakdown()
        started, cpu = time.perf_counter(), time.process_time()
        seen.ranges = sum(1 for _ in run_until_none_waits(importer, ranges, summary.waiting, {}))
        seen.runs_s, seen.main_cpu_s = time.perf_counter() - started, time.process_time() - cpu
        clock.breakdown = Breakdown()  # the events of the next scan are not counted
    seen.database_unchanged = _content_of(settings.database_path) == before
    return seen


def _content_of(database: Path) -> Sequence[str]:
    """Hash the database and its write-ahead log while no process has them open."""
    files = [database, database.with_name(f"{database.name}-wal")]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file() and file.stat().st_size]


def decodes(seen: Import) -> int:
    """Return the number of files that were decoded."""
    return seen.tasks[SEGMENTS]
