"""Machines of a cluster, all on this one: each is a `wkmp` of its own with its own HOME, working folder and mount."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from wkmp_assets.orchestration.cluster import open_executor
from wkmp_assets.runtime.cluster.queue import ClusterQueue
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.runtime.worker_process import WorkerLimits
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.integration.cluster.far_tasks import read
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.patience import wait_until


class Machines:
    """A scheduler and workers, each a `wkmp` of its own with its own HOME, working folder and mount path."""

    def __init__(self, folder: Path, services: ExitStack, protocol: str = "tcp") -> None:
        self._folder, self._services = folder, services
        self.music = folder / "music"
        self.music.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"{protocol}://127.0.0.1:{free.getsockname()[1]}"
        self.settings = load_settings(library_root=self.music, state_dir=folder / "state", cluster=self.address)

    def add(self, name: str, text: str) -> None:
        (self.music / name).write_text(text)

    def start(self, name: str, *arguments: str, packages: Path | None = None) -> subprocess.Popen[bytes]:
        """Run `wkmp` on a machine; `packages` are found there before those of this machine."""
        home = self._folder / name
        home.mkdir(exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("WKMP_", "DAGSTER_"))}
        path = os.pathsep.join(str(folder) for folder in (packages, ROOT) if folder)
        environment |= {"HOME": str(home), "PYTHONPATH": path}
        log = (home / "log").open("ab")
        command = [sys.executable, "-m", "wkmp_assets.cli.main", *arguments]
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
        self._services.callback(log.close)
        self._services.callback(end, process)
        return process

    def scheduler(self) -> subprocess.Popen[bytes]:
        process = self.start("scheduler", "scheduler", self.address, "--dashboard-port", "0")
        wait_until(lambda: "listens on" in self.log("scheduler"), "the scheduler listens")
        return process

    def worker(self, name: str, root: Path | None = None) -> subprocess.Popen[bytes]:
        mount = self._folder / f"mount of {name}"
        if not mount.is_symlink():
            mount.symlink_to(root or self.music)
        return self.start(name, "worker", self.address, "--root", str(mount), "--slots", "1")

    def log(self, name: str) -> str:
        return (self._folder / name / "log").read_text()

    def joined(self, name: str) -> list[int]:
        """Return the ports of the workers that this machine has had."""
        return [int(port) for port in re.findall(r"has joined: t(?:cp|ls)://127\.0\.0\.1:(\d+)\.", self.log(name))]

    @contextmanager
    def pool(
        self, file_s: int = 600, max_wait_s: float = 1_800, settings: Settings | None = None
    ) -> Iterator[WorkerPool]:
        """The workers for an import with `settings`, which are those of the music folder if None."""
        control = RunControl()
        executor = open_executor(settings or self.settings)
        queue = ClusterQueue(control, WorkerLimits(file_s=file_s), executor, max_wait_s)
        pool = WorkerPool(1, control, queue=queue)
        try:
            yield pool
        finally:
            pool.shut_down()

    def read(self, pool: WorkerPool) -> dict[str, Any]:
        tasks = {path.name: (path,) for path in sorted(self.music.iterdir())}
        return dict(pool.map_files("segments", read, tasks))


def end(process: subprocess.Popen[bytes]) -> None:
    children = []
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for child in children:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue


def measuring_process(machine: subprocess.Popen[bytes]) -> psutil.Process:
    """Return the process of a machine that does the work, which its nanny watches."""
    found = [
        child for child in psutil.Process(machine.pid).children(recursive=True) if "spawn_main" in str(child.cmdline())
    ]
    assert len(found) == 1
    return found[0]
