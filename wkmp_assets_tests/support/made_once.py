"""What is dear to make and only read afterwards: made once for all processes of a test run."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import pytest
from filelock import FileLock

Made = TypeVar("Made")


def made_once(request: pytest.FixtureRequest, name: str, make: Callable[[Path], Made]) -> Made:
    """Return what `make` returns, which one process of xdist makes and the others read.

    Parameters
    ----------
    request : FixtureRequest
        Of a fixture of the scope `session`.
    name : str
        Of a folder, which `make` gets.
    make : callable
        Returns something that can be pickled.
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
