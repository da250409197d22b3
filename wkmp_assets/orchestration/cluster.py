"""The cluster of a library: who may join it, and the queue for its workers. Needs `wkmp-assets[cluster]`."""

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from wkmp_assets.audio.chromaprint_library import library_version
from wkmp_assets.errors import SettingsError
from wkmp_assets.orchestration.music_objects import make_object_folder
from wkmp_assets.orchestration.workers import MODULES
from wkmp_assets.runtime.cluster.addresses import check_is_safe, find_address
from wkmp_assets.runtime.cluster.parcels import Mount, Places, StateFolder
from wkmp_assets.runtime.cluster.queue import ClusterQueue
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.state_files import SHARED
from wkmp_assets.runtime.worker_process import WorkerLimits
from wkmp_assets.runtime.worker_queue import WORKER_ENVIRONMENT
from wkmp_assets.settings import Settings, count_cpus

if TYPE_CHECKING:
    from wkmp_assets.runtime.cluster.dask_executor import DaskExecutor
    from wkmp_assets.runtime.cluster.dask_services import WorkerPlan
    from wkmp_assets.runtime.cluster.dask_view import WorkerView


def find_versions() -> dict[str, str]:
    """Return the versions of everything that decides what a worker measures."""
    return {
        "wkmp-assets": version("wkmp-assets"),
        "PyAV": version("av"),
        "numpy": version("numpy"),
        "Chromaprint": library_version(),
    }


def check_address(cluster: str, settings: Settings) -> str:
    """Return the address of a scheduler that may be used.

    Raises
    ------
    SettingsError
        It is no address, is not encrypted, or Dask is not installed.
    """
    try:
        import_module("distributed")
    except ImportError as error:
        raise SettingsError(
            "a cluster needs the package distributed: pip install 'wkmp-assets[cluster]' on every machine"
        ) from error
    address = find_address(cluster)
    check_is_safe(address, allow_insecure=settings.cluster_insecure)
    return address


def open_cluster_queue(settings: Settings, control: RunControl, limits: WorkerLimits) -> ClusterQueue:
    """Return the queue for the workers of WKMP_CLUSTER.

    Raises
    ------
    SettingsError
        As for `check_address`.
    """
    return ClusterQueue(control, limits, open_executor(settings))


def open_executor(settings: Settings) -> "DaskExecutor":
    """Return the workers of WKMP_CLUSTER; they are not connected yet.

    Raises
    ------
    SettingsError
        As for `check_address`.
    """
    address = check_address(settings.cluster or "", settings)
    from wkmp_assets.runtime.cluster.dask_executor import DaskExecutor

    return DaskExecutor(address, find_places(settings), find_versions())


def look_at_cluster(settings: Settings, cluster: str, interval_s: float) -> "list[WorkerView]":
    """Return who is in a cluster; see `dask_view.look_at_cluster`.

    Raises
    ------
    SettingsError
        As for `check_address`.
    """
    address = check_address(cluster, settings)
    from wkmp_assets.runtime.cluster.dask_view import look_at_cluster as look

    return look(address, find_versions(), interval_s)


def find_places(settings: Settings) -> Places:
    """Return the folders that tasks of a library may name."""
    return Places(
        settings.library_id,
        settings.library,
        (
            StateFolder("covers", settings.covers_path, returns=True, mode=SHARED),
            StateFolder("visits", settings.phase_dir, returns=True),
            StateFolder("cover_notes", settings.cover_notes_path, returns=False),
            StateFolder("pcm", settings.pcm_dir, returns=False),
        ),
    )


def serve_scheduler(settings: Settings, address: str, *, dashboard_port: int, say: Callable[[str], None]) -> None:
    """Run a scheduler until it is stopped; see `dask_services.run_scheduler`.

    Raises
    ------
    SettingsError
        As for `check_address`.
    """
    checked = check_address(address, settings)
    from wkmp_assets.runtime.cluster.dask_services import run_scheduler, serve

    serve(partial(run_scheduler, checked, dashboard_port, say))


def serve_workers(
    settings: Settings,
    cluster: str,
    mounts: Mapping[str, Path | str],
    *,
    slots: int,
    scratch: Path | None,
    say: Callable[[str], None],
) -> None:
    """Run workers until they are stopped; see `dask_services.run_workers`.

    Raises
    ------
    SettingsError
        As for `check_address`, or a mount is no folder.
    """
    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="wkmp-objects-", ignore_cleanup_errors=True) as cache:
        plan = plan_workers(settings, cluster, mounts, slots=slots, scratch=scratch, cache=Path(cache))
        from wkmp_assets.runtime.cluster.dask_services import run_workers, serve

        serve(partial(run_workers, plan, say))


def plan_workers(
    settings: Settings,
    cluster: str,
    mounts: Mapping[str, Path | str],
    *,
    slots: int,
    cache: Path,
    scratch: Path | None = None,
) -> "WorkerPlan":
    """Return what the workers of this machine are.

    Parameters
    ----------
    settings : Settings
        Of this machine.
    cluster : str
        Address of the scheduler.
    mounts : mapping of str to Path or str
        Root id -> folder or address of that music.
    slots : int
        Files at once.
    cache : Path
        Folder for what is fetched from object stores.
    scratch : Path, optional
        As for `WorkerPlan`.

    Raises
    ------
    SettingsError
        As for `serve_workers`.
    """
    address = check_address(cluster, settings)
    places: dict[str, Mount] = {}
    for name, mount in mounts.items():
        if isinstance(mount, str):
            places[name] = make_object_folder(mount, cache)
        elif mount.is_dir():
            places[name] = mount
        else:
            raise SettingsError(f"{mount} is no folder: mount the music there, or correct --root")
    from wkmp_assets.runtime.cluster.dask_services import WorkerPlan

    return WorkerPlan(
        address,
        slots,
        places,
        settings.worker_memory_mb,
        MODULES,
        find_versions(),
        WORKER_ENVIRONMENT,
        scratch,
        starting=count_cpus(),
    )
