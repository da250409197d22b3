"""Workers, files and schedulers that die in the middle, with every process of a cluster one of its own."""

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from wkmp_assets.errors import ClusterError
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.orchestration import cluster as cluster_module
from wkmp_assets.orchestration.cluster import find_versions
from wkmp_assets_tests.integration.cluster.machines import Machines, measuring_process
from wkmp_assets_tests.support.patience import wait_until

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with ExitStack() as services:
        made = Machines(tmp_path, services)
        made.scheduler()
        yield made


@pytest.fixture
def two(machines: Machines) -> Machines:
    for name in ("one", "two"):
        machines.worker(name)
    wait_until(lambda: machines.joined("one") and machines.joined("two"), "both workers have joined")
    return machines


def test_bad_files_fail_by_name_and_no_other_file_does(two: Machines) -> None:
    """One that crashes its worker, and one that hangs."""
    for number in range(12):
        two.add(f"{number:02}.mp3", f"sound {number}")
    two.add("crashes.mp3", "crash")
    two.add("hangs.mp3", "hang")
    with two.pool(file_s=15) as pool:
        found = two.read(pool)
    crashed, hung = found.pop("crashes.mp3"), found.pop("hangs.mp3")
    assert isinstance(crashed, Failed)
    assert (crashed.phase, crashed.code) == ("segments", "WORKER_CRASHED")
    assert isinstance(hung, Failed)
    assert hung.code == "TOOK_TOO_LONG"
    assert found == {f"{number:02}.mp3": f"sound {number}" for number in range(12)}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_files_of_a_worker_that_dies_or_stands_still_are_done_elsewhere(
    machines: Machines, how: signal.Signals
) -> None:
    first = machines.worker("one")
    wait_until(lambda: machines.joined("one"), "a worker has joined")
    machines.worker("two")
    wait_until(lambda: machines.joined("two"), "a worker has joined")
    for number in range(6):
        machines.add(f"{number}.mp3", "slow")
    with machines.pool() as pool:
        threading.Timer(1.0, lambda: measuring_process(first).send_signal(how)).start()
        assert machines.read(pool) == {f"{number}.mp3": "slow" for number in range(6)}


def test_a_worker_that_does_not_see_the_music_costs_no_file(machines: Machines, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    machines.worker("blind", empty)
    wait_until(lambda: machines.joined("blind"), "a worker has joined")
    for number in range(4):
        machines.add(f"{number}.mp3", "sound")
    with machines.pool() as pool:
        found = machines.read(pool)
        assert {outcome.code for outcome in found.values()} == {"READ_ERROR"}
        assert "0.mp3: no worker sees it (tcp://127.0.0.1:" in found["0.mp3"].message
        machines.worker("sees")
        wait_until(lambda: machines.joined("sees"), "a worker has joined")
        executor = pool._queue._executor  # type: ignore[attr-defined]
        wait_until(lambda: len(executor.slots) == 2, "it is seen")
        assert machines.read(pool) == {f"{number}.mp3": "sound" for number in range(4)}


def test_a_worker_of_another_version_gets_no_file(two: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    two.add("0.mp3", "sound")
    monkeypatch.setattr(cluster_module, "find_versions", lambda: {**find_versions(), "PyAV": "99.0"})
    with two.pool(max_wait_s=5) as pool, pytest.raises(ClusterError) as raised:
        two.read(pool)
    assert re.search(r"tcp://127\.0\.0\.1:\d+ is not used: it has PyAV [\d.]+ instead of 99\.0", str(raised.value))


def test_a_lost_scheduler_ends_the_import_and_the_next_goes_on(machines: Machines, tmp_path: Path) -> None:
    machines.worker("one")
    wait_until(lambda: machines.joined("one"), "a worker has joined")
    for number in range(6):
        machines.add(f"{number}.mp3", "slow")
    scheduler = next(
        one for one in psutil.Process().children() if "scheduler" in one.cmdline() and machines.address in one.cmdline()
    )
    with machines.pool() as pool:
        threading.Timer(1.0, scheduler.kill).start()
        with pytest.raises(ClusterError, match=r"is gone\. Files that were committed are in the library; start it"):
            machines.read(pool)
    (tmp_path / "scheduler" / "log").unlink()
    machines.scheduler()
    wait_until(lambda: len(machines.joined("one")) == 2, "the worker has joined again")
    with machines.pool() as pool:
        assert machines.read(pool) == {f"{number}.mp3": "slow" for number in range(6)}


def test_ctrl_c_while_workers_start_ends_them_without_a_traceback(machines: Machines) -> None:
    command = machines.worker("one")

    def find_starting() -> list[psutil.Process]:
        return [one for one in psutil.Process(command.pid).children() if "spawn_main" in " ".join(one.cmdline())]

    wait_until(lambda: len(find_starting()) == 1, "a worker starts")
    (starting,) = find_starting()
    blocked = re.search(r"^SigBlk:\s*([0-9a-f]+)$", Path(f"/proc/{starting.pid}/status").read_text(), re.MULTILINE)
    assert blocked is not None
    assert int(blocked[1], 16) & 1 << signal.SIGINT - 1
    for process in (starting, command):  # as a terminal does
        process.send_signal(signal.SIGINT)
    assert command.wait() == 0
    assert machines.log("one") == "The workers have ended.\n"
    assert not starting.is_running()
