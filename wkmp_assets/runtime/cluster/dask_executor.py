"""Tasks on the workers of a Dask cluster."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dask
from distributed import Client, KilledWorker
from distributed import Future as DaskFuture
from distributed.security import Security

from wkmp_assets.errors import ClusterError, WorkerLostError
from wkmp_assets.runtime.cluster.dask_services import innermost
from wkmp_assets.runtime.cluster.dask_worker import ABOUT, run_task
from wkmp_assets.runtime.cluster.executor import TaskExecutor, TaskFuture
from wkmp_assets.runtime.cluster.parcels import Places, pack, unpack
from wkmp_assets.runtime.cluster.versions import find_difference

TASKS_PER_SLOT = 2
"""In hand of a worker: the second begins while the result of the first is on its way."""
_LOOK_UP_S = 1.0
"""unit=s: how often to ask the scheduler who is there."""
CONNECT_S = 10
"""unit=s: how long to wait for the scheduler."""
_MAX_TRIES = 5
_MAX_SILENT_LOOKS = 30
"""Looks in which a worker was not heard, before it is given up: its machine stands still. Looks count instead of time,
because this machine or the scheduler may have stood still as well. A file that hangs does not keep its worker from
being heard. Dask gives a worker up later: it looks twice a minute, then waits half a minute for the machine."""
_DOUBT_S = 3.0
"""unit=s: how long a lost task may be the sign of a scheduler that ends, because its workers leave before it does."""
_THREADS = 4
"""They fetch values and write down files that came back; the disk syncs several in about the time of one."""


@dataclass
class _Sent:
    """A task that a worker has."""

    task: TaskFuture
    there: DaskFuture[Any]
    lost: str = ""
    """Why it seems lost; empty: it does not."""
    lost_at: float = 0.0
    """unit=s: on the clock of `time.monotonic`."""


class DaskExecutor(TaskExecutor):
    """The workers of one scheduler.

    Every task names its worker, so Dask never tries one elsewhere by itself: a file that crashes costs one worker.

    Parameters
    ----------
    address : str
        Of the scheduler.
    places : Places
        The folders that tasks may name.
    versions : mapping of str to str
        What a worker must have.
    """

    def __init__(self, address: str, places: Places, versions: Mapping[str, str]) -> None:
        self._address = address
        self._places = places
        self._versions = dict(versions)
        self._client: Client | None = None
        self._lock = threading.RLock()
        self._slots: dict[str, int] = {}
        self._refused: dict[str, str] = {}
        self._heard: dict[str, tuple[float, int]] = {}
        """When the scheduler last heard each worker, on its own clock, and the number of looks since then."""
        self._sent: dict[str, _Sent] = {}
        self._topic = f"wkmp-{uuid.uuid4().hex}"
        self._threads: ThreadPoolExecutor | None = None
        self._is_closed = threading.Event()

    def open(self) -> None:
        """Connect to the scheduler; see the base class."""
        if self._client is not None:
            return
        self._client = connect(self._address)
        self._is_closed = threading.Event()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="takes results of the cluster")
        self._client.subscribe_topic(self._topic, self._note_start)
        self._look()
        threading.Thread(target=self._keep_looking, name="looks at the cluster", daemon=True).start()

    @property
    def slots(self) -> Mapping[str, int]:
        """Tasks that each usable worker runs at once, by its address."""
        return self._slots

    @property
    def refused(self) -> Mapping[str, str]:
        """Why other workers are not used, by address."""
        return self._refused

    @property
    def page(self) -> str | None:
        """Address of Dask's dashboard; None when it is not connected."""
        return self._client.dashboard_link if self._client else None

    def can_take(self, avoid: frozenset[str] = frozenset()) -> bool:
        """Tell whether a worker takes a task now; see the base class."""
        with self._lock:
            return self._find_free(avoid) is not None

    def _find_free(self, avoid: frozenset[str]) -> str | None:
        loads = {
            worker: sum(one.task.worker == worker for one in self._sent.values()) / slots
            for worker, slots in self._slots.items()
            if worker not in avoid
        }
        least = min(loads, key=lambda worker: loads[worker], default=None)
        return least if least is not None and loads[least] < TASKS_PER_SLOT else None

    def submit(self, function: Callable[..., Any], *arguments: Any, avoid: frozenset[str] = frozenset()) -> TaskFuture:
        """Give a task to the worker with the least in hand; see the base class."""
        parcel = pack(function, arguments, self._places)
        with self._lock:
            worker = self._find_free(avoid)
            if worker is None or self._client is None or self._threads is None:
                raise ClusterError("no worker takes a task", "import again")
            task, key = TaskFuture(worker), _make_key(arguments)
            there = self._client.submit(
                run_task, parcel, key, self._topic, key=key, workers=[worker], pure=False, retries=0
            )
            self._sent[key] = _Sent(task, there)
            threads = self._threads
        there.add_done_callback(lambda _there: _try_submit(threads, self._receive, key))
        return task

    def _note_start(self, event: tuple[float, str]) -> None:
        with self._lock:
            sent = self._sent.get(event[1])
        if sent is not None:
            sent.task.started_at = time.monotonic()
            self.on_change()

    def _receive(self, key: str) -> None:
        """Take the value of a finished task, or what became of it; in a thread of its own."""
        with self._lock:
            sent = self._sent.get(key)
        if sent is None:
            return
        try:
            error = sent.there.exception(timeout=CONNECT_S)
            value = unpack(sent.there.result(timeout=CONNECT_S), self._places) if error is None else None
        except (CancelledError, TimeoutError, OSError):
            self._doubt(sent, "its value is lost")
            return
        except BaseException as raised:  # noqa: BLE001 - raised by whoever waits
            error, value = raised, None
        if isinstance(error, KilledWorker):
            self._doubt(sent, sent.task.worker)
            return
        self._finish(key, value, error)

    def _doubt(self, sent: _Sent, why: str) -> None:
        """Let the next looks tell whether a task is lost with its worker, or with the scheduler."""
        if not sent.lost:
            sent.lost, sent.lost_at = why, time.monotonic()

    def _finish(self, key: str, value: Any, error: BaseException | None) -> None:
        with self._lock:
            sent = self._sent.pop(key, None)
        if sent is None:
            return
        with suppress(InvalidStateError):
            if error is None:
                sent.task.set_result(value)
            else:
                sent.task.set_exception(error)
        with suppress(Exception):  # the connection may be gone
            sent.there.cancel(msg="wkmp: no longer needed")

    def end(self, task: TaskFuture) -> None:
        """End a task together with its worker, which its nanny starts again; see the base class."""
        with self._lock:
            self._slots.pop(task.worker, None)  # no more tasks for it
            client = self._client
            keys = [key for key, sent in self._sent.items() if sent.task.worker == task.worker]
        threading.Thread(target=self._restart, args=(client, task.worker), daemon=True).start()
        for key in keys:
            self._finish(key, None, WorkerLostError(task.worker))

    def _restart(self, client: Client | None, worker: str) -> None:
        with suppress(Exception):  # it may be gone, and the scheduler too; the next look tells
            if client is not None:
                client.restart_workers([worker], raise_for_error=False)

    def _keep_looking(self) -> None:
        is_closed = self._is_closed
        while not is_closed.wait(_LOOK_UP_S):
            try:
                self._look()
            except Exception:  # noqa: BLE001 - of many kinds, when the connection is gone
                if is_closed.is_set():
                    return
            client = self._client
            if client is not None and client.status != "running":
                self._lose_all()
                return

    def _look(self) -> None:
        """Ask the scheduler who is there."""
        client = self._client
        if client is None or client.scheduler is None or client.status != "running":
            return
        found: dict[str, Any] = client.sync(client.scheduler.identity, n_workers=-1)["workers"]
        refused = {
            address: why
            for address, worker in found.items()
            if (why := find_difference((worker.get(ABOUT) or {}).get("versions"), self._versions))
        }
        usable = {
            address: worker["nthreads"]
            for address, worker in found.items()
            if address not in refused and worker["status"] == "running"
        }
        silent = self._find_silent({address: worker["last_seen"] for address, worker in found.items()})
        with self._lock:
            usable = {address: slots for address, slots in usable.items() if address not in silent}
            is_new = usable != self._slots or refused != self._refused
            self._slots, self._refused = usable, refused
            for sent in self._sent.values():
                if sent.task.worker not in found:
                    self._doubt(sent, "it is gone")
            believed = time.monotonic() - _DOUBT_S
            gone = {key: sent.lost for key, sent in self._sent.items() if sent.lost and sent.lost_at <= believed}
            gone |= {key: "it is not heard" for key, sent in self._sent.items() if sent.task.worker in silent}
        for key, why in gone.items():
            self._finish(key, None, WorkerLostError(why))
        if is_new or gone:
            self.on_change()

    def _find_silent(self, heard: Mapping[str, float]) -> set[str]:
        """Count this look, and return the workers that stand still."""
        before = self._heard
        self._heard = {
            address: (at, before[address][1] + 1 if address in before and before[address][0] == at else 0)
            for address, at in heard.items()
        }
        return {address for address, (_, looks) in self._heard.items() if looks >= _MAX_SILENT_LOOKS}

    def _lose_all(self) -> None:
        with self._lock:
            self._slots = {}
            keys = list(self._sent)
        for key in keys:
            gone = ClusterError(f"the scheduler at {self._address} is gone", "start it again, then import again")
            self._finish(key, None, gone)
        self.on_change()

    def close(self) -> None:
        """Drop all tasks and disconnect; see the base class."""
        self._is_closed.set()
        with self._lock:
            client, self._client = self._client, None
            threads, self._threads = self._threads, None
            sent = list(self._sent.values())
            self._sent, self._slots = {}, {}
        if client is not None:
            with suppress(Exception):  # the connection may be gone
                client.cancel([one.there for one in sent])
            with suppress(Exception):
                client.close(timeout=CONNECT_S)
        if threads is not None:
            threads.shutdown(wait=True, cancel_futures=True)


