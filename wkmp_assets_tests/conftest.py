"""Fixtures of the whole suite.

What is slow to import (Dagster, an HTTP server) is imported by the fixtures that need it.
"""

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import is_hypothesis_test
from hypothesis import settings as hypothesis_settings

from wkmp_assets_tests.support.paths import TESTS
from wkmp_assets_tests.tools.plan import PLAN_TESTS

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from wkmp_assets.runtime.phase_store import PhaseStore
    from wkmp_assets.runtime.worker_pool import WorkerPool
    from wkmp_assets.settings import Settings
    from wkmp_assets_tests.support.checked_library import CheckedLibrary
    from wkmp_assets_tests.support.music_services import MusicServices

NOBODY = 65534

# With three processes on two processors, numpy's threads would wait for each other by spinning: flavors took six times
# the time. Workers have the same setting. It must be there before numpy is imported.
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

# A worker of xdist sets it to 80, and a console that is made while it is set always keeps that width. Other conftest
# files make consoles when they are imported, so it goes here, before them.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.pop("COLUMNS", None)


# No deadline: the machine may stall at any time. `make test-long` takes the tests with examples once more, with many.
hypothesis_settings.register_profile("short", max_examples=20, deadline=None)
hypothesis_settings.register_profile("long", max_examples=1_000, deadline=None)
hypothesis_settings.load_profile("long" if os.environ.get("WKMP_TEST_LONG") else "short")


def pytest_configure(config: pytest.Config) -> None:
    """Register the plan's test ids as markers, and let tests set the width of the terminal."""
    import_module("wkmp_assets.cli.options")  # which makes the consoles of `wkmp`
    for test in PLAN_TESTS:
        config.addinivalue_line("markers", f"{test.id}: {test.text} ({test.requirement})")


def pytest_sessionstart() -> None:
    """Collect the tests without garbage collection: what is made meanwhile stays, and going through it takes long."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let later garbage collections pass over the modules and the tests."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test with the ids that ask for a run of the whole suite, and sort the tests.

    The longest tests come first, so that no process of xdist ends long before the others.
    """
    integration = f"{TESTS / 'integration'}{os.sep}"
    for item in items:
        if str(item.path).startswith(integration):
            item.add_marker("integration")
        for test in PLAN_TESTS:
            if test.is_whole_suite:
                item.add_marker(test.id)
        if is_hypothesis_test(getattr(item, "obj", None)) and os.environ.get("WKMP_TEST_LONG"):
            item.add_marker("long")
        if item.get_closest_marker("cluster") and not os.environ.get("WKMP_TEST_CLUSTER"):
            item.add_marker(pytest.mark.skip(reason="part of `make test-cluster` only"))
        if item.get_closest_marker("long") and not _takes_long(item):
            item.add_marker(pytest.mark.skip(reason="part of `make test-long` only"))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("integration", "slow")])


def _takes_long(item: pytest.Item) -> bool:
    """Tell whether the run includes a test that takes long: `make test-long`, and all faults in `make test-faults`."""
    is_fault = item.path.is_relative_to(TESTS / "integration" / "faults")
    return bool(os.environ.get("WKMP_TEST_LONG") or (is_fault and os.environ.get("WKMP_TEST_KILLS")))


def pytest_sessionfinish() -> None:
    """End the workers that commands in this process shared, if there were any."""
    if kept := sys.modules.get("wkmp_assets_tests.support.kept_workers"):
        kept.end_kept_workers()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Path of a library that does not exist yet."""
    return tmp_path / "wkmp.db"


@pytest.fixture
def settings(tmp_path: Path) -> "Settings":
    """Settings of an empty music folder, with a state folder beside it, one worker, and two files per run."""
    from wkmp_assets.settings import load_settings

    music = tmp_path / "music"
    music.mkdir()
    return load_settings(library_root=music, state_dir=tmp_path / "state", files_per_run=2, workers=1)


@pytest.fixture
def store(settings: "Settings") -> "PhaseStore":
    """The phase store of `settings`."""
    from wkmp_assets.runtime.phase_store import PhaseStore

    return PhaseStore(settings.phase_dir)


@pytest.fixture
def instance() -> "Iterator[DagsterInstance]":
    """A Dagster instance that keeps everything in memory."""
    from wkmp_assets_tests.support.memory_instance import memory_instance

    with memory_instance() as made:
        yield made


@pytest.fixture
def dagster_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DAGSTER_HOME with the dagster.yaml of the repository and without any run, for instances on disk."""
    from wkmp_assets_tests.support.dagster_homes import make_opened_home

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    make_opened_home(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def workers() -> "Iterator[WorkerPool]":
    """One worker process for all libraries, because its start takes as long as the import of a file."""
    from wkmp_assets.runtime.run_control import RunControl
    from wkmp_assets.runtime.worker_pool import WorkerPool

    pool = WorkerPool(1, RunControl())
    yield pool
    pool.shut_down()


@pytest.fixture
def library(tmp_path: Path, workers: "WorkerPool") -> "Iterator[CheckedLibrary]":
    """A music folder without files, to be imported and checked in an instance of its own."""
    from wkmp_assets_tests.support.checked_library import checked_library

    with checked_library(tmp_path, workers) as made:
        yield made


@pytest.fixture
def services() -> "Iterator[MusicServices]":
    """The music services, on this machine and without any data."""
    from wkmp_assets_tests.support.music_services import music_services

    with music_services() as running:
        yield running


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that any user can reach; pytest's own temporary folders are root's alone when root runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def _unprivileged() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    # What root left behind may only root remove, as semaphores of workers that have ended.
    gc.collect()
    gc.disable()
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        gc.enable()


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """A block in which permissions are enforced, also when root runs the tests."""
    return _unprivileged


@pytest.fixture
def name_of_a_dead_writer() -> str:
    """The temporary name of a file whose process ended before the file was done."""
    code = "from wkmp_assets.runtime.atomic_files import temporary_name; print(temporary_name('left'))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
