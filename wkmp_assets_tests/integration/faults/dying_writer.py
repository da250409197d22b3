"""Processes that write to a library and are killed. Each is forked from a process with all modules loaded."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from wkmp_assets_tests.integration.faults.commits import KINDS, commit_units, committer_of
from wkmp_assets_tests.integration.faults.statement_faults import Moment, fault_at
from wkmp_assets_tests.support.patience import PATIENCE_S

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload([__name__])


def start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Run a function of a test module in a process of its own."""
    process = _FORKING.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def was_killed(process: BaseProcess) -> bool:
    """Wait for the end of a process; tell whether SIGKILL was the reason."""
    process.join(PATIENCE_S)
    exitcode = process.exitcode
    process.close()
    return exitcode == -signal.SIGKILL


def kill_oneself() -> None:
    """End this process as `kill -9` does; no cleanup runs."""
    os.kill(os.getpid(), signal.SIGKILL)


def commit_until_killed(database: Path, kind: str, index: int, moment: Moment) -> None:
    """Commit a run of files, and die at one statement."""
    with fault_at(index, moment, kill_oneself), committer_of(database) as committer:
        commit_units(committer, KINDS[kind].units)
