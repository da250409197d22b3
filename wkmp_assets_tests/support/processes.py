"""Processes on this machine: their Dagster home, and whether they are workers."""

from contextlib import suppress
from pathlib import Path

import psutil


def is_worker(process: psutil.Process) -> bool:
    """Tell whether a process is a living worker of a run; one that ends at this moment is not."""
    with suppress(psutil.Error):
        return "LokyProcess" in " ".join(process.cmdline())
    return False


def processes_of(home: Path) -> list[psutil.Process]:
    """Return every living process with this DAGSTER_HOME, which servers, runs and their workers inherit."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            is_alive = process.status() != psutil.STATUS_ZOMBIE
            if is_alive and process.environ().get("DAGSTER_HOME") == str(home):
                found.append(process)
    return found
