"""`make bench-cluster`: how well tasks that take as long as a decode fill the slots of a cluster.

Scheduler, workers and the process that asks for the work are processes of their own, as `wkmp` starts them. The tasks
sleep, so that more slots than CPUs can be measured: what is left is the cost of handing out and of taking results.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from wkmp_assets.cli.options import OUT
from wkmp_assets.orchestration.cluster import open_executor
from wkmp_assets.runtime.cluster.queue import ClusterQueue
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_process import WorkerLimits
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page

PAGE = ROOT / "docs" / "benchmarks" / "cluster.md"
TASK_S = 2.0
"""unit=s: about what a song of four minutes takes a worker."""
TASKS_PER_SLOT = 8
MIN_EFFICIENCY = 0.9
_VALUE_BYTES = 8_000
"""About what comes back of a file."""


def sleep_and_return(seconds: float) -> bytes:
    """Do nothing for as long as a decode takes; return as much as a file's values."""
    time.sleep(seconds)
    return os.urandom(_VALUE_BYTES)


@dataclass(frozen=True)
class Filling:
    """How the slots were filled."""

    slots: int
    tasks: int
    wall_s: float
    cpu_s: float
    """Of the process that asks."""

    @property
    def efficiency(self) -> float:
        """Files a second, as a share of what the slots could do."""
        return self.tasks * TASK_S / self.slots / self.wall_s


@contextmanager
def cluster(folder: Path, slots: int) -> Iterator[Settings]:
    """Run a scheduler and workers for the block, as a person starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with ExitStack() as processes:
        for name, *options in (
            ("scheduler", address, "--dashboard-port", "0"),
            ("worker", address, "--root", str(folder), "--slots", str(slots)),
        ):
            log = processes.enter_context((folder / f"{name}.log").open("w"))
            command = [sys.executable, "-m", "wkmp_assets.cli.main", name, *options]
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)})
            processes.callback(process.wait)
            processes.callback(process.terminate)
        joined = folder / "worker.log"
        wait_until(lambda: len(re.findall("has joined", joined.read_text())) >= slots, "all workers have joined")
        yield load_settings(library_root=folder, state_dir=folder / "state", cluster=address)


def fill(settings: Settings, slots: int) -> Filling:
    """Let the slots work, and measure."""
    control = RunControl()
    pool = WorkerPool(1, control, queue=ClusterQueue(control, WorkerLimits(), open_executor(settings)))
    try:
        dict(pool.map_files("warm up", sleep_and_return, {str(number): (0.0,) for number in range(2 * slots)}))
        tasks = {str(number): (TASK_S,) for number in range(TASKS_PER_SLOT * slots)}
        started, cpu = time.perf_counter(), time.process_time()
        dict(pool.map_files("sleep", sleep_and_return, tasks))
        return Filling(slots, len(tasks), time.perf_counter() - started, time.process_time() - cpu)
    finally:
        pool.shut_down()


def table_of(fillings: Sequence[Filling]) -> Table:
    """Tabulate how the slots were filled."""
    rows = [
        (
            str(one.slots),
            str(one.tasks),
            f"{one.tasks / one.wall_s:.1f}",
            f"{one.slots / TASK_S:.1f}",
            f"{one.efficiency:.2f}{'' if one.efficiency >= MIN_EFFICIENCY else ' **MISSED**'}",
            f"{1000 * one.cpu_s / one.tasks:.1f}",
        )
        for one in fillings
    ]
    columns = ("Slots", "Files", "Files/s", "Ideal", "Efficiency", "CPU of the main process, ms a file")
    return Table("Slots that are filled", columns, rows, f"At least {MIN_EFFICIENCY:.0%} of the ideal is expected.")


def main() -> None:
    """Measure, and write the page."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--slots", type=int, nargs="+", default=[4, 16, 64])
    chosen = arguments.parse_args()
    before, fillings = load_now(), []
    for slots in chosen.slots:
        with tempfile.TemporaryDirectory() as name, cluster(Path(name), slots) as settings:
            fillings.append(fill(settings, slots))
    introduction = (
        "`make bench-cluster` writes this page. A scheduler and workers run as `wkmp scheduler` and `wkmp worker`. "
        f"Each file sleeps for {TASK_S:.0f} s, about as long as a song takes, and returns {_VALUE_BYTES // 1000} KB. "
        "So more slots than CPUs can be measured, and what is missing from the ideal is the cost of the cluster. Other "
        "programs on the machine add to it: see the load below."
    )
    loads = [("before", before), ("after", load_now())]
    OUT.print(table_of(fillings).to_rich())
    tables = [table_of(fillings), describe_machine(loads, Path(tempfile.gettempdir()))]
    write_page(PAGE, "More than one machine", [introduction], tables)


if __name__ == "__main__":
    main()
