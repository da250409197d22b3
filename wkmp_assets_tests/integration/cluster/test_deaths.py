"""Workers, files and schedulers that die in the middle, with every process of a cluster one of its own."""

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

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


def test_files_of_a_worker_that_stands_still_are_done_elsewhere(machines: Machines) -> None:
    """Its machine goes on, unlike that of `test_three_machines`."""
    first = machines.worker("one")
    wait_until(lambda: machines.joined("one"), "a worker has joined")
    machines.worker("two")
    wait_until(lambda: machines.joined("two"), "a worker has joined")
    for number in range(6):
        machines.add(f"{number}.mp3", "slow")
    with machines.pool() as pool:
        threading.Timer(1.0, lambda: measuring_process(first).suspend()).start()
        assert machines.read(pool) == {f"{number}.mp3": "slow" for number in range(6)}


def test_a_worker_that_does_not_see_the_music_costs_no_file(machines: Machines, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    machines.worker("blind", empty)
    wait_until(lambda: machines.joined("blind"), "a worker has joined")
    for number in range(4):
        machines.add(f"{number}.mp3", "sound")
    with machines.pool(max_wait_s=5) as pool:
        found = machines.read(pool)
        assert {outcome.code for outcome in found.values()} == {"READ_ERROR"}
        assert "0.mp3: no worker sees it (tcp://127.0.0.1:" in found["0.mp3"].message
        machines.worker("sees")
        wait_until(lambda: machines.joined("sees"), "a worker has joined")
        executor = pool._queue._executor  # type: ignore[attr-defined]  # of a cluster's queue
        wait_until(lambda: len(executor.slots) == 2, "it is seen")
        assert machines.read(pool) == {f"{number}.mp3": "sound" for number in range(4)}


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
