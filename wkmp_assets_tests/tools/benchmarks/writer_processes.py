"""Processes that write to one library at the same time, started once and used for every measurement."""

import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol, Self

from wkmp_assets.db.commit import FileCommitter
from wkmp_assets.db.connection import open_reader
from wkmp_assets.errors import LibraryLockedError
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets_tests.support.builders import NOW, done
from wkmp_assets_tests.tools.benchmarks.unbatched_writer import UnbatchedWriter, create_library
from wkmp_assets_tests.tools.benchmarks.writer_figures import FileFigures, of_failure, of_receipt
from wkmp_assets_tests.tools.benchmarks.writer_files import files_of

STAMP = Stamp(NOW, "run-1")
_HEAD_START_S = 0.05
"""From the signal to the start: long enough for it to reach every process."""


@dataclass(frozen=True)
class Load:
    """The work of several processes at the same time."""

    database: Path
    is_batched: bool
    processes: int
    files: int
    """Per process."""
    passages: int
    synchronous: str = "NORMAL"
    pause_s: float = 0.0
    """Mean pause of a process before each file."""


@dataclass(frozen=True)
class Outcome:
    """Result of one process."""

    started: float
    """On the clock that all processes share."""
    ended: float
    files: list[FileFigures]


class _Writer(Protocol):
    def __call__(self, one: FileEntry, /) -> FileFigures: ...


@contextmanager
def batch_writer(database: Path, synchronous: str = "NORMAL") -> Iterator[_Writer]:
    """Open the batch writer: yield a function that commits one file as an import does."""
    with FileCommitter(database, run_id=STAMP.run_id, now=lambda: STAMP.now) as committer:
        opened, _ = committer._open_library()  # before the start, so that it does not count for the first file
        opened._connection.execute(f"PRAGMA synchronous = {synchronous}")

        def write(one: FileEntry) -> FileFigures:
            try:
                (commit,) = committer.commit_all({encode_key(one.path): done(one)})
            except LibraryLockedError as error:
                return of_failure(error)
            if commit.receipt is None:
                raise AssertionError(f"{one.path} was not written: {commit.outcome}")
            return of_receipt(commit.receipt)

        yield write


@contextmanager
def unbatched_writer(database: Path, files: int, synchronous: str = "NORMAL") -> Iterator[_Writer]:
    """Open the baseline: yield a function that writes one file of a run over `files`."""
    with UnbatchedWriter(database, STAMP, files) as writer, open_reader(database) as reader:
        if reader is None:
            raise FileNotFoundError(database)
        writer.connection.execute(f"PRAGMA synchronous = {synchronous}")
        yield lambda one: writer.write(one, reader)


class WriterProcesses:
    """A number of processes that wait for work. A context manager."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> Self:
        context = get_context("spawn")
        self._lines: list[Connection] = []
        self._processes = []
        for number in range(self._count):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, number), daemon=True)
            process.start()
            there.close()
            self._lines.append(here)
            self._processes.append(process)
        return self

    def __exit__(self, *_: object) -> None:
        for line, process in zip(self._lines, self._processes, strict=True):
            line.close()
            process.join()

    def run(self, load: Load) -> tuple[list[FileFigures], float]:
        """Let the first processes write, all from the same moment on, as fast as they can.

        Returns
        -------
        tuple of list of FileFigures and float
            All files, and the seconds from the start to the end of the last process.

        Raises
        ------
        RuntimeError
            A process died; it has printed why, unless it was killed.
        """
        create_library(load.database)
        if not load.is_batched:
            with UnbatchedWriter(load.database, STAMP, load.processes * load.files) as writer:
                writer.scan(one for number in range(load.processes) for one in _files(load, number))
        lines = self._lines[: load.processes]
        for line in lines:
            line.send(load)
        for number in range(load.processes):
            self._answer_of(number)  # ready
        start = time.monotonic() + _HEAD_START_S
        for line in lines:
            line.send(start)
        outcomes: list[Outcome] = [self._answer_of(number) for number in range(load.processes)]
        elapsed_s = max(outcome.ended for outcome in outcomes) - min(outcome.started for outcome in outcomes)
        return [file for outcome in outcomes for file in outcome.files], elapsed_s

    def _answer_of(self, number: int) -> Any:
        try:
            return self._lines[number].recv()
        except (EOFError, ConnectionError) as error:
            process = self._processes[number]
            process.join()
            raise RuntimeError(f"writer {number} died with exit code {process.exitcode}") from error


def _serve(line: Connection, number: int) -> None:
    with closing(line):
        while True:
            try:
                load: Load = line.recv()
            except EOFError:  # the benchmark is over
                return
            _write(line, load, number)


def _write(line: Connection, load: Load, number: int) -> None:
    files = _files(load, number)
    opened = (
        batch_writer(load.database, load.synchronous)
        if load.is_batched
        else unbatched_writer(load.database, load.processes * load.files, load.synchronous)
    )
    pauses = random.Random(number)
    with opened as write:
        line.send("ready")
        start: float = line.recv()
        time.sleep(max(start - time.monotonic(), 0))
        started = time.monotonic()
        written = []
        for one in files:
            time.sleep(pauses.uniform(0, 2 * load.pause_s))
            written.append(write(one))
        outcome = Outcome(started, time.monotonic(), written)
    line.send(outcome)  # the library is closed now, and its folder may be removed


def _files(load: Load, number: int) -> tuple[FileEntry, ...]:
    return files_of(number, load.files, load.passages)
