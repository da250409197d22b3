"""Worker processes for work that costs CPU: hashing, decoding, fingerprinting, flavors.

Processes, because decoding does not scale on threads: two decoding threads run at half to once the speed of one. The
workers live as long as the run and are shared by its phases. When a worker crashes, its files are tried again one at a
time, and the file that crashes again fails. A file that is not done in time fails at once.

See Also
--------
wkmp_assets.runtime.worker_process : how a worker is set up.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

from wkmp_assets.errors import AudioFileError, WorkersError
from wkmp_assets.model.outcomes import Failed, Outcome, Outcomes, Result, Skipped, SkipReason, join
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_process import WorkerLimits, prepare_worker

_MAX_IDLE_S = 300
"""unit=s: idle workers end after this long, so that a run that waits for something else holds no memory."""

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of a worker. With one worker per core, numpy's own threads wait for each other by spinning: on a busy
machine flavors took 4.5 times the CPU. Their buffers would also count against the worker's memory."""


@dataclass(frozen=True)
class _Task:
    key: str
    seconds: float
    """How long it may take, in seconds."""
    deadline: float
    """On the monotonic clock."""


class WorkerPool:
    """Runs one function over many files in worker processes.

    Parameters
    ----------
    workers : int, >= 1
        Number of processes.
    control : RunControl
        Told about each finished file; asked whether to stop.
    limits : WorkerLimits, optional
        What one file may cost.
    """

    def __init__(self, workers: int, control: RunControl, limits: WorkerLimits | None = None) -> None:
        self._workers = workers
        self._control = control
        self._limits = limits or WorkerLimits()
        self._running: ProcessPoolExecutor | None = None

    def map_files(
        self, phase: str, function: Callable[..., Any], tasks: Mapping[str, tuple[Any, ...]]
    ) -> Iterator[tuple[str, Any | Failed | Skipped]]:
        """Yield each file's outcome as it finishes.

        Parameters
        ----------
        phase : str
            Name of the phase, for failures and progress.
        function : callable
            Importable by the workers; called with the task's arguments. An `AudioFileError`, a crash and a breach of
            the limits become `Failed`; any other exception is a programming error and propagates.
        tasks : mapping of str to tuple
            Partition key -> arguments, started in this order. The first path among the arguments is the file; a
            large file is given more time.

        Yields
        ------
        tuple of str and result
            Partition key and what the function returned, `Failed`, or `Skipped(INTERRUPTED)`.

        Raises
        ------
        WorkersError
            No worker process can be started.
        """
        waiting = list(tasks)
        try:
            while waiting:
                if self._control.is_stopping:
                    yield from ((key, Skipped(SkipReason.INTERRUPTED)) for key in waiting)
                    return
                suspects: list[str] = []
                for key, outcome in self._run_until_broken(phase, function, tasks, waiting, suspects):
                    self._control.on_file(phase, key)
                    yield key, outcome
                for key in suspects:
                    outcome = self._run_alone(phase, function, key, tasks[key])
                    self._control.on_file(phase, key)
                    yield key, outcome
        except BaseException:
            self.shut_down()  # the caller does not wait for the started tasks
            raise

    def _run_until_broken(
        self,
        phase: str,
        function: Callable[..., Any],
        tasks: Mapping[str, tuple[Any, ...]],
        waiting: list[str],
        suspects: list[str],
    ) -> Iterator[tuple[str, Any | Failed]]:
        """Work through `waiting`; when a worker dies, move the started files to `suspects` and return."""
        executor = self._executor()
        in_hand: dict[Future[Any], _Task] = {}
        while (waiting and not self._control.is_stopping) or in_hand:
            # One per worker, so that a crash has few suspects, a stop ends soon, and deadlines count from a real start.
            while waiting and len(in_hand) < self._workers and not self._control.is_stopping:
                try:
                    future = executor.submit(function, *tasks[waiting[0]])
                except BrokenProcessPool:  # a worker died since the last wait; the futures of the started files tell
                    break
                in_hand[future] = self._begun(waiting.pop(0), tasks)
            if not in_hand:
                self.shut_down()
                return
            done, _ = wait(in_hand, timeout=_until_first_deadline(in_hand.values()), return_when=FIRST_COMPLETED)
            for future in done:
                task = in_hand.pop(future)
                if _is_suspicious(future.exception()):
                    suspects.append(task.key)
                else:
                    yield task.key, _outcome(phase, future)
            if suspects:
                suspects += [task.key for task in in_hand.values()]
                self.shut_down()
                return
            if not done and any(task.deadline <= time.monotonic() for task in in_hand.values()):
                yield from self._cut_off(phase, in_hand.values(), waiting)
                return

    def _begun(self, key: str, tasks: Mapping[str, tuple[Any, ...]]) -> _Task:
        seconds = self._limits.seconds_for(tasks[key])
        return _Task(key, seconds, time.monotonic() + seconds)

    def _cut_off(self, phase: str, in_hand: Iterable[_Task], waiting: list[str]) -> Iterator[tuple[str, Failed]]:
        """Kill the workers; fail the files whose time is up, and put the others back into `waiting`."""
        self.shut_down()
        now = time.monotonic()
        for task in in_hand:
            if task.deadline <= now:
                yield task.key, _too_slow(phase, task)
            else:
                waiting.insert(0, task.key)

    def _run_alone(self, phase: str, function: Callable[..., Any], key: str, task: tuple[Any, ...]) -> Any | Failed:
        """Try one file alone, so that no other can cause a crash."""
        begun = self._begun(key, {key: task})
        future = self._executor().submit(function, *task)
        done, _ = wait([future], timeout=begun.seconds)
        if not done:
            self.shut_down()
            return _too_slow(phase, begun)
        error = future.exception()
        if not _is_suspicious(error):
            return _outcome(phase, future)
        self.shut_down()
        if isinstance(error, MemoryError):
            return Failed(
                phase,
                "OUT_OF_MEMORY",
                f"{key}: reading it takes more than the {self._limits.memory_mb} MB of memory allowed; check or "
                "re-encode the file, or raise WKMP_WORKER_MEMORY_MB, then import again",
            )
        return Failed(
            phase,
            "WORKER_CRASHED",
            f"{key}: the process that reads it crashed twice (a defect in a decoder, or out of memory); check or "
            "re-encode the file, then import again",
        )

    def compute(
        self,
        phase: str,
        keys: Iterable[str],
        upstream: Iterable[Outcomes[Any]],
        function: Callable[..., Any],
        arguments: Callable[..., tuple[Any, ...]],
    ) -> dict[str, Outcome[Any]]:
        """Apply a function, in workers, to every file whose earlier phases all have results.

        Parameters
        ----------
        phase, keys, upstream
            As in `outcomes.map_results`.
        function : callable
            Importable by the workers.
        arguments : callable
            Takes the partition key and one value per upstream phase, returns the function's arguments.

        Returns
        -------
        dict
            Partition key -> outcome, for every key, in the order of `keys`. A file whose earlier phases failed or were
            skipped has that outcome.
        """
        phases = list(upstream)
        joined = {key: join(phase, key, [outcomes[key] for outcomes in phases]) for key in keys}
        tasks = {key: arguments(key, *up.value) for key, up in joined.items() if isinstance(up, Result)}
        computed = dict(self.map_files(phase, function, tasks))
        outcomes: dict[str, Outcome[Any]] = {}
        for key, up in joined.items():
            value = computed.get(key, up)
            is_new = isinstance(up, Result) and not isinstance(value, Failed | Skipped)
            outcomes[key] = Result(value, up.content_hash) if is_new and isinstance(up, Result) else value
        return outcomes

    def shut_down(self) -> None:
        """Kill the worker processes, if there are any."""
        if self._running is not None:
            executor, self._running = self._running, None
            executor.shutdown(wait=True, kill_workers=True)

    def _executor(self) -> ProcessPoolExecutor:
        """Return the workers, started and ready, so that the time of the first file does not include their start."""
        if self._running is None:
            self._running = ProcessPoolExecutor(
                self._workers,
                timeout=_MAX_IDLE_S,
                initializer=prepare_worker,
                initargs=(os.getpid(), self._limits),
                env=ONE_THREAD,
            )
            try:
                self._running.submit(os.getpid).result()
            except BrokenProcessPool as error:
                raise WorkersError(str(error)) from error
        return self._running


def _until_first_deadline(tasks: Iterable[_Task]) -> float:
    return max(0.0, min(task.deadline for task in tasks) - time.monotonic())


def _is_suspicious(error: BaseException | None) -> bool:
    """Tell whether a worker died or ran out of memory, which another file may have caused."""
    return isinstance(error, BrokenProcessPool | MemoryError)


def _outcome(phase: str, future: Future[Any]) -> Any | Failed:
    try:
        return future.result()
    except AudioFileError as error:
        return Failed(phase, error.code, str(error))


def _too_slow(phase: str, task: _Task) -> Failed:
    return Failed(
        phase,
        "TOOK_TOO_LONG",
        f"{task.key}: it was not finished in {task.seconds:.0f} s; check or re-encode the file, or raise "
        "WKMP_WORKER_TIMEOUT_S, then import again",
    )
