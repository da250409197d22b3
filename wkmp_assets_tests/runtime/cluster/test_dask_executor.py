"""Tasks on Dask: who gets them, what returns, and what is lost with a worker or the scheduler. All are threads here."""

import asyncio
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner
from distributed.diagnostics.plugin import SchedulerPlugin

from wkmp_assets.cli import cluster as cluster_command
from wkmp_assets.cli.main import main
from wkmp_assets.errors import ClusterError, FileNotSeenError, UndecodableAudioError, WorkerLostError
from wkmp_assets.orchestration.cluster import find_versions
from wkmp_assets.orchestration.workers import open_workers
from wkmp_assets.runtime.cluster import dask_executor, dask_services
from wkmp_assets.runtime.cluster.dask_executor import DaskExecutor
from wkmp_assets.runtime.cluster.dask_services import WorkerPlan
from wkmp_assets.runtime.cluster.parcels import Places
from wkmp_assets.runtime.cluster.queue import ClusterQueue
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.clusters import DASK_IN_THREADS
from wkmp_assets_tests.support.dask_threads import DaskThreads, dask_threads
from wkmp_assets_tests.support.documented_json import undocumented_names
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until

pytestmark = [*DASK_IN_THREADS]

GATE = threading.Event()
"""Holds back `wait_at_gate`, whose worker is a thread of this process."""
VERSIONS = {"wkmp-assets": "1", "PyAV": "2"}


def read(file: Path) -> str:
    return file.read_text()


def wait_at_gate(file: Path) -> str:
    GATE.wait(PATIENCE_S)
    return file.read_text()


def fail(_file: Path) -> None:
    raise UndecodableAudioError("a.mp3", "no decoder gets any sound out of it")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_executor, "_LOOK_UP_S", 0.02)
    monkeypatch.setattr(dask_executor, "_DOUBT_S", 0.1)
    monkeypatch.setattr(dask_executor, "_MAX_SILENT_LOOKS", 10**6)  # a worker tells of itself twice a second


@pytest.fixture(scope="module")
def threads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskThreads]:
    with dask_threads(tmp_path_factory.mktemp("scratch")) as made:
        yield made
    gc.collect()  # of sockets that Dask leaves open, no later test is told


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "a.mp3").write_text("sound")
    return folder


@pytest.fixture
def executor(threads: DaskThreads, music: Path) -> Iterator[DaskExecutor]:
    made = make_executor(threads, music)
    yield made
    GATE.set()
    made.close()


def make_executor(threads: DaskThreads, music: Path) -> DaskExecutor:
    GATE.clear()
    made = DaskExecutor(threads.address, Places("0123abcd", music), VERSIONS)
    made.open()
    return made


@pytest.fixture
def worker(threads: DaskThreads, music: Path, executor: DaskExecutor) -> Iterator[Any]:
    made = threads.add_worker(music, VERSIONS)
    wait_until(lambda: made.address in executor.slots, "the executor sees the worker")
    yield made
    GATE.set()
    threads.do(made.close())
    wait_until(lambda: made.address not in executor.slots, "the executor sees that the worker is gone")


def test_values_and_errors_return_and_the_begin_is_told(executor: DaskExecutor, worker: Any, music: Path) -> None:
    executor.open()  # it is open
    changes: list[int] = []
    executor.on_change = lambda: changes.append(1)
    GATE.set()
    task = executor.submit(wait_at_gate, music / "a.mp3")
    assert task.result(PATIENCE_S) == "sound"
    assert task.worker == worker.address
    wait_until(lambda: changes and task.started_at, "the begin is told")
    with pytest.raises(UndecodableAudioError):
        executor.submit(fail, music / "a.mp3").result(PATIENCE_S)
    with pytest.raises(FileNotSeenError, match="No such file"):
        executor.submit(read, music / "gone.mp3").result(PATIENCE_S)
    assert executor.page is not None
    assert list(worker.plugins["wkmp"].mounts) == [""]


def test_a_worker_gets_two_tasks_and_no_third(executor: DaskExecutor, worker: Any, music: Path) -> None:
    assert not executor.can_take(avoid=frozenset({worker.address}))
    tasks = [executor.submit(wait_at_gate, music / "a.mp3") for _ in range(2)]
    assert not executor.can_take()
    with pytest.raises(ClusterError, match="no worker takes a task"):
        executor.submit(read, music / "a.mp3")
    GATE.set()
    assert [task.result(PATIENCE_S) for task in tasks] == ["sound", "sound"]


