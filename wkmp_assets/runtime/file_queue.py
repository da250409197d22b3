"""The queue between a run and its workers: a thread keeps every worker busy while the run does something else.

See Also
--------
wkmp_assets.runtime.worker_pool : asks for work and takes the outcomes.
wkmp_assets.runtime.worker_queue : worker processes of this machine.
wkmp_assets.runtime.cluster.queue : workers of other machines.
"""

import math
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

from wkmp_assets.model.outcomes import Skipped, SkipReason
from wkmp_assets.runtime.file_work import FileWork, RaisedError, find_outcome
from wkmp_assets.runtime.run_control import RunControl

INTERRUPTED = Skipped(SkipReason.INTERRUPTED)
"""The outcome of work that a stop prevented."""

STOP_GRACE_S = 1.0
"""unit=s: how long after a stop the workers may go on with the files in hand, before they are given up."""


class FileQueue(ABC):
    """The tasks that wait for workers.

    A thread hands the tasks out while there are any. Only this thread touches the workers.

    Parameters
    ----------
    control : RunControl
        Asked whether to stop.
    """

    def __init__(self, control: RunControl) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._waiting: deque[FileWork] = deque()
        self._thread: threading.Thread | None = None
        self._news: Future[None] = Future()
        """Done when there is something new for the thread that waits for the workers."""
        self._is_closing = False
        self._stops_at = math.inf
        """On the monotonic clock: when the files in hand are given up, after a stop."""
        control.tell_of_stop(self._tell)

    @property
    def far_slots(self) -> int | None:
        """How many files other machines measure at once now; None where this machine measures all."""
        return None

    @property
    def page(self) -> str | None:
        """Address of a page about the machines that measure the files; None without one."""
        return None

    def start(self) -> None:
        """Start the workers in the background."""
        self._wake([])

    def put_first(self, tasks: Sequence[FileWork]) -> None:
        """Let tasks start before all others, in their order; those that wait already change their place."""
        self.drop(tasks)
        self._wake(tasks, at_front=True)

    def put_last(self, tasks: Sequence[FileWork]) -> None:
        """Let tasks start after all others."""
        self._wake(tasks)

    def drop(self, tasks: Collection[FileWork]) -> None:
        """Forget tasks that have not started."""
        dropped = set(map(id, tasks))
        with self._lock:
            self._waiting = deque(task for task in self._waiting if id(task) not in dropped)

    def close(self) -> None:
        """End the workers of this run, if there are any, and forget what waits for them."""
        with self._lock:
            thread = self._thread
            self._waiting.clear()
            self._is_closing = True
            self._tell()
        if thread is not None:
            thread.join()
        self._kill()

    def _wake(self, tasks: Sequence[FileWork], *, at_front: bool = False) -> None:
        with self._lock:
            waiting = [task for task in tasks if not task.is_done and not task.deadline]
            self._waiting = deque([*waiting, *self._waiting] if at_front else [*self._waiting, *waiting])
            self._tell()
            if self._thread is None:
                self._is_closing = False
                self._thread = threading.Thread(target=self._work, name="hands files to workers", daemon=True)
                self._thread.start()

    def _tell(self) -> None:
        """Wake the thread. Without a lock, because a signal handler calls this too."""
        with suppress(InvalidStateError):
            self._news.set_result(None)

    def _work(self) -> None:
        in_hand: dict[Future[Any], FileWork] = {}
        try:
            self._open()
            while self._hand_out(in_hand):
                self._collect(in_hand)
        except BaseException as error:  # noqa: BLE001 - raised by whoever waits
            with self._lock:
                lost, self._thread = [*in_hand.values(), *self._waiting], None
                self._waiting.clear()
            self._kill()
            for task in lost:
                task.end(RaisedError(error))

    def _hand_out(self, in_hand: dict[Future[Any], FileWork]) -> bool:
        """Give tasks to workers; return whether there is something to wait for."""
        if self._waiting:
            self._open()
        with self._lock:
            if self._is_closing:
                self._thread = None
                return False
            if self._news.done():
                self._news = Future()
            if self._control.is_stopping:
                self._stop(in_hand)
            self._submit(in_hand)
            if in_hand or self._waiting:
                return True
            self._thread = None
            return False

    def _stop(self, in_hand: dict[Future[Any], FileWork]) -> None:
        """Begin no more; give the files in hand up when their time is over."""
        while self._waiting:
            self._waiting.popleft().end(INTERRUPTED)
        now = time.monotonic()
        if self._stops_at == math.inf:
            self._stops_at = now + STOP_GRACE_S
        if in_hand and now >= self._stops_at:
            self._kill()
            while in_hand:
                in_hand.popitem()[1].end(INTERRUPTED)

    def _end(self, task: FileWork, future: Future[Any]) -> None:
        task.end(find_outcome(task.phase, future))
        self._control.on_work(task.key)

    def _may_stop(self) -> bool:
        return self._control.is_stopping or self._is_closing

    @abstractmethod
    def _open(self) -> None:
        """Make the workers ready, unless they are; return at once when a stop or an end is requested."""

    @abstractmethod
    def _submit(self, in_hand: dict[Future[Any], FileWork]) -> None:
        """Move tasks from those that wait to those in hand; called with the lock held."""

    @abstractmethod
    def _collect(self, in_hand: dict[Future[Any], FileWork]) -> None:
        """Wait for the tasks in hand, until one ends or something is new."""

    @abstractmethod
    def _kill(self) -> None:
        """End the workers of this run, if there are any."""
