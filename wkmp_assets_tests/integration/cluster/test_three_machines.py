"""A scheduler and its machines: what goes wrong ends as the guide says, and the library equals the local one.

`make test-machines` runs this module alone. All tests share the machines, because each takes seconds of CPU to start.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import pytest

from wkmp_assets.errors import ClusterError
from wkmp_assets.orchestration.cluster import find_versions
from wkmp_assets.runtime.cluster.dask_view import WorkerView, look_at_cluster
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.integration.cluster import bad_decoder
from wkmp_assets_tests.integration.cluster.far_tasks import read
from wkmp_assets_tests.integration.cluster.machines import Machines, measuring_process
from wkmp_assets_tests.integration.cluster.test_object_store import rows_of
from wkmp_assets_tests.support.paths import ROOT, SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SEEING = ("one", "two", "three")
"""Machines that measure."""
BLIND, OTHER = "blind", "other"
"""One that does not see the music, and one with another version."""
NAMES = (*SEEING, BLIND, OTHER)
HERE, OTHER_VERSION = version("wkmp-assets"), "0.0.1"
REFUSED = f"it has wkmp-assets {OTHER_VERSION} instead of {HERE}; install the same version on both machines"
BAD = "~bad"
"""Folder of the files that go wrong. It is imported last."""
SEEN, UNSEEN = "seen.mp3", "elsewhere.mp3"
"""Files of another library. Only the machine that imports has the second."""
HANG_S = 34
"""A little longer than a machine may stand still, so that this is noticed first."""
LOOK_S = 0.2


class Network:
    """A scheduler and five machines around the one that has the sample library and imports it."""

    def __init__(self, folder: Path, services: ExitStack) -> None:
        self.machines = Machines(folder, services)
        self.music, self._folder, self._services = self.machines.music, folder, services
        copy_sample_library(self.music)
        self.other_library = folder / "other library"
        self.other_library.mkdir()
        for file in (SEEN, UNSEEN):
            (self.other_library / file).write_text("sound")
        self.mounts = {name: folder / f"mount of {name}" for name in NAMES}
        for name, mount in self.mounts.items():
            mount.mkdir()
            if name != BLIND:
                shutil.copytree(self.music, mount, copy_function=os.link, dirs_exist_ok=True)
                (mount / SEEN).hardlink_to(self.other_library / SEEN)
        self.scheduler = self.machines.scheduler()
        faults, other = folder / "faults", folder / "other packages"
        faults.mkdir()
        (faults / "sitecustomize.py").write_text(f"from {bad_decoder.__name__} import install\n\ninstall()\n")
        about = other / f"wkmp_assets-{OTHER_VERSION}.dist-info" / "METADATA"
        about.parent.mkdir(parents=True)
        about.write_text(f"Metadata-Version: 2.1\nName: wkmp-assets\nVersion: {OTHER_VERSION}\n")
        self.running = {
            name: self._start_worker(name, mount, other if name == OTHER else faults)
            for name, mount in self.mounts.items()
        }
        self.wait_for_all(1)

    def _start_worker(self, name: str, mount: Path, packages: Path) -> "subprocess.Popen[bytes]":
        address = self.machines.address
        return self.machines.start(
            name, "worker", address, "--root", str(mount), "--slots", "1", packages=packages
        )  # fmt: skip

    def start_scheduler_again(self) -> None:
        (self._folder / "scheduler" / "log").unlink()
        self.scheduler = self.machines.scheduler()

    def wait_for_all(self, times: int) -> None:
        """Wait until each machine has joined so often."""
        wait_until(lambda: all(len(self.machines.joined(name)) >= times for name in NAMES), "all machines have joined")

    def look(self) -> dict[str, WorkerView]:
        """Return what the machines do, by their names."""
        names = {str(mount): name for name, mount in self.mounts.items()}
        found = look_at_cluster(self.machines.address, find_versions(), 0.0)
        return {names[one.roots[""]]: one for one in found}

    def start_import(self, music: Path, home: str, **environment: str) -> "subprocess.Popen[str]":
        """Import a folder on a machine of its own."""
        own = self._folder / home
        own.mkdir(exist_ok=True)
        shutil.copy(ROOT / "dagster.yaml", own)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WKMP_", "DAGSTER_"))}
        process = subprocess.Popen(
            [sys.executable, "-m", "wkmp_assets.cli.main", "import", str(music)],
            env={**kept, "HOME": str(own), "DAGSTER_HOME": str(own), "PYTHONPATH": str(ROOT), **environment},
            cwd=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._services.callback(process.wait)
        self._services.callback(process.kill)
        return process

    def start_far_import(self) -> "subprocess.Popen[str]":
        """Import the music with the machines of the cluster."""
        limit = {"WKMP_WORKER_TIMEOUT_S": str(HANG_S)}
        return self.start_import(self.music, "importer", WKMP_CLUSTER=self.machines.address, **limit)

    def add_bad_files(self) -> None:
        """Copy files into the music that crash and hang where they are opened."""
        (self.music / BAD).mkdir()
        for name in (bad_decoder.CRASHES, bad_decoder.HANGS):
            (self.music / BAD / name).write_text("equal sizes")  # so they are hashed first, and no phase is tried alone
        for name in (*SEEING, OTHER):
            shutil.copytree(self.music / BAD, self.mounts[name] / BAD, copy_function=os.link)

    def freeze_at_work(self, name: str) -> list[psutil.Process]:
        """Stop a machine while it has files in hand; return its two processes, the measuring one last."""
        frozen: list[psutil.Process] = []

        def is_frozen_at_work() -> bool:
            if name not in (found := self.look()) or not found[name].in_hand:
                return False
            frozen[:] = [psutil.Process(self.running[name].pid), measuring_process(self.running[name])]
            for process in frozen:
                process.suspend()
            if self.look()[name].in_hand:
                return True
            for process in frozen:
                process.resume()
            return False

        wait_until(is_frozen_at_work, f"machine {name} has files in hand", look_every_s=LOOK_S)
        return frozen

    def end(self, *names: str) -> None:
        """End machines side by side. One that stands still goes on first, with all of its processes."""
        for name in names:
            if self.running[name].poll() is None:
                machine = psutil.Process(self.running[name].pid)
                for process in (*machine.children(recursive=True), machine):
                    process.resume()
            self.running[name].terminate()
        for name in names:
            self.running[name].wait()


def copy_sample_library(folder: Path) -> None:
    shutil.copytree(SAMPLE_LIBRARY, folder, ignore=shutil.ignore_patterns("wkmp.db*"), dirs_exist_ok=True)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with ExitStack() as services:
        made = Network(tmp_path_factory.mktemp("network"), services)
        yield made
        made.end(*NAMES)


def test_a_file_is_tried_on_every_machine_and_fails_by_name_when_none_sees_it(network: Network) -> None:
    folder = network.other_library
    settings = load_settings(library_root=folder, state_dir=folder, cluster=network.machines.address)
    with network.machines.pool(settings=settings) as pool:
        tasks = {file: (folder / file,) for file in (SEEN, UNSEEN)}
        found: dict[str, Any] = dict(pool.map_files("segments", read, tasks))
    assert found[SEEN] == "sound"
    assert (found[UNSEEN].phase, found[UNSEEN].code) == ("segments", "READ_ERROR")
    assert f"{UNSEEN}: no worker sees it (tcp://127.0.0.1:" in found[UNSEEN].message
    for name, mount in network.mounts.items():
        assert (f"{mount / UNSEEN}: No such file" in found[UNSEEN].message) == (name != OTHER)


def test_an_import_whose_scheduler_is_killed_ends_with_a_sentence_and_the_machines_wait_for_it(
    network: Network,
) -> None:
    process = network.start_far_import()

    def is_in_the_middle() -> bool:
        found = network.look()
        return sum(found[name].finished for name in SEEING) >= 2 and any(found[name].in_hand for name in SEEING)

    wait_until(is_in_the_middle, "some files are measured, and others in hand", look_every_s=LOOK_S)
    network.scheduler.kill()
    said, _ = process.communicate()
    assert process.returncode == 1, said
    gone = f"the scheduler at {network.machines.address} is gone. Files that were committed are in the library"
    assert gone in " ".join(said.split())
    assert "Traceback" not in said
    network.start_scheduler_again()
    network.wait_for_all(2)


def test_an_import_goes_on_while_machines_die_and_equals_the_local_one(network: Network, tmp_path: Path) -> None:
    """A worker is killed, a machine stands still, two do not measure, and two files go wrong."""
    network.add_bad_files()
    process = network.start_far_import()
    nanny, worker = network.freeze_at_work("one")
    network.freeze_at_work("two")  # before the other dies: a file may be lost with one worker, and fails with two
    worker.kill()
    nanny.resume()
    local_music = tmp_path / "music"
    copy_sample_library(local_music)
    local = network.start_import(local_music, "local")
    said, _ = local.communicate()
    assert local.returncode == 0, said
    said, _ = process.communicate()
    assert process.returncode == 1, said

    rows = rows_of(network.music / "wkmp.db")
    failed = {str(row[0]): row[1:] for row in rows["import_failures"]}
    bad = {path: failed.pop(path) for path in list(failed) if path.startswith(BAD)}
    rows["import_failures"] = [(path, *rest) for path, rest in failed.items()]
    assert rows == rows_of(local_music / "wkmp.db")

    assert {path: row[1] for path, row in bad.items()} == {
        f"{BAD}/{bad_decoder.CRASHES}": "WORKER_CRASHED",
        f"{BAD}/{bad_decoder.HANGS}": "TOOK_TOO_LONG",
    }
    for path in bad:
        assert path in "".join(said.split())

    found = network.look()
    assert found[BLIND].finished, "it was given files"
    assert {name: one.refused for name, one in found.items() if one.refused} == {OTHER: REFUSED}
    assert found[OTHER].finished == 0


def test_without_the_others_a_worker_of_another_version_ends_the_import_by_name(network: Network) -> None:
    network.end(*SEEING, BLIND)
    wait_until(lambda: set(network.look()) == {OTHER}, "the others are gone", look_every_s=LOOK_S)
    with network.machines.pool(max_wait_s=1) as pool, pytest.raises(ClusterError) as raised:
        dict(pool.map_files("segments", read, {"a.mp3": (network.music / "a.mp3",)}))
    assert re.search(rf"tcp://127\.0\.0\.1:\d+ is not used: {re.escape(REFUSED)}", str(raised.value))
