"""Music behind an address: what a worker fetches, what it keeps, and what it says when it cannot."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from wkmp_assets.audio.names_beside import find_names_beside
from wkmp_assets.errors import FileNotSeenError, LibraryRootError, SettingsError, UnreadableFileError
from wkmp_assets.runtime import object_cache, object_folder
from wkmp_assets.runtime.object_folder import ObjectFolder, ObjectStat, run_at_hand
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until

CHANGED_S = 1_000_000
ALBUM = {"01 a.flac": b"sound a", "02 b.flac": b"sound b", "Cover.jpg": b"front", "live.cue": b"sheet", "x.txt": b"!"}


class Store(NamedTuple):
    folder: Path
    objects: ObjectFolder

    def change(self, name: str, content: bytes, changed_s: int = CHANGED_S) -> None:
        path = self.folder / "album" / name
        path.write_bytes(content)
        os.utime(path, (changed_s, changed_s))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    folder = tmp_path / "store"
    made = Store(folder, ObjectFolder(folder.as_uri(), tmp_path / "cache", find_names_beside))
    (folder / "album").mkdir(parents=True)
    for name, content in ALBUM.items():
        made.change(name, content)
    return made


def kept(store: Store) -> list[Path]:
    return sorted(path for path in store.objects.cache.iterdir() if path.is_file() and path.suffix != ".lock")


def test_the_objects_are_listed_with_size_and_time(store: Store) -> None:
    assert store.objects.list_objects() == {
        f"album/{name}": ObjectStat(len(content), CHANGED_S) for name, content in ALBUM.items()
    }


def test_a_store_that_lists_itself_is_not_walked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    walked = store.objects.list_objects()
    monkeypatch.setattr(object_folder, "_FLAT", frozenset({"file"}))
    assert store.objects.list_objects() == walked


def test_a_file_comes_with_what_is_read_beside_it_and_with_the_names_of_the_rest(store: Store, tmp_path: Path) -> None:
    path = store.objects.fetch("album/01 a.flac", (7, CHANGED_S), tmp_path / "task")
    assert path == tmp_path / "task/album/01 a.flac"
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == {
        **ALBUM,
        "02 b.flac": bytes(7),
        "x.txt": bytes(1),
    }
    assert path.stat().st_mtime == CHANGED_S
    assert len(kept(store)) == 3


def test_an_object_is_fetched_once_for_all_tasks(store: Store, tmp_path: Path) -> None:
    first = store.objects.fetch("album/01 a.flac", None, tmp_path / "task 1")
    store.change("Cover.jpg", b"other")  # with the size and time of before, so that only a second fetch would tell
    second = store.objects.fetch("album/02 b.flac", None, tmp_path / "task 2")
    assert (second.parent / "Cover.jpg").read_bytes() == b"front"
    assert (first.parent / "Cover.jpg").samefile(second.parent / "Cover.jpg")
    store.change("Cover.jpg", b"newer", CHANGED_S + 1)
    third = store.objects.fetch("album/02 b.flac", None, tmp_path / "task 3")
    assert (third.parent / "Cover.jpg").read_bytes() == b"newer"


def test_two_workers_that_need_an_object_fetch_it_once(tmp_path: Path) -> None:
    cache, fetched, go_on = object_cache.ObjectCache(tmp_path / "cache"), [], threading.Event()

    def get(part: str) -> None:
        fetched.append(part)
        assert go_on.wait(PATIENCE_S)
        Path(part).write_bytes(b"sound")

    def take(name: str) -> None:
        cache.take(("key",), get, tmp_path / name, 5, CHANGED_S)

    first, second = (threading.Thread(target=take, args=(name,)) for name in ("a", "b"))
    first.start()
    wait_until(lambda: bool(fetched), "the first one fetches")
    second.start()
    wait_until(lambda: sys._current_frames()[second.ident or 0].f_code.co_name == "hold_lock", "the second one waits")
    go_on.set()
    first.join()
    second.join()
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes(), len(fetched)) == (b"sound", b"sound", 1)


def test_a_disk_without_links_gets_copies(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(_kept: Path, _place: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    for task in ("task 1", "task 2"):
        path = store.objects.fetch("album/01 a.flac", None, tmp_path / task)
        assert (path.read_bytes(), path.stat().st_mtime) == (b"sound a", CHANGED_S)
    assert len(kept(store)) == 3


def test_a_picture_that_nothing_reads_is_not_fetched(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_folder, "MAX_BESIDE_BYTES", 4)
    path = store.objects.fetch("album/01 a.flac", None, tmp_path / "task")
    assert (path.parent / "Cover.jpg").read_bytes() == bytes(5)
    assert len(kept(store)) == 1


def test_of_a_huge_folder_sheets_and_pictures_are_shown_first(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_folder, "MAX_NAMES_BESIDE", 3)
    path = store.objects.fetch("album/02 b.flac", None, tmp_path / "task")
    assert {one.name for one in path.parent.iterdir()} == {"02 b.flac", "Cover.jpg", "live.cue", "x.txt"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda store: (store.folder / "album/01 a.flac").unlink(), "01 a.flac is gone"),
        (lambda store: store.change("01 a.flac", b"sound a and more"), "was changed after it was listed"),
        (lambda store: store.change("01 a.flac", b"sound A", CHANGED_S + 1), "was changed after it was listed"),
        (lambda store: [one.unlink() for one in (store.folder / "album").iterdir()], "01 a.flac is gone"),
    ],
    ids=["gone", "size", "time", "folder emptied"],
)
def test_an_object_that_is_not_as_listed_is_not_measured(
    store: Store, tmp_path: Path, change: Callable[[Store], object], why: str
) -> None:
    change(store)
    with pytest.raises(FileNotSeenError, match=why):
        store.objects.fetch("album/01 a.flac", (7, CHANGED_S), tmp_path / "task")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda path: path.write_bytes(b"so"), "01 a.flac came with 2 instead of 7 bytes"),
        (lambda path: path.unlink(), "01 a.flac cannot be fetched"),
    ],
)
def test_an_object_that_changes_while_it_is_fetched_is_not_measured(
    store: Store, tmp_path: Path, change: Callable[[Path], object], why: str
) -> None:
    def find_beside(_path: Path) -> tuple[str, ...]:
        change(store.folder / "album/01 a.flac")
        return ()

    objects = ObjectFolder(store.objects.url, store.objects.cache, find_beside)
    with pytest.raises(FileNotSeenError, match=why):
        objects.fetch("album/01 a.flac", (7, CHANGED_S), tmp_path / "task")
    assert kept(store) == []


def test_the_least_recently_used_objects_go_first(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.objects.fetch("album/01 a.flac", None, tmp_path / "task 1")
    monkeypatch.setattr(object_cache, "MAX_CACHE_BYTES", 18)
    path = store.objects.fetch("album/02 b.flac", None, tmp_path / "task 2")
    assert sorted(one.read_bytes() for one in kept(store)) == [b"front", b"sheet", b"sound b"]
    assert path.read_bytes() == b"sound b"


def test_the_folders_of_dead_processes_are_swept(store: Store, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    cache = store.objects.cache
    for process in (dead.pid, 1, os.getpid()):
        (cache / f"task-{process}-x").mkdir(parents=True)
    store.objects.fetch("album/01 a.flac", None, tmp_path / "task")
    assert {one.name for one in cache.glob("task-*")} == {"task-1-x", f"task-{os.getpid()}-x"}


def read(path: Path, more: str) -> tuple[bytes, str]:
    assert path.parts[-2:] == ("album", "01 a.flac")
    return path.read_bytes(), more


def test_a_worker_of_this_machine_reads_the_object_for_which_a_file_stands(store: Store, tmp_path: Path) -> None:
    stand_in = tmp_path / "library/album/01 a.flac"
    assert run_at_hand(store.objects, tmp_path / "library", read, stand_in, "more") == (b"sound a", "more")
    stand_in.parent.mkdir(parents=True)
    stand_in.write_bytes(bytes(7))
    with pytest.raises(UnreadableFileError, match=r"01 a\.flac: .*was changed after it was listed"):
        run_at_hand(store.objects, tmp_path / "library", read, stand_in, "more")
    assert list(store.objects.cache.glob("task-*")) == []


@pytest.mark.parametrize(
    "said",
    [
        {"size": 5, "LastModified": datetime(1970, 1, 12, 13, 46, 40, 5, tzinfo=UTC)},
        {"size": "5", "mtime": 1_000_000.9},
        {"size": 5, "updated": "1970-01-12T13:46:40+00:00"},
    ],
)
def test_the_times_of_every_store_are_understood(said: dict[str, object]) -> None:
    assert object_folder._stat_of(said) == ObjectStat(5, CHANGED_S)


def test_a_store_without_times_is_refused() -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    files = MemoryFileSystem()
    files.pipe("/without times/a.mp3", b"sound")
    objects = ObjectFolder("memory://without times", Path("unused"), find_names_beside)
    try:
        with pytest.raises(LibraryRootError, match="tells no size or time of change"):
            objects.list_objects()
    finally:
        files.rm("/without times", recursive=True)


def test_a_folder_that_cannot_be_listed_is_not_left_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def fail(path: str) -> object:
        if str(path).endswith("album"):
            raise OSError(errno.EIO, "Input/output error")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", fail)
    with pytest.raises(LibraryRootError, match="cannot be listed"):
        store.objects.list_objects()


def test_an_address_that_cannot_be_listed_is_named(store: Store) -> None:
    objects = ObjectFolder("webhdfs://user:secret@127.0.0.1:9/music", store.objects.cache, find_names_beside)
    with pytest.raises(LibraryRootError, match=r"the objects of webhdfs://127\.0\.0\.1:9/music cannot be listed"):
        objects.list_objects()


@pytest.mark.parametrize(
    ("url", "why"),
    [("gramophone://music", "is no address of music"), ("s3://music", r"pip install 'wkmp-assets\[s3\]'")],
)
def test_an_address_that_this_machine_cannot_open_is_refused(
    url: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(SettingsError, match=why):
        ObjectFolder(url, tmp_path, find_names_beside).check()
