"""Fixtures of the whole suite."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

_NOBODY = 65534


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
