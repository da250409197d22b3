"""Processes on this machine: whose they are, and which of them are workers."""

from contextlib import suppress
from pathlib import Path

import psutil


def is_worker(process: psutil.Process) -> bool:
    """Tell whether a process is a living worker of a run; one that ends at this moment is none."""
    with suppress(psutil.Error):
        return "LokyProcess" in " ".join(process.cmdline())
    return False


def processes_of(home: Path) -> list[psutil.Process]:
    """Every living process with this DAGSTER_HOME: servers, runs and their workers inherit it, whoever started them."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            is_alive = process.status() != psutil.STATUS_ZOMBIE
            if is_alive and process.environ().get("DAGSTER_HOME") == str(home):
                found.append(process)
    return found
