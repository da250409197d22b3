"""The extent of the fault suite: a short form, or the complete suite when the number of kills is given.

It is read from the environment, because pytest accepts a folder's own options only when started with that folder.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

_KILLS = os.environ.get("WKMP_TEST_KILLS")
_SEED = os.environ.get("WKMP_TEST_SEED")
IS_FULL = bool(_KILLS)


@dataclass(frozen=True)
class Extent:
    """Numbers of one run of the suite."""

    seed: int
    """Of every random moment; a failure names it."""
    import_kills: int
    """How often a running import is killed."""
    writer_kills: int
    """How often processes are killed that do nothing but commit."""


EXTENT = Extent(seed=int(_SEED or 1), import_kills=int(_KILLS or 1), writer_kills=int(_KILLS or 8))

full_form = pytest.mark.skipif(not IS_FULL, reason="part of `make test-faults` only")


@contextmanager
def repeatable(where: str) -> Iterator[None]:
    """Add to every failure of the block the command that repeats it."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"WKMP_TEST_SEED={EXTENT.seed}, {where}")
        raise
