"""What a walk finds, on real folders."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.walk import WalkReport, find_audio_files, read_stat
from wkmp_assets.model.timestamps import format_seconds

MOMENT_S = 1_700_000_000.75


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 7)


def found(root: Path, folder: str = "") -> list[str]:
    return [path for path, _ in find_audio_files(root, root / folder, WalkReport())]


def test_audio_files_are_found_by_extension_in_any_case(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp3", "b.FLAC", "c/d.OpUs", "cover.jpg", "notes.txt", "mp3")
    assert sorted(found(tmp_path)) == ["a.mp3", "b.FLAC", "c/d.OpUs"]


def test_what_is_passed_over_is_counted_by_extension(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.JPG", "README", "d.mp3")
    report = WalkReport()
    list(find_audio_files(tmp_path, tmp_path, report))
    assert report.ignored_by_extension == {".jpg": 2, "": 1}


@pytest.mark.parametrize(
    "path",
    [
        ".a.mp3",
        ".hidden/a.mp3",
        ".git/a.mp3",
        "__MACOSX/a.mp3",
        "node_modules/x/a.mp3",
        "c/.stversions/a.mp3",
    ],
)
def test_hidden_and_foreign_files_are_left_alone(tmp_path: Path, path: str) -> None:
    touch(tmp_path, path, "my.github.mp3")
    assert found(tmp_path) == ["my.github.mp3"]


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "music", tmp_path / "outside"
    touch(root, "a/real.mp3")
    touch(outside, "secret.mp3")
    (root / "file.mp3").symlink_to(root / "a" / "real.mp3")
    (root / "folder").symlink_to(outside)
    (root / "a" / "circle").symlink_to(root)
    (root / "dangling.mp3").symlink_to(root / "nowhere.mp3")
    (root / "itself.mp3").symlink_to("itself.mp3")
    (root / "cover.jpg").symlink_to(root / "a")
    (root / "notes.txt").symlink_to(root / "nowhere.mp3")
    report = WalkReport()
    assert [path for path, _ in find_audio_files(root, root, report)] == ["a/real.mp3"]
    assert report.passed_over.keys() == {
        "file.mp3", "folder", "a/circle", "dangling.mp3", "itself.mp3", "cover.jpg",
    }  # fmt: skip
    assert set(report.passed_over.values()) == {"a symbolic link, which a scan does not follow"}


def test_a_fifo_named_like_music_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    touch(tmp_path, "a.mp3", "folder.mp3/b.mp3")
    report = WalkReport()
    assert [path for path, _ in find_audio_files(tmp_path, tmp_path, report)] == ["a.mp3", "folder.mp3/b.mp3"]
    assert report.passed_over == {"pipe.mp3": "a pipe, a socket or a device, and not a file"}


@pytest.mark.slow
def test_folders_in_each_other_deeper_than_python_calls_go_are_walked(tmp_path: Path) -> None:
    deepest, folders = tmp_path, []
    for _ in range(sys.getrecursionlimit() + 100):
        deepest = deepest / "d"
        deepest.mkdir()
        folders.append(deepest)
    touch(deepest, "a.mp3")
    assert [path.count("/") for path in found(tmp_path)] == [len(folders)]
    (deepest / "a.mp3").unlink()
    for folder in reversed(folders):  # shutil.rmtree calls itself for each
        folder.rmdir()


def test_files_come_in_sorted_order(tmp_path: Path) -> None:
    paths = ["b/2.mp3", "b/10.mp3", "a.mp3", "B.mp3", "a/z.mp3", "é/x.mp3", "b/a/1.mp3"]
    touch(tmp_path, *paths)
    assert found(tmp_path) == sorted(paths, key=lambda path: path.split("/"))


def test_a_name_that_is_not_utf8_is_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp3")
    touch(tmp_path, name)
    assert found(tmp_path) == [name]


def test_an_unreadable_folder_is_reported_and_the_rest_is_found(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    touch(public_folder, "a.mp3", "locked/b.mp3", "z.mp3")
    (public_folder / "locked").chmod(0)
    report = WalkReport()
    with unprivileged():
        paths = [path for path, _ in find_audio_files(public_folder, public_folder, report)]
    assert paths == ["a.mp3", "z.mp3"]
    assert report.unreadable_folders == ["locked"]
    assert report.passed_over == {"locked": "the folder cannot be read (Permission denied)"}


def test_an_unreadable_root_is_an_error_not_an_empty_library(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    root = public_folder / "music"
    touch(root, "a.mp3")
    root.chmod(0)
    with unprivileged(), pytest.raises(LibraryRootError, match="disk is mounted"):
        found(root)


def test_a_missing_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LibraryRootError, match="gone"):
        found(tmp_path / "gone")


def test_the_time_of_a_file_is_utc_to_the_second(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp3")
    os.utime(tmp_path / "a.mp3", (MOMENT_S, MOMENT_S))
    ((_, stat),) = find_audio_files(tmp_path, tmp_path, WalkReport())
    assert stat == read_stat(tmp_path / "a.mp3")
    assert stat.size_bytes == 7
    assert stat.modified_at == datetime.fromtimestamp(int(MOMENT_S), UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_only_a_regular_file_has_a_size_to_compare(tmp_path: Path, kind: str) -> None:
    """A key typed into the web UI may name anything; a decoder that opens a FIFO waits for ever."""
    path = tmp_path / "x.mp3"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"):
        read_stat(path)


@pytest.mark.parametrize("seconds", [-(2**63), -11_644_473_600, 910_692_730_085, 2**63 - 1])
def test_a_time_beyond_the_calendar_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seconds: int
) -> None:
    """Samba delivers such times. They are simulated, because local file systems cannot store them."""
    touch(tmp_path, "a.mp3")
    status = os.stat_result((0o100644, 1, 1, 1, 0, 0, 7, seconds, seconds, seconds))
    monkeypatch.setattr(Path, "stat", lambda _path: status)
    assert read_stat(tmp_path / "a.mp3").modified_at == format_seconds(seconds)
