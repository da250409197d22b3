"""Worker processes that stay for the next command of this process, because their start takes longer than a short file.

A command in this process starts and ends its own workers, as a person's does. Within `kept_workers` it is given those
of an earlier command instead, when it asks for the same; when it ends them and they are idle, they are kept.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any
from unittest.mock import patch

from loky.backend import resource_tracker as loky_resource_tracker
from loky.process_executor import ProcessPoolExecutor

from wkmp_assets.runtime import worker_queue

_KEPT: "defaultdict[tuple[object, ...], list[_KeptExecutor]]" = defaultdict(list)
"""What was asked for -> idle workers."""


class _KeptExecutor(ProcessPoolExecutor):
    key: tuple[object, ...] = ()

    def shutdown(self, wait: bool = True, kill_workers: bool = False) -> None:
        """Keep the workers, unless one is dead or still at work, which is why a run kills them."""
        if kill_workers and self._flags.broken is None and not self._pending_work_items:
            _KEPT[self.key].append(self)
        else:
            super().shutdown(wait=wait, kill_workers=kill_workers)


def _start_or_take(
    workers: int, *, timeout: int, initializer: Callable[..., None], initargs: tuple[Any, ...], env: Mapping[str, str]
) -> ProcessPoolExecutor:
    key = (workers, timeout, initializer, initargs, tuple(env.items()), os.geteuid())
    if kept := _KEPT[key]:
        return kept.pop()
    # They belong to no workplace, so that a test which looks for processes of its own does not find them.
    environment = {**env, "DAGSTER_HOME": ""}
    executor = _KeptExecutor(workers, timeout=timeout, initializer=initializer, initargs=initargs, env=environment)
    executor.key = key
    return executor


def _start_trackers() -> None:
    """Start what tracks the semaphores of workers, for as long as this process lives, as part of no workplace.

    A test that ended them with its servers would make the whole run of pytest fail at its end. It is done before a
    command begins, because the environment is that of all threads.
    """
    with patch.dict(os.environ, {"DAGSTER_HOME": ""}):
        loky_resource_tracker.ensure_running()
        resource_tracker.ensure_running()


@contextmanager
def kept_workers() -> Iterator[None]:
    """Let commands in this process take over each other's workers, within the block."""
    _start_trackers()
    with patch.object(worker_queue, "ProcessPoolExecutor", _start_or_take):
        yield


def end_kept_workers() -> None:
    """End all of them."""
    for key in list(_KEPT):
        for executor in _KEPT.pop(key):
            ProcessPoolExecutor.shutdown(executor, wait=True, kill_workers=True)
