"""Many damaged files at a time in the real job; a file that breaks a run is then found by single runs."""

import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from wkmp_assets import errors
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_process import WorkerLimits
from wkmp_assets_tests.integration.corpus.sound_bytes import sound
from wkmp_assets_tests.integration.fuzz.mutate import damaged_file
from wkmp_assets_tests.support.builders import problems, rows
from wkmp_assets_tests.support.checked_library import CheckedLibrary
from wkmp_assets_tests.support.memory_instance import memory_instance
from wkmp_assets_tests.support.processes import is_worker

WORKER_LIMITS = WorkerLimits(memory_mb=512, file_s=60)
CUT_OFF = frozenset({"WORKER_CRASHED", "TOOK_TOO_LONG", "OUT_OF_MEMORY"})
"""Expected failures that are still worth a look, because a decoder has a bug or is slow."""
KNOWN_CODES = CUT_OFF | {
    error.code
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.AudioFileError)
}
BROKE_THE_RUN = "BROKE THE RUN"
_GOOD = "good.flac"


@dataclass
class Fuzzer:
    """Makes damaged files and imports them.

    Parameters
    ----------
    seed : int
        Seed of all damage.
    kept : Path
        Receives the files that broke something, named after the seed, their number and their effect.
    """

    seed: int
    kept: Path
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[Path] = field(default_factory=list)

    def import_next(self, workers: WorkerPool, first: int, count: int) -> None:
        """Import the files of some numbers in one run."""
        files = {f"{number:08d}.{suffix}": data for number, suffix, data in self._made(first, count)}
        try:
            found = self._import(workers, files)
        except Exception:  # noqa: BLE001 - whatever it is, the file that does it is wanted
            found = {name: self._import_alone(workers, name, data) for name, data in files.items()}
        for name, end in found.items():
            self.counts[end] += 1
            if end in CUT_OFF or end.startswith(BROKE_THE_RUN):
                self._keep(name, files[name], end)

    def _made(self, first: int, count: int) -> Iterator[tuple[int, str, bytes]]:
        for number in range(first, first + count):
            yield number, *damaged_file(self.seed, number)

    def _import(self, workers: WorkerPool, files: Mapping[str, bytes]) -> dict[str, str]:
        """Return how each file ended."""
        with TemporaryDirectory(prefix="wkmp-fuzz-") as folder, memory_instance() as instance:
            (music := Path(folder) / "music").mkdir()
            library = CheckedLibrary(music, instance, workers)
            for name, data in {**files, _GOOD: sound("flac")}.items():
                (music / name).write_bytes(data)
            library.import_all()
            ends = {row["path"]: row["status"] for row in rows(library.database, "SELECT path, status FROM files")}
            stored = rows(library.database, "SELECT path, code FROM import_failures")
            ends |= {row["path"]: row["code"] for row in stored}
            assert problems(library.database) == []
        assert ends.pop(_GOOD) == "INGEST COMPLETE"
        assert ends.keys() == files.keys(), "a file is lost"
        unknown = {row["code"] for row in stored} - KNOWN_CODES
        assert not unknown, f"unknown codes: {unknown}"
        return ends

    def _import_alone(self, workers: WorkerPool, name: str, data: bytes) -> str:
        try:
            return self._import(workers, {name: data})[name]
        except Exception as error:  # noqa: BLE001 - as above; it is written down beside the file
            cause = "".join(traceback.format_exception(error))
            self._keep(f"{name}.txt", cause.encode("utf-8", "backslashreplace"), BROKE_THE_RUN)
            return BROKE_THE_RUN

    def _keep(self, name: str, data: bytes, end: str) -> None:
        self.kept.mkdir(parents=True, exist_ok=True)
        path = self.kept / f"seed {self.seed}, {end}, {name}"
        path.write_bytes(data)
        if end == BROKE_THE_RUN and path.suffix != ".txt":
            self.broken.append(path)


@contextmanager
def fuzz_workers(count: int) -> Iterator[WorkerPool]:
    """Worker processes for the block, none of which may be left after it.

    Raises
    ------
    AssertionError
        A worker is left.
    """
    before = set(psutil.Process().children(recursive=True))
    workers = WorkerPool(count, RunControl(), WORKER_LIMITS)
    try:
        yield workers
    finally:
        workers.shut_down()
    left = [one for one in psutil.Process().children(recursive=True) if one not in before and is_worker(one)]
    assert left == []
