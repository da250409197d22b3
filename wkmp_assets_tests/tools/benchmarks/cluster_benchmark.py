"""`make bench-cluster`: how a cluster fills its slots, and what a real import takes in it beside the local workers.

Scheduler, workers and the process that asks for the work are processes of their own, as `wkmp` starts them. The real
import is limited by CPUs, so it has no more slots than the machine has. For more slots the tasks sleep as long as a
decode takes: what is left is the cost of handing out and of taking results.
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
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from wkmp_assets.cli.options import OUT
from wkmp_assets.orchestration.cluster import open_executor
from wkmp_assets.runtime.cluster.queue import ClusterQueue
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_process import WorkerLimits
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.tools.benchmarks.machine import describe_machine, load_now
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import (
    DOCS,
    HUNDRED_FILES,
    MusicFile,
    NoMusicError,
    find_music,
    link_library,
)
from wkmp_assets_tests.tools.benchmarks.sleeping_tasks import VALUE_BYTES, sleep_and_return
from wkmp_assets_tests.tools.benchmarks.watched_import import Place, Watched, watch_import

TASK_S = 2.0
"""unit=s: about what a song of four minutes takes a worker."""
TASKS_PER_SLOT = 8
MIN_EFFICIENCY = 0.9
MAX_SLOWER = 1.1
"""Time of an import in the cluster, in times of that with as many local workers."""
_LOCAL, _CLUSTER = "local", "cluster"


@dataclass(frozen=True)
class Filling:
    """How the slots were filled."""

    slots: int
    tasks: int
    wall_s: float
    cpu_s: float
    """Of the process that asks."""
    services_cpu_s: float
    """Of the scheduler, the workers and what watches them, meanwhile."""
    worker_mb: float
    """Memory of one worker that no other process shares; the median."""

    @property
    def efficiency(self) -> float:
        """Files a second, as a share of what the slots could do."""
        return self.tasks * TASK_S / self.slots / self.wall_s


@dataclass
class Imports:
    """Imports with as many slots here as in the cluster, in turns."""

    slots: int
    seen: dict[str, list[Watched]] = field(default_factory=lambda: {_LOCAL: [], _CLUSTER: []})

    def median_of(self, where: str, name: str) -> float:
        """Return the median of a figure of `Watched`."""
        return median(float(getattr(one, name)) for one in self.seen[where])

    def ratio(self, name: str) -> float:
        """Return a figure of the cluster, in times of that of the local workers."""
        return self.median_of(_CLUSTER, name) / (self.median_of(_LOCAL, name) or 1.0)


@dataclass(frozen=True)
class Cluster:
    """A scheduler and workers, as a person starts them."""

    address: str
    services: tuple[psutil.Process, ...]
    """The two commands."""

    def find_processes(self) -> list[psutil.Process]:
        """Return the commands and what they started."""
        return [one for service in self.services for one in (service, *service.children(recursive=True))]

    def cpu_s(self) -> float:
        """Return the CPU that its living processes have taken."""
        return sum(times.user + times.system for one in self.find_processes() for times in [one.cpu_times()])

    def worker_mb(self) -> float:
        """Return the memory of one worker that no other process shares, in MB; the median."""
        workers = [one for one in self.find_processes() if "spawn_main" in " ".join(one.cmdline())]
        return median(one.memory_full_info().uss for one in workers) / 1e6


@contextmanager
def cluster(folder: Path, slots: int, music: Path) -> Iterator[Cluster]:
    """Run a scheduler and workers for the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WKMP_", "DAGSTER_"))}
    with ExitStack() as ends:
        services = []
        for name, *options in (
            ("scheduler", address, "--dashboard-port", "0"),
            ("worker", address, "--root", str(music), "--slots", str(slots)),
        ):
            log = ends.enter_context((folder / f"{name}.log").open("w"))
            command = [sys.executable, "-m", "wkmp_assets.cli.main", name, *options]
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**environment, "HOME": str(folder)})
            ends.callback(process.wait)
            ends.callback(process.terminate)
            services.append(psutil.Process(process.pid))
        joined = folder / "worker.log"
        wait_until(lambda: len(re.findall("has joined", joined.read_text())) >= slots, "all workers have joined")
        yield Cluster(address, tuple(services))