def test_who_has_what_in_hand_is_shown(
    threads: DaskThreads, executor: DaskExecutor, worker: Any, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_command, "_INTERVAL_S", 0.01)
    other = threads.add_worker(music, find_versions())
    try:
        task = executor.submit(wait_at_gate, music / "a.mp3")
        wait_until(lambda: task.started_at, "the task has begun")
        told = CliRunner().invoke(main, ["cluster", threads.address, "--json"])
        shown = CliRunner().invoke(main, ["cluster", threads.address])
    finally:
        GATE.set()
        threads.do(other.close())
    assert (told.exit_code, shown.exit_code) == (0, 0)
    found = json.loads(told.output)
    assert undocumented_names(found, "guide/cluster.md") == set()
    assert (found["schema"], found["slots"], len(found["workers"])) == (1, 1, 2)
    one = next(one for one in found["workers"] if one["address"] == worker.address)
    assert (one["in_hand"], one["roots"]) == (["a.mp3"], {"": str(music)})
    assert "PyAV 2 instead of" in one["refused"]
    said = " ".join(shown.output.split())
    assert "2 workers, 1 slots" in said
    assert "not used: it has" in said
    alone = CliRunner().invoke(main, ["cluster", threads.address])
    assert alone.exit_code == 1, "none can be used"


def test_a_cluster_without_workers_is_said(threads: DaskThreads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_command, "_INTERVAL_S", 0.0)
    monkeypatch.setenv("WKMP_CLUSTER", threads.address)
    shown = CliRunner().invoke(main, ["cluster"])
    assert (shown.exit_code, shown.output) == (1, "0 workers, 0 slots, 0.0 files/s\n")


def test_a_worker_of_another_version_is_refused(threads: DaskThreads, executor: DaskExecutor, music: Path) -> None:
    other = threads.add_worker(music, {**VERSIONS, "PyAV": "1"})
    wait_until(lambda: executor.refused, "it is seen")
    assert "PyAV 1 instead of 2" in executor.refused[other.address]
    assert not executor.slots
    threads.do(other.close())
    wait_until(lambda: not executor.refused, "it is gone")


def test_tasks_of_a_lost_worker_are_lost(threads: DaskThreads, executor: DaskExecutor, music: Path) -> None:
    lost = threads.add_worker(music, VERSIONS)
    wait_until(lambda: lost.address in executor.slots, "the executor sees the worker")
    tasks = [executor.submit(wait_at_gate, music / "a.mp3") for _ in range(2)]
    wait_until(lambda: any(task.started_at for task in tasks), "the task has begun")
    threads.do(threads.scheduler.remove_worker(lost.address, stimulus_id="test", expected=False, close=False))
    for task in tasks:
        with pytest.raises(WorkerLostError):
            task.result(PATIENCE_S)
    GATE.set()
    threads.do(lost.close())