def connect(address: str) -> Client:
    """Return a client of a scheduler.

    Raises
    ------
    ClusterError
        It does not answer, or Dask's settings name no certificates for an encrypted one.
    """
    for name in ("distributed", "distributed.client"):  # Dask sets a level for each
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it says is told here, in a sentence
    with dask.config.set({"distributed.client.scheduler-info-interval": "1h"}):
        try:
            if urlsplit(address).scheme == "tls" and Security().get_connection_args("client")["ssl_context"] is None:
                raise ClusterError(
                    f"the scheduler at {address} needs certificates, and Dask's settings name none for a client",
                    "name them as docs/guide/cluster.md shows, then import again",
                )
            return _open_client(address)
        except (OSError, TimeoutError) as error:
            raise ClusterError(
                f"no scheduler answers at {address} ({innermost(error)})",
                "start it, correct the address, or import without a cluster",
            ) from error


def _open_client(address: str) -> Client:
    """Connect, again if need be: Dask asserts that the first message comes alone, and a busy scheduler sends two."""
    for _ in range(_MAX_TRIES):
        try:
            return Client(address, timeout=CONNECT_S, set_as_default=False, name="wkmp")
        except AssertionError:
            continue
    raise TimeoutError(f"it sent several messages at once, {_MAX_TRIES} times")


def _make_key(arguments: tuple[Any, ...]) -> str:
    """Return a name for a task that no other has; it ends with the name of its file."""
    file = next((one for one in arguments if isinstance(one, Path)), None)
    return f"wkmp-{uuid.uuid4().hex}-{file.name if file else ''}"


def name_of(key: str) -> str:
    """Return the name of the file of a task, from the name of the task."""
    return key.split("-", 2)[-1]


def _try_submit(threads: ThreadPoolExecutor, function: Callable[..., None], key: str) -> None:
    with suppress(RuntimeError):  # it is shut down
        threads.submit(function, key)
