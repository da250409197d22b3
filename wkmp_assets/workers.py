"""Worker processes for what costs CPU: decoding, hashing, fingerprinting.

Processes, because decoding does not scale on threads (measured: two decoding threads run at half to once the speed of
one). The workers live as long as the run and are shared by its phases. A decoder that crashes takes one worker
down and is charged to the one file that crashes again when it is tried alone.
"""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from loky import get_reusable_executor
from loky.process_executor import BrokenProcessPool

from wkmp_assets.errors import AudioFileError
from wkmp_assets.outcomes import Failed, Outcome, Outcomes, Result, Skipped, SkipReason, join
from wkmp_assets.run_control import RunControl

_IDLE_S = 30
"""Idle workers end by themselves after this long, so none outlives its run for long."""


def _ignore_interrupts() -> None:
    """Ctrl-C reaches the whole process group; files in hand are to be finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class WorkerPool:
    """Runs one function over many files in worker processes.

    Parameters
    ----------
    workers : int, >= 1
        Number of processes.
    control : RunControl
        Told about each file; asked whether to stop.
    """

    def __init__(self, workers: int, control: RunControl) -> None:
        self._workers = workers
        self._control = control
        self._has_started = False

    def map_files(
        self, phase: str, function: Callable[..., Any], tasks: Mapping[str, tuple[Any, ...]]
    ) -> Iterator[tuple[str, Any | Failed | Skipped]]:
        """Yield each file's result as it finishes.

        Parameters
        ----------
        phase : str
            For failures and progress.
        function : callable
            Importable by the workers; called with the task's arguments. `AudioFileError` becomes `Failed`; any other
            exception is a programming error and propagates.
        tasks : mapping of str to tuple
            Partition key -> arguments, started in this order.

        Yields
        ------
        tuple of str and result
            Partition key and what the function returned, `Failed`, or `Skipped(INTERRUPTED)`.
        """
        waiting = list(tasks)
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

    def _run_until_broken(
        self,
        phase: str,
        function: Callable[..., Any],
        tasks: Mapping[str, tuple[Any, ...]],
        waiting: list[str],
        suspects: list[str],
    ) -> Iterator[tuple[str, Any | Failed]]:
        """Work through `waiting`; when a worker dies, put the files that were in hand into `suspects` and return."""
        executor = self._executor()
        in_hand: dict[Future[Any], str] = {}
        while (waiting and not self._control.is_stopping) or in_hand:
            # Few more in hand than workers: a crash then accuses few, and a stop ends soon.
            while waiting and len(in_hand) < self._workers + 1 and not self._control.is_stopping:
                try:
                    future = executor.submit(function, *tasks[waiting[0]])
                except BrokenProcessPool:  # a worker died since the last look; the files in hand will say so
                    if not in_hand:
                        return
                    break
                in_hand[future] = waiting.pop(0)
            done, _ = wait(in_hand, return_when=FIRST_COMPLETED)
            for future in done:
                key = in_hand.pop(future)
                error = future.exception()
                if isinstance(error, BrokenProcessPool):
                    suspects.append(key)
                else:
                    yield key, _outcome(phase, future)
            if suspects:
                for future, key in in_hand.items():
                    future.cancel()
                    suspects.append(key)
                return

    def _run_alone(self, phase: str, function: Callable[..., Any], key: str, task: tuple[Any, ...]) -> Any | Failed:
        """Try one file with nothing beside it, so that a crash has one culprit."""
        executor = self._executor()
        future = executor.submit(function, *task)
        wait([future])
        if isinstance(future.exception(), BrokenProcessPool):
            return Failed(
                phase,
                "WORKER_CRASHED",
                f"{key}: its worker process died twice while reading it (a crash in a decoder, or out of memory); "
                "check or re-encode the file, then import again",
            )
        return _outcome(phase, future)

    def compute(
        self,
        phase: str,
        keys: Iterable[str],
        upstream: Iterable[Outcomes[Any]],
        function: Callable[..., Any],
        arguments: Callable[..., tuple[Any, ...]],
    ) -> dict[str, Outcome[Any]]:
        """Apply a function, in workers, to every file whose earlier phases all have results; pass the rest on.

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
            Partition key -> outcome, for every key, in the order of `keys`.
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
        """End the worker processes, if there are any."""
        if self._has_started:
            self._executor().shutdown(wait=True, kill_workers=True)
            self._has_started = False

    def _executor(self) -> Any:
        self._has_started = True
        return get_reusable_executor(
            max_workers=self._workers, timeout=_IDLE_S, initializer=_ignore_interrupts, reuse=True
        )


def _outcome(phase: str, future: Future[Any]) -> Any | Failed:
    try:
        return future.result()
    except AudioFileError as error:
        return Failed(phase, error.code, str(error))
