"""The seam to an engine that runs tasks on other machines. Nothing above it knows which engine that is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any


class TaskFuture(Future[Any]):
    """The result of a task, and where it runs.

    It ends with the value or what the function raised, else with `WorkerLostError`, `FileNotSeenError` or
    `ClusterError`.
    """

    def __init__(self, worker: str) -> None:
        super().__init__()
        self.worker = worker
        """Name of the worker."""
        self.started_at: float | None = None
        """On the monotonic clock: when the worker said that it has begun."""


class TaskExecutor(ABC):
    """Runs tasks on workers that come and go. Each worker gets two tasks per slot, so that it never waits for one."""

    on_change: Callable[[], None] = staticmethod(lambda: None)
    """Called from any thread when a worker came, went or began a task."""

    @abstractmethod
    def open(self) -> None:
        """Connect to the engine, unless that is done.

        Raises
        ------
        ClusterError
            It does not answer.
        """

    @property
    @abstractmethod
    def slots(self) -> Mapping[str, int]:
        """How many tasks each worker runs at once, by its name, of the workers that may be used."""

    @property
    @abstractmethod
    def refused(self) -> Mapping[str, str]:
        """Why other workers are not used, by name."""

    @property
    def page(self) -> str | None:
        """Address of the engine's own page; None when it is not connected, or has none."""
        return None

    @abstractmethod
    def can_take(self, avoid: frozenset[str] = frozenset()) -> bool:
        """Tell whether a worker that is not among `avoid` takes a task now."""

    @abstractmethod
    def submit(self, function: Callable[..., Any], *arguments: Any, avoid: frozenset[str] = frozenset()) -> TaskFuture:
        """Give a task to the worker with the least in hand; only when `can_take` says so."""

    @abstractmethod
    def end(self, task: TaskFuture) -> None:
        """End a task together with its worker, which starts again. Other tasks of that worker are lost."""

    @abstractmethod
    def close(self) -> None:
        """Drop all tasks and disconnect. `open` connects again."""
