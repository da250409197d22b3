"""Stand-ins: what a folder holds for the objects of a store, and that no music is lost for them."""

import errno
import os
from pathlib import Path

import pytest

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.stand_ins import MARKER, place_stand_ins, read_marker

URL = "s3://bucket/music"


def files_in(root: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(root)): (path.stat().st_size, int(path.stat().st_mtime))
        for path in root.rglob("*")
        if path.is_file() and path.name != MARKER
    }


def test_the_folder_follows_the_objects(tmp_path: Path) -> None:
    assert read_marker(tmp_path) is None
    objects = {"a/b/c.mp3": (5_000_000, 1_000), "d.flac": (0, 2_000), "a/e.mod": (7, 3_000)}
    others = {"a/cover.jpg": (9, 1), ".hidden/x.mp3": (9, 1), "wkmp.db": (9, 1)}
    assert place_stand_ins(tmp_path, URL, objects | others) == []
    assert files_in(tmp_path) == objects
    assert read_marker(tmp_path) == URL
    (tmp_path / "wkmp.db").write_text("library")
    objects = {"d.flac": (4, 2_001), "f.ogg": (1, 1)}
    assert place_stand_ins(tmp_path, URL, objects) == []
    (tmp_path / "wkmp.db").unlink()
    assert files_in(tmp_path) == objects
    assert not (tmp_path / "a").exists(), "an empty folder would look like a disk that is not mounted"


def test_music_is_never_overwritten_or_removed(tmp_path: Path) -> None:
    (tmp_path / "mine.mp3").write_bytes(bytes(2_000_000) + b"sound")
    for objects in ({"mine.mp3": (9, 9)}, {"other.mp3": (9, 9)}):
        with pytest.raises(LibraryRootError, match=r"mine\.mp3 is music and no stand-in; give the music of s3://"):
            place_stand_ins(tmp_path, URL, objects)
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.mp3"]
    (tmp_path / "mine.mp3").rename(tmp_path / "text")
    (tmp_path / "mine.mp3").symlink_to("text")
    with pytest.raises(LibraryRootError, match="is music and no stand-in"):
        place_stand_ins(tmp_path, URL, {})


def test_a_folder_stands_for_one_address(tmp_path: Path) -> None:
    place_stand_ins(tmp_path, URL, {"a.mp3": (1, 1)})
    with pytest.raises(LibraryRootError, match="holds stand-ins for s3://bucket/music; give the music of s3://other"):
        place_stand_ins(tmp_path, "s3://other", {})
    assert files_in(tmp_path) == {"a.mp3": (1, 1)}


@pytest.mark.parametrize(
    "name", ["a//b.mp3", "../b.mp3", "a/../b.mp3", "a\0b.mp3", f"{'x' * 300}.mp3", "a.mp3/b.mp3", "/b.mp3"]
)
def test_a_name_that_no_folder_can_hold_is_told(tmp_path: Path, name: str) -> None:
    root = tmp_path / "library"
    root.mkdir()
    assert place_stand_ins(root, URL, {"a.mp3": (1, 1), name: (1, 1)}) == [name]
    assert {path.name for path in tmp_path.rglob("*")} == {"library", MARKER, "a.mp3"}


def test_no_stand_in_is_written_through_a_link(tmp_path: Path) -> None:
    root, outside = tmp_path / "library", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "album").symlink_to(outside)
    assert place_stand_ins(root, URL, {"album/a.mp3": (1, 1)}) == ["album/a.mp3"]
    assert list(outside.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LibraryRootError, match=r"stand-ins cannot be kept in .*file \(Not a directory\)"):
        place_stand_ins(tmp_path / "file", URL, {"a.mp3": (1, 1)})


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_full(_path: Path, _times: tuple[int, int]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "utime", is_full)
    with pytest.raises(LibraryRootError, match=r"stand-ins cannot be kept in .* \(No space left on device\)"):
        place_stand_ins(tmp_path, URL, {"a.mp3": (1, 1)})
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("plant", ["pipe", "link"])
def test_what_is_planted_as_a_marker_is_not_followed(tmp_path: Path, plant: str) -> None:
    root, outside = tmp_path / "library", tmp_path / "outside"
    root.mkdir()
    if plant == "pipe":
        os.mkfifo(root / MARKER)
    else:
        outside.write_text("mine")
        (root / MARKER).symlink_to(outside)
    assert read_marker(root) is None
    with pytest.raises(LibraryRootError, match=r"stand-ins cannot be kept in .* \(File exists\)"):
        place_stand_ins(root, URL, {"a.mp3": (1, 1)})
    assert plant == "pipe" or outside.read_text() == "mine"


def test_a_marker_without_end_is_cut(tmp_path: Path) -> None:
    with (tmp_path / MARKER).open("wb") as file:
        file.truncate(8_000_000_000_000)
    assert len(read_marker(tmp_path) or "") <= 4_096


def test_a_stand_in_of_any_size_is_replaced_at_once(tmp_path: Path) -> None:
    assert place_stand_ins(tmp_path, URL, {"a.mp3": (8_000_000_000_000, 1)}) == []
    assert place_stand_ins(tmp_path, URL, {"a.mp3": (5, 1)}) == []
    assert files_in(tmp_path) == {"a.mp3": (5, 1)}


def test_zeros_count_as_no_content_where_no_holes_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(bytes(3_000_000))
    assert place_stand_ins(tmp_path, URL, {"a.mp3": (5, 1)}) == []
    assert files_in(tmp_path) == {"a.mp3": (5, 1)}
