"""Fixtures of the whole suite."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from wkmp_assets_tests.tools.plan import PLAN_TESTS

_NOBODY = 65534


def pytest_configure(config: pytest.Config) -> None:
    """Make the plan's test ids markers, and a worker's terminal as wide as each test says."""
    for test in PLAN_TESTS:
        config.addinivalue_line("markers", f"{test.id}: {test.text} ({test.requirement})")
    # In a worker of xdist it is 80, and a console that is made while it is set keeps that width for good.
    if hasattr(config, "workerinput"):
        os.environ.pop("COLUMNS", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tie every test to the ids that ask for a run of the whole suite."""
    for item in items:
        for test in PLAN_TESTS:
            if test.is_whole_suite:
                item.add_marker(test.id)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a library may be created."""
    return tmp_path / "wkmp.db"


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
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """A block in which permissions count, also when root runs the tests."""
    return _unprivileged


@pytest.fixture
def name_of_a_dead_writer() -> str:
    """The temporary name of a file whose process ended before the file was done."""
    code = "from wkmp_assets.runtime.atomic_files import temporary_name; print(temporary_name('left'))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
