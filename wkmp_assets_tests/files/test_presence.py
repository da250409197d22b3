"""A file counts as gone only when the file system says so."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files import presence
from wkmp_assets.files.presence import check_root, is_emptied, is_on_disk


def test_a_file_is_on_disk_or_not(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    (tmp_path / "A/a.mp3").touch()
    assert is_on_disk(tmp_path, "A/a.mp3")
    assert not is_on_disk(tmp_path, "A/b.mp3")
    assert not is_on_disk(tmp_path, "B/a.mp3")
    assert not is_on_disk(tmp_path, "A/a.mp3/b.mp3"), "a folder that became a file"


def test_a_file_that_was_renamed_is_seen_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    assert is_on_disk(tmp_path, "a.mp3")
    (tmp_path / "a.mp3").rename(tmp_path / "b.mp3")
    assert (is_on_disk(tmp_path, "a.mp3"), is_on_disk(tmp_path, "b.mp3")) == (False, True)


def test_another_spelling_is_no_file_where_the_disk_ignores_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that ignores case, as on most USB disks. Its answers are simulated: not every kernel mounts one."""
    (tmp_path / "A.mp3").touch()
    monkeypatch.setattr(Path, "stat", lambda self, **_: os.stat(str(self).replace("a.mp3", "A.mp3")))  # noqa: PTH116 - Path.stat is what is replaced
    presence._names.cache_clear()
    assert is_on_disk(tmp_path, "A.mp3")
    assert not is_on_disk(tmp_path, "a.mp3")


def test_a_file_that_appears_within_the_resolution_of_the_folder_s_time_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    os.utime(tmp_path, (1_000_000_000, 1_000_000_000))
    assert is_on_disk(tmp_path, "a.mp3")
    (tmp_path / "b.mp3").touch()
    os.utime(tmp_path, (1_000_000_000, 1_000_000_000))
    assert is_on_disk(tmp_path, "b.mp3")


def test_what_cannot_be_looked_at_is_not_gone(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    for name, mode in (("locked", 0), ("searchable", 0o711)):
        (public_folder / name).mkdir()
        (public_folder / name / "a.mp3").touch()
        (public_folder / name).chmod(mode)
    with unprivileged():
        assert is_on_disk(public_folder, "locked/a.mp3")
        assert is_on_disk(public_folder, "searchable/a.mp3")
        assert not is_on_disk(public_folder, "searchable/b.mp3")


def test_an_empty_folder_may_be_the_mount_point_of_a_disk(tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    (tmp_path / "album").mkdir()
    (tmp_path / "album/cover.jpg").touch()
    assert is_emptied(tmp_path, "usb/a.mp3")
    assert is_emptied(tmp_path, "usb/Artist/Album/a.mp3")
    assert not is_emptied(tmp_path, "album/a.mp3")
    assert not is_emptied(tmp_path, "deleted/a.mp3"), "the folder went with it"
    assert not is_emptied(tmp_path, "a.mp3")


def test_a_root_without_music_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wkmp.db-wal").touch()
    (tmp_path / ".Trash").mkdir()
    with pytest.raises(LibraryRootError, match="is empty; check that its disk is mounted"):
        check_root(tmp_path)
    with pytest.raises(LibraryRootError, match="cannot read"):
        check_root(tmp_path / "gone")
    (tmp_path / "Artist").mkdir()
    check_root(tmp_path)


def test_a_folder_that_cannot_be_looked_into_counts_as_emptied(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    (public_folder / "A").mkdir()
    (public_folder / "A/b.mp3").touch()
    assert not is_emptied(public_folder, "A/a.mp3")
    (public_folder / "A").chmod(0o311)
    with unprivileged():
        assert is_emptied(public_folder, "A/a.mp3")