def test_a_worker_that_stands_still_loses_its_tasks_and_is_used_again_when_it_is_heard(
    threads: DaskThreads, executor: DaskExecutor, worker: Any, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats = worker.periodic_callbacks["heartbeat"]
    task = executor.submit(wait_at_gate, music / "a.mp3")
    worker.loop.add_callback(beats.stop)
    wait_until(lambda: not beats.is_running(), "it stands still")
    monkeypatch.setattr(dask_executor, "_MAX_SILENT_LOOKS", 5)
    with pytest.raises(WorkerLostError, match="it is not heard"):
        task.result(PATIENCE_S)
    assert not executor.slots
    threads.do(worker.heartbeat())
    wait_until(lambda: worker.address in executor.slots, "it is heard again")
    monkeypatch.setattr(dask_executor, "_MAX_SILENT_LOOKS", 10**6)
    wait_until(lambda: worker.address in executor.slots, "it is used again")
    GATE.set()
    assert executor.submit(read, music / "a.mp3").result(PATIENCE_S) == "sound"


def test_a_value_that_is_lost_on_its_way_is_lost_with_its_worker(
    executor: DaskExecutor, worker: Any, music: Path
) -> None:
    task = executor.submit(wait_at_gate, music / "a.mp3")
    for one in list(executor._sent.values()):
        one.there.cancel()
    with pytest.raises(WorkerLostError, match="its value is lost"):
        task.result(PATIENCE_S)
    assert executor.slots == {worker.address: 1}


def test_an_import_opens_the_workers_of_its_cluster(threads: DaskThreads, music: Path, tmp_path: Path) -> None:
    settings = load_settings(library_root=music, state_dir=tmp_path / "state")
    pool = open_workers(replace(settings, cluster=threads.address), RunControl())
    assert isinstance(pool._queue, ClusterQueue)
    assert isinstance(pool._queue._executor, DaskExecutor)
    assert pool._queue._executor._address == threads.address
    pool.shut_down()


def test_a_machine_without_dask_is_told_what_to_install(threads: DaskThreads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # as Python does where a module may not be imported
    shown = CliRunner().invoke(main, ["cluster", threads.address])
    assert shown.exit_code == 2
    assert "pip install 'wkmp-assets[cluster]'" in " ".join(shown.output.split())


def test_a_worker_without_a_scheduler_says_so_and_tries_again(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_services, "JOIN_S", 0.1)
    monkeypatch.setattr(dask_services, "_RETRY_S", 0.0)
    plan = WorkerPlan("tcp://127.0.0.1:1", 1, {"": music}, 1000, scratch=tmp_path)
    said: list[str] = []

    async def until_said_twice() -> None:
        stop = asyncio.Event()

        def say(sentence: str) -> None:
            said.append(sentence)
            if len(said) == 2:
                stop.set()

        await dask_services.run_workers(plan, say, stop)

    asyncio.run(until_said_twice())
    assert all("No worker could join tcp://127.0.0.1:1 (" in one for one in said)


def test_a_worker_that_is_asked_to_end_while_it_starts_leaves_no_process(
    threads: DaskThreads, music: Path, tmp_path: Path
) -> None:
    of_others = psutil.Process().children()
    plan = WorkerPlan(threads.address, 1, {"": music}, 1000, scratch=tmp_path)

    def find_starting() -> list[psutil.Process]:
        children = [one for one in psutil.Process().children() if one not in of_others]
        return [one for one in children if one.is_running() and "spawn_main" in " ".join(one.cmdline())]

    async def until_it_starts() -> None:
        stop = asyncio.Event()
        service = asyncio.ensure_future(dask_services.run_workers(plan, print, stop))
        while not find_starting():
            await asyncio.sleep(0.01)
        stop.set()
        await service

    asyncio.run(until_it_starts())
    assert find_starting() == []


@pytest.mark.long
def test_workers_beyond_the_cpus_start_one_after_another(threads: DaskThreads, music: Path, tmp_path: Path) -> None:
    of_others = psutil.Process().children()
    plan = WorkerPlan(threads.address, 2, {"": music}, 1000, scratch=tmp_path, starting=1)
    started_at_join: list[int] = []

    async def until_both_have_joined() -> None:
        stop = asyncio.Event()

        def say(_sentence: str) -> None:
            children = [one for one in psutil.Process().children() if one not in of_others]
            started_at_join.append(sum("spawn_main" in " ".join(one.cmdline()) for one in children))
            if len(started_at_join) == 2:
                stop.set()

        await dask_services.run_workers(plan, say, stop)

    asyncio.run(until_both_have_joined())
    assert started_at_join == [1, 2]


def test_a_worker_that_is_ended_gets_no_more(executor: DaskExecutor, worker: Any, music: Path) -> None:
    tasks = [executor.submit(wait_at_gate, music / "a.mp3") for _ in range(2)]
    executor.end(tasks[0])
    for task in tasks:
        with pytest.raises(WorkerLostError, match=worker.address):
            task.result(PATIENCE_S)


def test_what_is_closed_drops_its_tasks_and_opens_again(executor: DaskExecutor, worker: Any, music: Path) -> None:
    executor.submit(wait_at_gate, music / "a.mp3")
    executor.close()
    assert executor.page is None
    with pytest.raises(ClusterError):
        executor.submit(read, music / "a.mp3")
    GATE.set()
    executor.open()
    wait_until(lambda: worker.address in executor.slots, "the executor sees the worker")
    assert executor.submit(read, music / "a.mp3").result(PATIENCE_S) == "sound"


class LeaveFirst(SchedulerPlugin):
    """Lets the workers leave a scheduler that ends, and the executor look, before it is gone."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler

    async def close(self) -> None:
        for address in list(self._scheduler.workers):
            await self._scheduler.remove_worker(address, stimulus_id="test", expected=False, close=False)
        await asyncio.sleep(20 * dask_executor._LOOK_UP_S)


@pytest.mark.parametrize("leave_first", [False, True])
def test_a_lost_scheduler_ends_all_tasks(
    leave_first: bool, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_executor, "_DOUBT_S", PATIENCE_S)
    GATE.clear()
    with dask_threads(tmp_path) as threads:
        if leave_first:
            threads.scheduler.add_plugin(LeaveFirst(threads.scheduler))
        executor = make_executor(threads, music)
        worker = threads.add_worker(music, VERSIONS)
        wait_until(lambda: worker.address in executor.slots, "the executor sees the worker")
        task = executor.submit(wait_at_gate, music / "a.mp3")
        threads.do(threads.scheduler.close())
        with pytest.raises(ClusterError, match=f"the scheduler at {threads.address} is gone"):
            task.result(PATIENCE_S)
        GATE.set()
        wait_until(lambda: not executor.slots, "its workers are gone with it")
        executor.close()


def test_an_encrypted_scheduler_needs_certificates(music: Path) -> None:
    with pytest.raises(ClusterError, match=r"tls://127\.0\.0\.1:1 needs certificates, and Dask's settings name none"):
        DaskExecutor("tls://127.0.0.1:1", Places("0123abcd", music), VERSIONS).open()


def test_a_busy_scheduler_whose_first_messages_come_together_is_asked_again(
    threads: DaskThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask's client asserts that the first message comes alone."""
    refusals = iter([True, True, False, *[True] * 9])
    real = dask_executor.Client

    def connect(*arguments: Any, **options: Any) -> Any:
        if next(refusals):
            raise AssertionError
        return real(*arguments, **options)

    monkeypatch.setattr(dask_executor, "Client", connect)
    with dask_executor.connect(threads.address) as client:
        assert client.scheduler_info()["address"] == threads.address
    with pytest.raises(ClusterError, match=r"no scheduler answers at .* \(it sent several messages at once"):
        dask_executor.connect(threads.address)


def test_no_scheduler_is_named(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_executor, "CONNECT_S", 0.1)
    with pytest.raises(ClusterError, match=r"no scheduler answers at tcp://127\.0\.0\.1:1 "):
        DaskExecutor("tcp://127.0.0.1:1", Places("0123abcd", music), VERSIONS).open()


@contextmanager
def ended_when_ready() -> Iterator[None]:
    """Ask the command of the main thread to end, as soon as it listens to that."""
    before, has_ended = signal.getsignal(signal.SIGTERM), threading.Event()

    def ask() -> None:
        while not has_ended.wait(0.02):
            if signal.getsignal(signal.SIGTERM) is not before:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join(PATIENCE_S)


def test_the_commands_of_a_cluster_end_when_they_are_asked(threads: DaskThreads, music: Path, tmp_path: Path) -> None:
    with ended_when_ready():
        scheduler = CliRunner().invoke(main, ["scheduler", "tcp://127.0.0.1:0", "--dashboard-port", "0"])
    assert (scheduler.exit_code, "The scheduler has ended." in scheduler.output) == (0, True)
    with ended_when_ready():
        options = ["--root", str(music), "--slots", "1", "--scratch", str(tmp_path / "made")]
        worker = CliRunner().invoke(main, ["worker", threads.address, *options])
    assert (worker.exit_code, "The workers have ended." in worker.output) == (0, True)


def test_ctrl_c_ends_a_service_and_no_process_that_it_starts() -> None:
    said: list[bytes] = []
    blocks = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))"

    async def service(stop: asyncio.Event) -> None:
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", blocks, stdout=asyncio.subprocess.PIPE)
        said.append((await child.communicate())[0])
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()

    dask_services.serve(service)
    assert said == [b"True\n"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_port_that_is_taken_is_named(threads: DaskThreads) -> None:
    taken = CliRunner().invoke(main, ["scheduler", threads.address, "--dashboard-port", "0"])
    assert taken.exit_code == 1
    assert f"the scheduler cannot listen on {threads.address}" in " ".join(taken.output.split())
