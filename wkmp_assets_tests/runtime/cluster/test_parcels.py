"""What travels to another machine: its paths are other ones there."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from wkmp_assets.errors import FileNotSeenError, UndecodableAudioError
from wkmp_assets.runtime.cluster.parcels import ANY_ROOT, Places, Returned, StateFolder, pack, run_parcel, unpack

ID = "0123abcd"


@dataclass(frozen=True)
class Store:
    folder: Path


def copy_into(file: Path, kept: Store, dropped: Store) -> str:
    """Read a file, and write into both stores."""
    text = file.read_text()
    for store in (kept, dropped):
        (store.folder / "ab").mkdir(parents=True)
        (store.folder / "ab" / "made").write_text(text)
    return str(file)


def is_bad(_file: Path) -> None:
    raise UndecodableAudioError("a.mp3", "no decoder gets any sound out of it")


class Machines(NamedTuple):
    places: Places
    file: Path
    mount: Path
    scratch: Path


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    """The run's machine, and one where the same music is mounted elsewhere."""
    root, mount, scratch = (tmp_path / name for name in ("here/music", "there/music", "there/scratch"))
    for folder in (root, mount, scratch):
        folder.mkdir(parents=True)
    file = root / "album" / "a.mp3"
    for one in (file, mount / "album" / "a.mp3"):
        one.parent.mkdir()
        one.write_text("sound")
        os.utime(one, (1_000_000, 1_000_000))
    state = tmp_path / "here" / "state"
    folders = (StateFolder("kept", state / "kept", returns=True), StateFolder("pcm", state / "pcm", returns=False))
    return Machines(Places(ID, root, folders), file, mount, scratch)


def stores(places: Places) -> tuple[Store, Store]:
    kept, pcm = (folder.path for folder in places.folders)
    return Store(kept), Store(pcm)


@pytest.mark.parametrize("name", [ID, ANY_ROOT])
def test_a_task_finds_its_file_where_that_is_mounted_and_its_files_return(machines: Machines, name: str) -> None:
    places = machines.places
    parcel = pack(copy_into, (machines.file, *stores(places)), places)
    returned = run_parcel(parcel, {name: machines.mount}, machines.scratch)
    assert returned == Returned(str(machines.mount / "album" / "a.mp3"), {"kept": {"ab/made": b"sound"}})
    assert list(machines.scratch.iterdir()) == []
    assert unpack(returned, places) == returned.value
    kept, pcm = stores(places)
    assert (kept.folder / "ab" / "made").read_text() == "sound"
    assert not pcm.folder.exists()


def test_a_task_that_raises_leaves_nothing(machines: Machines) -> None:
    with pytest.raises(UndecodableAudioError):
        run_parcel(pack(is_bad, (machines.file,), machines.places), {ID: machines.mount}, machines.scratch)
    assert list(machines.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda file: file.unlink(), "No such file"),
        (lambda file: file.write_text("other sound"), "has 11 instead of 5 bytes"),
        (lambda file: os.utime(file, (2_000_000, 2_000_000)), "another time of change"),
    ],
    ids=["gone", "size", "time"],
)
def test_a_worker_that_does_not_see_the_file_says_so(machines: Machines, change: object, why: str) -> None:
    assert callable(change)
    parcel = pack(is_bad, (machines.file,), machines.places)
    change(machines.mount / "album" / "a.mp3")
    with pytest.raises(FileNotSeenError, match=why):
        run_parcel(parcel, {ANY_ROOT: machines.mount}, machines.scratch)


def test_a_worker_without_the_root_says_so(machines: Machines) -> None:
    parcel = pack(is_bad, (machines.file,), machines.places)
    with pytest.raises(FileNotSeenError, match=ID):
        run_parcel(parcel, {"ffffffff": machines.mount}, machines.scratch)


def test_a_file_that_is_gone_here_is_judged_by_the_worker(machines: Machines) -> None:
    machines.file.unlink()
    parcel = pack(is_bad, (machines.file,), machines.places)
    with pytest.raises(UndecodableAudioError):
        run_parcel(parcel, {ID: machines.mount}, machines.scratch)


def test_a_path_that_means_nothing_elsewhere_does_not_travel(machines: Machines) -> None:
    with pytest.raises(ValueError, match="means nothing on another machine"):
        pack(is_bad, (Path("/etc/passwd"),), machines.places)


def test_no_path_leads_out_of_the_root(machines: Machines) -> None:
    outside = machines.mount.parent / "secret"
    outside.write_text("s")
    parcel = pack(is_bad, (machines.places.root / ".." / "secret",), machines.places)
    with pytest.raises(ValueError, match="leads out of its folder"):
        run_parcel(parcel, {ANY_ROOT: machines.mount}, machines.scratch)


@pytest.mark.parametrize("name", ["../outside", "/outside"])
def test_no_worker_writes_outside_the_folders(machines: Machines, name: str) -> None:
    with pytest.raises(ValueError, match="leads out of its folder"):
        unpack(Returned(1, {"kept": {name: b"x"}}), machines.places)
    with pytest.raises(KeyError):
        unpack(Returned(1, {"pcm": {"x": b"x"}}), machines.places)
