"""The queue of tasks for workers of other machines.

See Also
--------
wkmp_assets.runtime.cluster.executor : gives the tasks to the workers.
"""

import math
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from wkmp_assets.errors import ClusterError, FileNotSeenError, UnreadableFileError, WorkerLostError
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.runtime.cluster.executor import TaskExecutor, TaskFuture
from wkmp_assets.runtime.file_queue import FileQueue
from wkmp_assets.runtime.file_work import FileWork, describe_crash, describe_hang
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_process import WorkerLimits

MAX_WAIT_FOR_WORKERS_S = 60.0
"""unit=s: how long an import waits while there is no worker, or none for a file."""
MAX_CRASHES = 2
"""Workers that one file may cost. A worker that was killed from outside looks the same, so once is no proof."""
_MAX_PASSED = 100
"""Files that wait for one certain worker, and let others go first."""
_LOOK_UP_S = 1.0
"""unit=s: how often to look at the deadlines."""


class ClusterQueue(FileQueue):
    """Tasks that wait for workers of other machines.

    Parameters
    ----------
    control : RunControl
        Asked whether to stop.
    limits : WorkerLimits
        What one file may cost.
    executor : TaskExecutor
        Closed with the queue.
    max_wait_s : float, optional
        How long to wait while there is no worker, or a file needs one that may still come.
    """

    def __init__(
        self,
        control: RunControl,
        limits: WorkerLimits,
        executor: TaskExecutor,
        max_wait_s: float = MAX_WAIT_FOR_WORKERS_S,
    ) -> None:
        super().__init__(control)
        self._limits = limits
        self._executor = executor
        self._max_wait_s = max_wait_s
        self._crashes: Counter[FileWork] = Counter()
        self._unseen: dict[FileWork, dict[str, str]] = {}
        """Why workers do not see a file, by their names."""
        self._is_seen = False
        """Whether a worker has seen any file."""
        self._expected = 0
        """How many workers there were lately. One that starts again has a new name."""
        self._short_since = math.inf
        """On the monotonic clock: since when there are fewer, or none that sees a file."""
        self._without_worker_since = math.inf
        executor.on_change = self._tell

    @property
    def far_slots(self) -> int:
        """How many files the cluster measures at once now."""
        return sum(self._executor.slots.values())

    @property
    def page(self) -> str | None:
        """Address of the engine's own page; None when it is not connected, or has none."""
        return self._executor.page

    def _open(self) -> None:
        if not self._may_stop():
            self._executor.open()

    def _submit(self, in_hand: dict[Future[Any], FileWork]) -> None:
        if self._executor.slots:
            self._without_worker_since = math.inf
        elif self._waiting:
            self._wait_for_workers()
        here = frozenset(self._executor.slots)
        may_come = self._expects_more(len(here))
        passed: list[FileWork] = []
        while self._waiting and len(passed) < _MAX_PASSED and self._executor.can_take():
            task = self._waiting.popleft()
            unseen = frozenset(self._unseen.get(task, ()))
            if self._executor.can_take(unseen):
                task.seconds, task.deadline = self._limits.seconds_for(task.arguments), math.inf
                in_hand[self._executor.submit(task.function, *task.arguments, avoid=unseen)] = task
            elif unseen.issuperset(here) and not may_come:
                self._fail_unseen(task)
            else:
                passed.append(task)
        self._waiting.extendleft(reversed(passed))

    def _expects_more(self, here: int) -> bool:
        """Tell whether workers may still come: some started again, or so far none sees the music."""
        if here >= self._expected and self._is_seen:
            self._expected, self._short_since = here, math.inf
            return False
        if not here:
            self._short_since = math.inf
            return True
        now = time.monotonic()
        self._short_since = min(self._short_since, now)
        if now - self._short_since < self._max_wait_s:
            self._expected = max(self._expected, here)
            return True
        self._expected = here
        return False

    def _wait_for_workers(self) -> None:
        now = time.monotonic()
        self._without_worker_since = min(self._without_worker_since, now)
        if now - self._without_worker_since >= self._max_wait_s:
            self._without_worker_since = math.inf
            refused = "; ".join(f"{name} is not used: {why}" for name, why in self._executor.refused.items())
            raise ClusterError(
                refused or f"the cluster has had no worker for {self._max_wait_s:.0f} s",
                "start workers with `wkmp worker`, then import again",
            )

    def _collect(self, in_hand: dict[Future[Any], FileWork]) -> None:
        done, _ = wait([*in_hand, self._news], timeout=self._until_next(in_hand), return_when=FIRST_COMPLETED)
        if self._is_closing:
            return
        for future in done:
            task = in_hand.pop(future, None)
            if task is not None and isinstance(future, TaskFuture):
                self._take(task, future)
        now = time.monotonic()
        for future, task in tuple(in_hand.items()):
            if isinstance(future, TaskFuture) and future.started_at is not None:
                task.deadline = future.started_at + task.seconds
                if task.deadline <= now:
                    del in_hand[future]
                    self._executor.end(future)
                    self._forget(task)
                    task.end(describe_hang(task))

    def _until_next(self, in_hand: dict[Future[Any], FileWork]) -> float:
        first = min((task.deadline for task in in_hand.values()), default=math.inf)
        return max(0.0, min(_LOOK_UP_S, first - time.monotonic(), self._stops_at - time.monotonic()))

    def _take(self, task: FileWork, future: TaskFuture) -> None:
        """Take what a worker made of a task; let it start again where the worker is to blame."""
        error = future.exception()
        if isinstance(error, ClusterError):
            task.deadline = 0.0
            self._again(task)
            raise error
        if isinstance(error, FileNotSeenError):
            self._unseen.setdefault(task, {})[future.worker] = str(error)
            self._again(task)
        elif isinstance(error, WorkerLostError) and future.started_at is None:
            self._again(task)
        elif isinstance(error, WorkerLostError | MemoryError):
            if isinstance(error, MemoryError):  # what the file has left there is too much for the next one
                self._executor.end(future)
            self._crashes[task] += 1
            if self._crashes[task] < MAX_CRASHES:
                self._again(task)
            else:
                self._forget(task)
                task.end(describe_crash(task, error, self._limits))
        else:
            self._is_seen = True
            self._forget(task)
            self._end(task, future)

    def _again(self, task: FileWork) -> None:
        with self._lock:
            task.deadline = 0.0
            self._waiting.appendleft(task)

    def _fail_unseen(self, task: FileWork) -> None:
        why = "; ".join(f"{worker}: {reason}" for worker, reason in sorted(self._unseen[task].items()))
        self._forget(task)
        task.end(Failed(task.phase, UnreadableFileError.code, f"{task.key}: no worker sees it ({why}); check that the "
                        "music is mounted there, and the --root of `wkmp worker`, then import again"))  # fmt: skip

    def _forget(self, task: FileWork) -> None:
        self._crashes.pop(task, None)
        self._unseen.pop(task, None)

    def _kill(self) -> None:
        self._executor.close()
