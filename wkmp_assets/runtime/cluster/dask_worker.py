"""A worker of a Dask cluster: its set-up and its tasks."""

import importlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from wkmp_assets.runtime.cluster.parcels import Mount, Returned, run_parcel
from wkmp_assets.runtime.worker_process import limit_memory

ABOUT = "wkmp"
"""Under which a worker tells the scheduler about itself."""


class SlotPlugin(WorkerPlugin):
    """Sets a worker up before it takes its first task.

    Parameters
    ----------
    mounts : mapping of str to Path or ObjectFolder
        Where the music is, by root id.
    memory_mb : int
        Limit of private memory, enforced by the kernel.
    modules : collection of str
        Names of modules to import now, so that the first files need not wait for it.
    """

    name = "wkmp"

    def __init__(self, mounts: Mapping[str, Mount], memory_mb: int, modules: Collection[str]) -> None:
        self.mounts = dict(mounts)
        self.memory_mb = memory_mb
        self.modules = tuple(modules)
        self.finished = 0
        """Tasks that this worker has done."""

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - the signature is Dask's
        """Set the limits, and import what the tasks need."""
        limit_memory(self.memory_mb * 1_000_000)
        for module in self.modules:
            importlib.import_module(module)


def run_task(parcel: bytes, key: str, topic: str) -> Returned:
    """Do one task on this worker, and say first that it has begun: whoever waits for it counts the time from then."""
    worker = get_worker()
    worker.log_event(topic, key)
    plugin: Any = worker.plugins[SlotPlugin.name]
    try:
        return run_parcel(parcel, plugin.mounts, Path(worker.local_directory))
    finally:
        plugin.finished += 1


def tell_about(worker: Worker, versions: Mapping[str, str]) -> dict[str, Any]:
    """Return what the scheduler is told about a worker when it joins."""
    plugin: Any = worker.plugins.get(SlotPlugin.name)
    roots = {name: str(mount) for name, mount in plugin.mounts.items()} if plugin else {}
    return {"versions": dict(versions), "roots": roots}


def count_finished(worker: Worker) -> int:
    """Return how many tasks a worker has done, for the scheduler."""
    plugin: Any = worker.plugins.get(SlotPlugin.name)
    return plugin.finished if plugin else 0