def fill(made: Cluster, settings: Settings, slots: int) -> Filling:
    """Let the slots work, and measure."""
    control = RunControl()
    pool = WorkerPool(1, control, queue=ClusterQueue(control, WorkerLimits(), open_executor(settings)))
    try:
        dict(pool.map_files("warm up", sleep_and_return, {str(number): (0.0,) for number in range(2 * slots)}))
        tasks = {str(number): (TASK_S,) for number in range(TASKS_PER_SLOT * slots)}
        of_services = made.cpu_s()
        started, cpu = time.perf_counter(), time.process_time()
        dict(pool.map_files("sleep", sleep_and_return, tasks))
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
        return Filling(slots, len(tasks), wall_s, cpu_s, made.cpu_s() - of_services, made.worker_mb())
    finally:
        pool.shut_down()


def fill_slots(slots: int) -> Filling:
    """Start a cluster, and measure how tasks fill it."""
    with tempfile.TemporaryDirectory(prefix="wkmp-cluster-") as name:
        folder = Path(name)
        with cluster(folder, slots, folder) as made:
            settings = load_settings(library_root=folder, state_dir=folder / "state", cluster=made.address)
            return fill(made, settings, slots)


def choose_music(files: Sequence[MusicFile], count: int) -> list[MusicFile]:
    """Return files of every kind from the whole length of a list; no copies, which are not measured."""
    own_content = [file for file in files if file.kind != "duplicate"]
    return own_content[:: max(1, len(own_content) // count)][:count]


def compare_imports(files: Sequence[MusicFile], slots: Sequence[int], rounds: int) -> list[Imports]:
    """Import the same files with local workers and in a cluster, in turns."""
    compared = [Imports(number) for number in slots]
    with tempfile.TemporaryDirectory(prefix="wkmp-cluster-") as name:
        folder = Path(name)
        music = link_library(list(files), folder / "music")
        for turn in range(rounds):
            for one in compared:
                for where in (_LOCAL, _CLUSTER) if turn % 2 == 0 else (_CLUSTER, _LOCAL):
                    one.seen[where].append(_import(music, folder, one.slots, where))
                    OUT.print(f"{one.slots} slots, {where}, {turn + 1} of {rounds}: {one.seen[where][-1].wall_s:.1f} s")
    return compared


def _import(music: Path, folder: Path, slots: int, where: str) -> Watched:
    place = Place(music, folder / "import", slots)
    place.renew()
    with ExitStack() as services:
        if where == _CLUSTER:
            place.cluster = services.enter_context(cluster(folder, slots, music)).address
        seen = watch_import(place)
    if seen.status or not seen.files:
        raise RuntimeError(f"the import ended with status {seen.status}:\n{seen.output}")
    return seen


def imports_table(compared: Sequence[Imports], files: int) -> Table:
    """Tabulate the imports."""
    rows = []
    for one in compared:
        for where in (_LOCAL, _CLUSTER):
            walls = [seen.wall_s for seen in one.seen[where]]
            is_far = where == _CLUSTER
            rows.append(
                (
                    f"{one.slots}, {where}",
                    f"{median(walls):.1f} ({min(walls):.1f} to {max(walls):.1f})",
                    _beside_local(one.ratio("wall_s")) if is_far else "-",
                    f"{one.median_of(where, 'first_s'):.1f}",
                    f"{one.median_of(where, 'committing_s'):.1f}",
                    _beside_local(one.ratio("committing_s")) if is_far else "-",
                    f"{one.median_of(where, 'cpu_s'):.1f}",
                )
            )
    columns = (
        "Slots", "Whole command, s", "/ local", "First commit, s", "First to last commit, s", "/ local",
        "CPU of the main process, s",
    )  # fmt: skip
    turns = min((len(one.seen[_LOCAL]) for one in compared), default=0)
    reading = (
        f"Medians of {turns} imports of {files} files, taken in turns, with the lowest and the highest. At most "
        f"{MAX_SLOWER:.1f} times local is expected. The workers of a cluster run already when an import begins, and "
        "local ones start with it. So the time from the first commit to the last stands beside the whole."
    )
    return Table("A real import", columns, rows, reading)


def _beside_local(ratio: float) -> str:
    return f"{ratio:.2f}{'' if ratio <= MAX_SLOWER else ' **MISSED**'}"


def slots_table(fillings: Sequence[Filling]) -> Table:
    """Tabulate how the slots were filled."""
    rows = [
        (
            str(one.slots),
            str(one.tasks),
            f"{one.tasks / one.wall_s:.1f}",
            f"{one.slots / TASK_S:.1f}",
            f"{one.efficiency:.2f}{'' if one.efficiency >= MIN_EFFICIENCY else ' **MISSED**'}",
            f"{1000 * one.cpu_s / one.tasks:.1f}",
            f"{one.services_cpu_s / one.wall_s:.2f}",
            f"{one.worker_mb:.0f}",
        )
        for one in fillings
    ]
    columns = (
        "Slots", "Files", "Files/s", "Ideal", "Efficiency", "CPU of the main process, ms a file",
        "CPUs of the scheduler and all workers", "MB of a worker",
    )  # fmt: skip
    reading = (
        f"At least {MIN_EFFICIENCY:.0%} of the ideal is expected. Each slot is a worker process of its own, and all "
        "are on this machine. In a real cluster their share of the CPU lies on the machines that help."
    )
    return Table("Slots that are filled", columns, rows, reading)


def publish(page: Path, compared: Sequence[Imports], files: int, fillings: Sequence[Filling], before: str) -> None:
    """Write the page with what has been measured so far."""
    introduction = (
        "`make bench-cluster` writes this page. Scheduler and workers run as `wkmp scheduler` and `wkmp worker`, and "
        "the imports as `wkmp import`, all on one machine."
    )
    sleeping = (
        f"To fill more slots than there are CPUs, each file sleeps for {TASK_S:.0f} s, about as long as a song takes, "
        f"and returns {VALUE_BYTES // 1000} KB. What is missing from the ideal is the cost of the cluster. Other "
        "programs on the machine add to it: see the load below."
    )
    loads = [("before", before), ("after", load_now())]
    tables = [imports_table(compared, files)] if compared else []
    tables += [slots_table(fillings)] if fillings else []
    tables.append(describe_machine(loads, Path(tempfile.gettempdir())))
    write_page(page, "More than one machine", [introduction, sleeping], tables)


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write the page after each part; return the exit status: 1 when there is no music, else 0."""
    options = _arguments(arguments)
    try:
        files = choose_music(find_music(options.music, subset=False), options.files)
    except NoMusicError as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    before, started = load_now(), time.monotonic()
    compared = compare_imports(files, options.import_slots, options.rounds)
    publish(options.out, compared, len(files), [], before)
    OUT.print(imports_table(compared, len(files)).to_rich())
    fillings: list[Filling] = []
    for slots in options.slots:
        fillings.append(fill_slots(slots))
        publish(options.out, compared, len(files), fillings, before)
    OUT.print(slots_table(fillings).to_rich())
    OUT.print(f"Written: {options.out}, after {time.monotonic() - started:.0f} s")
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, nargs="*", default=[4, 16, 64], help="of the tasks that sleep")
    parser.add_argument("--import-slots", type=int, nargs="*", default=[1, 2], help="of the imports")
    parser.add_argument("--rounds", type=int, default=3, help="imports of each kind")
    parser.add_argument("--music", type=Path, default=HUNDRED_FILES, help="folder of music to import from")
    parser.add_argument("--files", type=int, default=24, help="how many of its files")
    parser.add_argument("--out", type=Path, default=DOCS / "cluster.md", help="the page")
    options = parser.parse_args(arguments)
    options.music = options.music.absolute()
    return options


if __name__ == "__main__":
    raise SystemExit(main())
