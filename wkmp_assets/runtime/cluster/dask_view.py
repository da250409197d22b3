"""Who is in a cluster, and what each worker does."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wkmp_assets.errors import ClusterError
from wkmp_assets.runtime.cluster.dask_executor import connect, name_of
from wkmp_assets.runtime.cluster.dask_worker import ABOUT
from wkmp_assets.runtime.cluster.versions import find_difference


@dataclass(frozen=True)
class WorkerView:
    """One worker at one moment."""

    address: str
    slots: int
    roots: Mapping[str, str]
    """Where it has the music, by library id; the id `""` is any library."""
    finished: int
    """Tasks since its start."""
    files_per_s: float
    in_hand: tuple[str, ...]
    """Names of the files that it has, the first of which is measured now."""
    refused: str | None
    """Why it gets no files from this machine; None when it does."""


def look_at_cluster(address: str, versions: Mapping[str, str], interval_s: float) -> list[WorkerView]:
    """Return the workers of a cluster, by address.

    Parameters
    ----------
    address : str
        Of the scheduler.
    versions : mapping of str to str
        What a worker must have to be used from here.
    interval_s : float
        How long to count files.

    Raises
    ------
    ClusterError
        No scheduler answers.
    """
    client = connect(address)
    try:
        before = _identify(client)
        time.sleep(interval_s)
        after, in_hand = _identify(client), client.processing()
    finally:
        client.close()
    views = []
    for worker, found in sorted(after.items()):
        about, finished = found.get(ABOUT) or {}, _finished(found)
        since = finished - _finished(before.get(worker, found))
        views.append(
            WorkerView(
                worker,
                found["nthreads"],
                about.get("roots", {}),
                finished,
                since / interval_s if interval_s else 0.0,
                tuple(name_of(key) for key in in_hand.get(worker, ())),
                find_difference(about.get("versions"), versions),
            )
        )
    return views


def _identify(client: Any) -> dict[str, Any]:
    if client.scheduler is None:
        raise ClusterError("the scheduler is gone", "start it again")
    found: dict[str, Any] = client.sync(client.scheduler.identity, n_workers=-1)["workers"]
    return found


def _finished(worker: Mapping[str, Any]) -> int:
    return int(worker.get("metrics", {}).get(f"{ABOUT}_finished", 0))
