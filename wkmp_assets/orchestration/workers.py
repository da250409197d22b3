"""The worker processes of a library.

Without Dagster, because the workers of `wkmp import` start while Dagster loads.
"""

from functools import partial
from importlib import import_module

from wkmp_assets.orchestration.music_objects import find_objects
from wkmp_assets.runtime.file_queue import FileQueue
from wkmp_assets.runtime.object_folder import run_at_hand
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_process import WorkerLimits
from wkmp_assets.runtime.worker_queue import WorkerQueue
from wkmp_assets.settings import Settings

MODULES = ("wkmp_assets.audio.file_visit",)
"""What the workers import at their start, so that the first files need not wait for it."""


def open_workers(settings: Settings, control: RunControl) -> WorkerPool:
    """Return a pool of workers, here or in the cluster, which the caller shuts down. The first task starts them.

    Raises
    ------
    MissingChromaprintError
        libchromaprint is not installed. Every worker would say so, with a traceback.
    SettingsError
        WKMP_CLUSTER or WKMP_MUSIC_URL is no address, is not encrypted, or needs a package that is not installed.
    LibraryRootError
        The folder of the library holds stand-ins, and WKMP_MUSIC_URL is not set.
    """
    import_module("wkmp_assets.audio.chromaprint_library")
    limits = WorkerLimits(memory_mb=settings.worker_memory_mb, file_s=settings.worker_timeout_s)
    objects = find_objects(settings)
    queue: FileQueue | None = None
    if settings.cluster is not None:
        cluster = import_module("wkmp_assets.orchestration.cluster")  # only there is Dask needed
        queue = cluster.open_cluster_queue(settings, control, limits)
    elif objects is not None:
        around = partial(run_at_hand, objects, settings.library)
        queue = WorkerQueue(settings.workers, control, limits, MODULES, around)
    return WorkerPool(settings.workers, control, limits, MODULES, queue)
