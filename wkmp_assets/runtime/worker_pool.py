"""Worker processes for work that costs CPU: hashing, decoding, fingerprinting, flavors.

Processes, because decoding does not scale on threads: two decoding threads run at half to once the speed of one. The
workers live as long as the run and are shared by its phases. When a worker crashes, its files are tried again one at a
time, and the file that crashes again fails. A file that is not done in time fails at once.

See Also
--------
wkmp_assets.runtime.worker_queue : the thread that hands files to the workers.
wkmp_assets.runtime.worker_process : how a worker is set up.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any

from wkmp_assets.model.outcomes import Failed, Outcome, Outcomes, Result, Skipped, SkipReason, join
from wkmp_assets.runtime.file_queue import FileQueue
from wkmp_assets.runtime.file_work import Bell, FileWork
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_process import WorkerLimits
from wkmp_assets.runtime.worker_queue import WorkerQueue


class WorkerPool:
    """Runs functions over many files in worker processes.

    Parameters
    ----------
    workers : int, >= 1
        Number of processes.
    control : RunControl
        Told about each finished file; asked whether to stop.
    limits : WorkerLimits, optional
        What one file may cost.
    modules : collection of str, optional
        Names of modules that the workers import at their start, so that the first files need not wait for it.
    queue : FileQueue, optional
        Hands the files out instead of worker processes of this machine.
    """

    def __init__(
        self,
        workers: int,
        control: RunControl,
        limits: WorkerLimits | None = None,
        modules: Collection[str] = (),
        queue: FileQueue | None = None,
    ) -> None:
        self._control = control
        self._queue = queue or WorkerQueue(workers, control, limits or WorkerLimits(), modules)
        self._begun: dict[str, FileWork] = {}
        self._bell = Bell()

    @property
    def is_stopping(self) -> bool:
        """Whether the run was asked to stop."""
        return self._control.is_stopping

    @property
    def far_slots(self) -> int | None:
        """How many files other machines measure at once now; None where this machine measures all."""
        return self._queue.far_slots

    @property
    def page(self) -> str | None:
        """Address of a page about the machines that measure the files; None where this machine measures all."""
        return self._queue.page

    def start(self) -> None:
        """Start the workers in the background. Otherwise the first file starts them."""
        self._queue.start()

    def begin(self, phase: str, function: Callable[..., Any], tasks: Mapping[str, tuple[Any, ...]]) -> None:
        """Start work in the background that `map_files` will ask for later, with the same arguments.

        It waits behind all that `map_files` asks for. The last request for a key counts.

        Parameters
        ----------
        phase, function, tasks
            As in `map_files`.
        """
        self.forget(tasks)
        begun = {key: FileWork(key, phase, function, arguments, self._bell) for key, arguments in tasks.items()}
        self._begun |= begun
        self._queue.put_last(list(begun.values()))

    def has_ended(self, keys: Iterable[str]) -> bool:
        """Tell whether all that was begun of some files has ended."""
        return all(work.is_done for key in keys if (work := self._begun.get(key)))

    def wait_for_news(self, timeout_s: float) -> None:
        """Wait until some begun work ends, at most so long."""
        self._bell.wait(timeout_s)

    def find_finished(self, keys: Iterable[str]) -> list[str]:
        """Return the files whose begun work is finished and not asked for yet."""
        return [
            key
            for key in keys
            if (work := self._begun.get(key)) and work.is_done and work.outcome != Skipped(SkipReason.INTERRUPTED)
        ]

    def forget(self, keys: Iterable[str]) -> None:
        """Drop begun work that has not started; nobody will ask for it."""
        self._queue.drop([self._begun.pop(key) for key in keys if key in self._begun])

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
            large file is given more time. Work that was begun with the same arguments is not done again.

        Yields
        ------
        tuple of str and result
            Partition key and what the function returned, `Failed`, or `Skipped(INTERRUPTED)`.

        Raises
        ------
        WorkersError
            No worker process can be started.
        """
        ended: SimpleQueue[FileWork] = SimpleQueue()
        self._queue.put_first([self._work_on(phase, function, key, task, ended) for key, task in tasks.items()])
        try:
            for _ in tasks:
                work = ended.get()
                work.raise_error()
                if work.outcome != Skipped(SkipReason.INTERRUPTED):
                    self._control.on_file(phase, work.key)
                yield work.key, work.outcome
        except BaseException:
            self.shut_down()  # the caller does not wait for the started tasks
            raise

    def _work_on(
        self,
        phase: str,
        function: Callable[..., Any],
        key: str,
        arguments: tuple[Any, ...],
        ended: "SimpleQueue[FileWork]",
    ) -> FileWork:
        begun = self._begun.get(key)
        if begun is None or not begun.is_same(function, arguments):
            return FileWork(key, phase, function, arguments, ended)
        del self._begun[key]
        begun.tell(ended)
        return begun

    def compute(
        self,
        phase: str,
        keys: Iterable[str],
        upstream: Iterable[Outcomes[Any]],
        function: Callable[..., Any],
        arguments: Callable[..., tuple[Any, ...]],
        found: Callable[..., Any] = lambda _key, _content_hash, *_values: None,
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
        found : callable, optional
            Takes the partition key, the content hash and the same values. Returns what the function would return, or
            the `Failed` of the phase, if that is known already; else None.

        Returns
        -------
        dict
            Partition key -> outcome, for every key, in the order of `keys`. A file whose earlier phases failed or were
            skipped has that outcome.
        """
        phases = list(upstream)
        joined = {key: join(phase, key, [outcomes[key] for outcomes in phases]) for key in keys}
        ready = {key: up for key, up in joined.items() if isinstance(up, Result)}
        known = {key: found(key, up.content_hash, *up.value) for key, up in ready.items()}
        computed = {key: value for key, value in known.items() if value is not None}
        for key in computed:
            self._control.on_file(phase, key)
        tasks = {key: arguments(key, *up.value) for key, up in ready.items() if key not in computed}
        computed |= self.map_files(phase, function, tasks)
        outcomes: dict[str, Outcome[Any]] = {}
        for key, up in joined.items():
            value = computed.get(key, up)
            is_new = isinstance(up, Result) and not isinstance(value, Failed | Skipped)
            outcomes[key] = Result(value, up.content_hash) if is_new and isinstance(up, Result) else value
        return outcomes

    def shut_down(self) -> None:
        """Kill the worker processes, if there are any, and drop what was begun."""
        self._begun.clear()
        self._queue.close()
