"""Expensive, read-only test data, made once for all processes of a test run."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import pytest
from filelock import FileLock

Made = TypeVar("Made")


def made_once(request: pytest.FixtureRequest, name: str, make: Callable[[Path], Made]) -> Made:
    """Return the value of `make`, which one process of xdist calls and the others wait for.

    Parameters
    ----------
    request : FixtureRequest
        Request of a fixture of the scope `session`.
    name : str
        Name of the folder that `make` gets.
    make : callable
        Returns a value that can be pickled.
    """
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    if not hasattr(request.config, "workerinput"):
        return make(folders.mktemp(name))
    folder = folders.getbasetemp().parent / name
    kept = folder.with_suffix(".pickle")
    with FileLock(folder.with_suffix(".lock")):
        if not kept.exists():
            folder.mkdir()
            kept.write_bytes(pickle.dumps(make(folder)))
        return cast("Made", pickle.loads(kept.read_bytes()))  # noqa: S301 - written by this function
