"""The sample library, measured by three machines of which some die meanwhile, equals the one measured here."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from wkmp_assets.orchestration.cluster import find_versions
from wkmp_assets.runtime.cluster.dask_view import look_at_cluster
from wkmp_assets_tests.integration.cluster.test_deaths import Machines, measuring_process
from wkmp_assets_tests.integration.cluster.test_object_store import rows_of, wkmp_import
from wkmp_assets_tests.support.library_rows import Rows
from wkmp_assets_tests.support.paths import ROOT, SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
NAMES = ("one", "two", "three")


class Library:
    """The sample library on the machine that imports, with a state folder beside it."""

    def __init__(self, folder: Path, services: ExitStack) -> None:
        self.machines = Machines(folder, services)
        self.music, self._home, self._services = self.machines.music, folder / "home", services
        shutil.copytree(SAMPLE_LIBRARY, self.music, ignore=shutil.ignore_patterns("wkmp.db*"), dirs_exist_ok=True)
        self.scheduler = self.machines.scheduler()
        self.workers = {name: self.machines.worker(name) for name in NAMES}
        wait_until(lambda: all(map(self.machines.joined, NAMES)), "all workers have joined")

    def start_import(self) -> "subprocess.Popen[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WKMP_", "DAGSTER_"))}
        own = {"DAGSTER_HOME": str(self._home), "PYTHONPATH": str(ROOT), "WKMP_CLUSTER": self.machines.address}
        self._home.mkdir(exist_ok=True)
        shutil.copy(ROOT / "dagster.yaml", self._home)
        process = subprocess.Popen(
            [sys.executable, "-m", "wkmp_assets.cli.main", "import", str(self.music)],
            env={**kept, **own}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._services.callback(process.wait)
        self._services.callback(process.kill)
        return process

    def wait_for_the_middle(self) -> None:
        """Wait until the machines have measured some files, and have others in hand."""

        def is_there() -> bool:
            found = look_at_cluster(self.machines.address, find_versions(), 0.0)
            return sum(one.finished for one in found) >= 3

        wait_until(is_there, "some files are measured")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with ExitStack() as services:
        yield Library(tmp_path, services)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The rows of an import without a cluster."""
    folder = tmp_path_factory.mktemp("local")
    music = folder / "music"
    shutil.copytree(SAMPLE_LIBRARY, music, ignore=shutil.ignore_patterns("wkmp.db*"))
    wkmp_import(music, folder / "home")
    return rows_of(music / "wkmp.db")


def test_a_library_measured_by_machines_that_die_equals_the_local_one(library: Library, local: Rows) -> None:
    process = library.start_import()
    library.wait_for_the_middle()
    measuring_process(library.workers["one"]).kill()
    measuring_process(library.workers["two"]).send_signal(signal.SIGSTOP)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert rows_of(library.music / "wkmp.db") == local


def test_an_import_whose_scheduler_is_killed_ends_with_a_sentence_and_the_next_goes_on(
    library: Library, local: Rows, tmp_path: Path
) -> None:
    process = library.start_import()
    library.wait_for_the_middle()
    library.scheduler.kill()
    said, _ = process.communicate()
    assert process.returncode == 1, said
    words = " ".join(said.split())
    assert f"the scheduler at {library.machines.address} is gone. Files that were committed are in the library" in words
    assert "Traceback" not in said
    (tmp_path / "scheduler/log").unlink()
    library.machines.scheduler()
    wait_until(lambda: len(library.machines.joined("one")) == 2, "a worker has joined again")
    again = library.start_import()
    said, _ = again.communicate()
    assert again.returncode == 0, said
    assert rows_of(library.music / "wkmp.db") == local
