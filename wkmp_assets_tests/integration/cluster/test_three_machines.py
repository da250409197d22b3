"""A scheduler and its machines: what goes wrong ends as the guide says, and the library equals the local one.

`make test-machines` runs this module alone. All tests share the machines, because each takes seconds of CPU to start.
"""

import os
import re
import shutil
import signal
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
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.orchestration.cluster import find_versions
from wkmp_assets.runtime.cluster.dask_view import WorkerView, look_at_cluster
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.integration.cluster.far_tasks import read
from wkmp_assets_tests.integration.cluster.machines import Machines, measuring_process
from wkmp_assets_tests.integration.cluster.test_object_store import rows_of
from wkmp_assets_tests.support.library_rows import paths_in
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
OTHER_VERSION = "0.0.1"
BAD = "bad"
"""Folder of files that go wrong, on all seeing machines."""
HANG_S = 6


class Network:
    """A scheduler and five machines around the sample library on the machine that imports."""

    def __init__(self, folder: Path, services: ExitStack) -> None:
        self.machines = Machines(folder, services)
        self.music, self._folder, self._services = self.machines.music, folder, services
        copy_sample_library(self.music)
        self.troubled = folder / "troubled"
        """Another library: all seeing machines have its folder of bad files, and none has the rest."""
        (self.troubled / BAD).mkdir(parents=True)
        self.mounts = {name: folder / f"mount of {name}" for name in NAMES}
        for name, mount in self.mounts.items():
            mount.mkdir()
            seen = [path for path in self.music.iterdir() if path.is_dir()] if name != BLIND else []
            for path in [*seen, *([self.troubled / BAD] if seen else [])]:
                (mount / path.name).symlink_to(path)
        packages = folder / "packages"
        about = packages / f"wkmp_assets-{OTHER_VERSION}.dist-info" / "METADATA"
        about.parent.mkdir(parents=True)
        about.write_text(f"Metadata-Version: 2.1\nName: wkmp-assets\nVersion: {OTHER_VERSION}\n")
        self.scheduler = self.machines.scheduler()
        self.running = {
            name: self.machines.start(
                name, "worker", self.machines.address, "--root", str(mount), "--slots", "1",
                packages=packages if name == OTHER else None,
            )
            for name, mount in self.mounts.items()
        }  # fmt: skip
        self.wait_for_all(1)

    def start_scheduler_again(self) -> None:
        (self._folder / "scheduler" / "log").unlink()
        self.scheduler = self.machines.scheduler()

    def wait_for_all(self, times: int) -> None:
        """Wait until each machine has joined so often."""
        wait_until(
            lambda: all(len(self.machines.joined(name)) >= times for name in NAMES), "all machines have joined"
        )

    def look(self) -> dict[str, WorkerView]:
        """Return what the machines do, by their names."""
        names = {str(mount): name for name, mount in self.mounts.items()}
        found = look_at_cluster(self.machines.address, find_versions(), 0.0)
        return {names[one.roots[""]]: one for one in found}

    def start_import(self, music: Path, home: str, **environment: str) -> "subprocess.Popen[str]":
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
        return self.start_import(self.music, "importer", WKMP_CLUSTER=self.machines.address)

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

        wait_until(is_frozen_at_work, f"machine {name} has files in hand")
        return frozen

    def end(self, *names: str) -> None:
        """End machines side by side."""
        for name in names:
            self.running[name].send_signal(signal.SIGCONT)
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


