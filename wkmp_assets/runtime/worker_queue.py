"""The queue of tasks for worker processes of this machine.

See Also
--------
wkmp_assets.runtime.worker_pool : asks for work and takes the outcomes.
"""

import math
import os
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

from wkmp_assets.errors import WorkersError
from wkmp_assets.runtime.file_queue import INTERRUPTED, STOP_GRACE_S, FileQueue
from wkmp_assets.runtime.file_work import FileWork, describe_crash, describe_hang
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_process import WorkerLimits, prepare_worker, shield_started

_LOOK_UP_S = 0.1
"""unit=s: how often to look for a stop while the workers start."""
_MAX_IDLE_S = 300
"""unit=s: idle workers end after this long, so that a run that waits for something else holds no memory."""

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of a worker. With one worker per core, numpy's own threads wait for each other by spinning: on a busy
machine flavors took 4.5 times the CPU. Their buffers would also count against the worker's memory."""
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20)}
"""Environment of a worker with glibc, which otherwise gives freed arrays back to the system. The next array's pages
must then be found and cleared again: 5,000 page faults, a tenth of the CPU of a flavor."""
WORKER_ENVIRONMENT = {**ONE_THREAD, **KEPT_MEMORY}
"""Of every worker, on this machine and on others; read when its process starts."""


class WorkerQueue(FileQueue):
    """Worker processes of this machine, and the tasks that wait for them.

    Parameters
    ----------
    workers : int, >= 1
        Number of processes.
    control : RunControl
        Asked whether to stop.
    limits : WorkerLimits
        What one file may cost.
    modules : collection of str
        What the workers import at their start.
    around : callable, optional
        Importable by the workers. It takes the function of a task and its arguments, and calls it.
    """

    def __init__(
        self,
        workers: int,
        control: RunControl,
        limits: WorkerLimits,
        modules: Collection[str],
        around: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(control)
        self._workers = workers
        self._limits = limits
        self._modules = tuple(modules)
        self._around = around
        self.executor: ProcessPoolExecutor | None = None
        """The running workers."""

    def _open(self) -> None:
        self._start_workers()

    def _submit(self, in_hand: dict[Future[Any], FileWork]) -> None:
        executor = self.executor if self._waiting else None
        # One per worker, so that a crash has few suspects, a stop ends soon, and deadlines count from a real start.
        while executor is not None and self._waiting and len(in_hand) < self._workers:
            task = self._waiting[0]
            try:
                future = self._give(executor, task)
            except BrokenProcessPool:  # a worker died since the last wait; the futures of started files tell
                break
            self._waiting.popleft()
            self._begin(task)
            in_hand[future] = task
        if self._waiting and not in_hand:  # the workers are broken
            self._kill()

    def _collect(self, in_hand: dict[Future[Any], FileWork]) -> None:
        """Wait for the tasks in hand, until one ends or something is new."""
        if not in_hand:
            return
        done, _ = wait(
            [*in_hand, self._news], timeout=self._until_first_deadline(in_hand.values()), return_when=FIRST_COMPLETED
        )
        if self._is_closing:
            return
        suspects: list[FileWork] = []
        for future in done:
            task = in_hand.pop(future, None)
            if task is not None:
                if _is_suspicious(future.exception()):
                    suspects.append(task)
                else:
                    self._end(task, future)
        if suspects:
            suspects += in_hand.values()
            in_hand.clear()
            self._kill()
            for task in suspects:
                self._run_alone(task)
        elif not done and any(task.deadline <= time.monotonic() for task in in_hand.values()):
            self._cut_off(in_hand)

    def _give(self, executor: ProcessPoolExecutor, task: FileWork) -> Future[Any]:
        call = (task.function, *task.arguments)
        future: Future[Any] = executor.submit(*(call if self._around is None else (self._around, *call)))
        return future

    def _begin(self, task: FileWork) -> None:
        task.seconds = self._limits.seconds_for(task.arguments)
        task.deadline = time.monotonic() + task.seconds

    def _cut_off(self, in_hand: dict[Future[Any], FileWork]) -> None:
        """Kill the workers; fail the files whose time is up, and let the others start again."""
        self._kill()
        now = time.monotonic()
        for task in in_hand.values():
            if task.deadline <= now:
                task.end(describe_hang(task))
            else:
                with self._lock:
                    task.deadline = 0.0
                    self._waiting.appendleft(task)
        in_hand.clear()

    def _run_alone(self, task: FileWork) -> None:
        """Try one file alone, so that no other can cause a crash."""
        executor = self._start_workers()
        if executor is None:
            task.end(INTERRUPTED)
            return
        self._begin(task)
        future = self._give(executor, task)
        while not future.done() and not self._is_closing and time.monotonic() < min(task.deadline, self._stops_at):
            with self._lock:
                if self._news.done() and not self._is_closing:
                    self._news = Future()
                if self._control.is_stopping and self._stops_at == math.inf:
                    self._stops_at = time.monotonic() + STOP_GRACE_S
            wait([future, self._news], timeout=self._until_first_deadline([task]), return_when=FIRST_COMPLETED)
        if self._is_closing:
            return
        if not future.done() and time.monotonic() >= self._stops_at:
            self._kill()
            task.end(INTERRUPTED)
            return
        if not future.done():
            self._kill()
            task.end(describe_hang(task))
            return
        error = future.exception()
        if _is_suspicious(error):
            self._kill()
            task.end(describe_crash(task, error, self._limits))
        else:
            self._end(task, future)

    def _kill(self) -> None:
        if self.executor is not None:
            executor, self.executor = self.executor, None
            executor.shutdown(wait=True, kill_workers=True)

    def _start_workers(self) -> ProcessPoolExecutor | None:
        """Return the workers, started and ready, so that the time of the first file does not include their start.

        None when a stop or an end is requested before they are.
        """
        if self.executor is None and not self._may_stop():
            shield_started()
            self.executor = ProcessPoolExecutor(
                self._workers,
                timeout=_MAX_IDLE_S,
                initializer=prepare_worker,
                initargs=(os.getpid(), self._limits, self._modules),
                env=WORKER_ENVIRONMENT,
            )
            ready = self.executor.submit(os.getpid)
            while not wait([ready], timeout=_LOOK_UP_S).done:
                if self._may_stop():
                    self._kill()
                    return None
            error = ready.exception()
            if isinstance(error, BrokenProcessPool):
                raise WorkersError(str(error)) from error
        return self.executor

    def _until_first_deadline(self, tasks: Iterable[FileWork]) -> float:
        return max(0.0, min(self._stops_at, *(task.deadline for task in tasks)) - time.monotonic())


def _is_suspicious(error: BaseException | None) -> bool:
    """Tell whether a worker died or ran out of memory, which another file may have caused."""
    return isinstance(error, BrokenProcessPool | MemoryError)
