"""Covers on disk: one file for each content, and none of it goes while something uses it."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from wkmp_assets.audio.covers.store import MIN_UNUSED_S, CoverStore
from wkmp_assets.errors import StateDiskError
from wkmp_assets_tests.support.builders import sha
from wkmp_assets_tests.support.pictures import jpeg

A, B, C = jpeg("red"), jpeg("green"), jpeg("blue")


@pytest.fixture
def store(tmp_path: Path) -> CoverStore:
    return CoverStore(tmp_path / "covers", tmp_path / "notes")


def age(store: CoverStore, path: str, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(store.root / path, (then, then))


def names(store: CoverStore) -> set[str]:
    return {str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file()}


def test_equal_content_is_one_whole_file(store: CoverStore) -> None:
    path = store.keep(A, ".jpg")
    assert path == store.keep(A, ".jpg")
    assert (store.root / path).read_bytes() == A
    assert path == f"{Path(path).stem[:2]}/{Path(path).stem}.jpg"
    assert store.keep(B, ".jpg") != path
    assert len(names(store)) == 2


def test_only_old_and_unused_covers_go(store: CoverStore, name_of_a_dead_writer: str) -> None:
    used, unused, recent = (store.keep(data, ".jpg") for data in (A, B, C))
    for path in (used, unused):
        age(store, path, MIN_UNUSED_S + 60)
    left = store.root / unused[:2] / name_of_a_dead_writer
    left.write_bytes(b"half")
    mine = store.root / "readme.txt"
    mine.write_text("mine")
    assert store.sweep({Path(used).stem}) == 1
    assert names(store) == {used, recent, "readme.txt"}
    assert store.sweep(()) == 1, "nothing uses it any more"
    assert names(store) == {recent, "readme.txt"}


def test_a_cover_that_was_just_used_stays(store: CoverStore) -> None:
    path = store.keep(A, ".jpg")
    age(store, path, MIN_UNUSED_S + 60)
    assert store.has(path)
    assert store.sweep(()) == 0
    age(store, path, MIN_UNUSED_S + 60)
    assert store.keep(A, ".jpg") == path
    assert store.sweep(()) == 0


def test_a_folder_that_does_not_exist_is_swept(store: CoverStore) -> None:
    assert store.sweep({sha("a")}) == 0
    assert not store.has("ab/cd.jpg")


def test_a_folder_that_may_not_be_written_to_is_named(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    closed = public_folder / "closed"
    closed.mkdir(mode=0o555)
    with unprivileged(), pytest.raises(StateDiskError, match="closed"):
        CoverStore(closed / "covers", closed / "notes").keep(A, ".jpg")