def test_bad_files_fail_by_name_and_no_other_file_does(network: Network) -> None:
    """One that no machine sees, one that crashes its worker, and one that hangs; a blind machine gets files too."""
    texts = {f"{number}.mp3": f"sound {number}" for number in range(12)}
    for name, text in {**texts, "crashes.mp3": "crash", "hangs.mp3": "hang"}.items():
        (network.troubled / BAD / name).write_text(text)
    (network.troubled / "elsewhere.mp3").write_text("sound")
    settings = load_settings(
        library_root=network.troubled, state_dir=network.troubled, cluster=network.machines.address
    )

    def find_task(name: str) -> tuple[Path]:
        return (network.troubled / BAD / name,)

    with network.machines.pool(HANG_S, settings=settings) as pool:
        found: dict[str, Any] = dict(
            pool.map_files(
                "segments",
                read,
                {**{name: find_task(name) for name in texts}, "elsewhere.mp3": (network.troubled / "elsewhere.mp3",)},
            )
        )
        unseen = found.pop("elsewhere.mp3")
        assert found == texts
        assert isinstance(unseen, Failed)
        assert (unseen.phase, unseen.code) == ("segments", "READ_ERROR")
        assert "elsewhere.mp3: no worker sees it (tcp://127.0.0.1:" in unseen.message
        for name in (*SEEING, BLIND):
            assert f"{network.mounts[name] / 'elsewhere.mp3'}: No such file" in unseen.message
        assert OTHER not in unseen.message
        everything = sorted([*texts, "crashes.mp3", "hangs.mp3"])
        found = dict(pool.map_files("segments", read, {name: find_task(name) for name in everything}))
    crashed, hung = found.pop("crashes.mp3"), found.pop("hangs.mp3")
    assert found == texts
    assert isinstance(crashed, Failed)
    assert (crashed.phase, crashed.code) == ("segments", "WORKER_CRASHED")
    assert isinstance(hung, Failed)
    assert (hung.phase, hung.code) == ("segments", "TOOK_TOO_LONG")


def test_an_import_whose_scheduler_is_killed_ends_with_a_sentence_and_the_machines_wait_for_it(
    network: Network,
) -> None:
    address, database = network.machines.address, network.music / "wkmp.db"
    process = network.start_far_import()

    def is_in_the_middle() -> bool:
        return database.exists() and bool(paths_in(database)) and any(one.in_hand for one in network.look().values())

    wait_until(is_in_the_middle, "some files are committed, and others in hand")
    network.scheduler.kill()
    said, _ = process.communicate()
    assert process.returncode == 1, said
    words = " ".join(said.split())
    assert f"the scheduler at {address} is gone. Files that were committed are in the library" in words
    assert "Traceback" not in said
    assert paths_in(database)
    network.start_scheduler_again()
    network.wait_for_all(2)


def test_an_import_goes_on_while_machines_die_and_equals_the_local_one(network: Network, tmp_path: Path) -> None:
    """One worker is killed, another machine stands still, a third is blind, and a fourth has another version."""
    process = network.start_far_import()
    nanny, worker = network.freeze_at_work("one")
    worker.kill()
    nanny.resume()
    network.freeze_at_work("two")
    local_music = tmp_path / "music"
    copy_sample_library(local_music)
    local = network.start_import(local_music, "local")
    for one in (local, process):
        said, _ = one.communicate()
        assert one.returncode == 0, said
    assert rows_of(network.music / "wkmp.db") == rows_of(local_music / "wkmp.db")
    found = network.look()
    assert found["three"].finished
    assert found[BLIND].finished
    assert found[OTHER].finished == 0
    assert {name for name, one in found.items() if one.refused} == {OTHER}
    here = version("wkmp-assets")
    assert f"it has wkmp-assets {OTHER_VERSION} instead of {here}; install the same" in str(found[OTHER].refused)


def test_without_the_others_a_worker_of_another_version_ends_the_import_by_name(network: Network) -> None:
    network.end(*SEEING, BLIND)
    wait_until(lambda: set(network.look()) == {OTHER}, "the others are gone")
    with network.machines.pool(max_wait_s=1) as pool, pytest.raises(ClusterError) as raised:
        dict(pool.map_files("segments", read, {"a.mp3": (network.music / "a.mp3",)}))
    expected = rf"tcp://127\.0\.0\.1:\d+ is not used: it has wkmp-assets {OTHER_VERSION} instead of {version('wkmp-assets')}"
    assert re.search(expected, str(raised.value))
