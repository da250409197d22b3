"""A scan never takes an unplugged disk for a deleted collection, and never leaves the library."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.scan import check_not_emptied, scan_folder
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets_tests.support.builders import sha


def known(path: str, modified_at: str = "2000-01-01 00:00:00") -> KnownFile:
    return KnownFile(f"guid of {path}", path, sha(path), "INGEST COMPLETE", modified_at, 1)


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_files_are_sorted_into_new_changed_unchanged_and_missing(tmp_path: Path) -> None:
    touch(tmp_path, "new.mp3", "changed.mp3", "same.mp3")
    same = known("same.mp3", read_stat(tmp_path / "same.mp3").modified_at)
    changes, _ = scan_folder(tmp_path, "", [known("changed.mp3"), same, known("gone.mp3")])
    assert changes.new == ("new.mp3",)
    assert changes.changed == ("changed.mp3",)
    assert changes.unchanged == ("same.mp3",)
    assert changes.missing == ("gone.mp3",)


def test_an_empty_root_with_known_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LibraryRootError, match=r"2 in it.*mounted"):
        scan_folder(tmp_path, "", [known("a.mp3"), known("b.mp3")])


def test_an_empty_new_library_is_no_error(tmp_path: Path) -> None:
    changes, _ = scan_folder(tmp_path, "", [])
    assert changes.to_import == ()


@pytest.mark.parametrize("folder", ["A", "A/", "./A", "B/../A"])
def test_only_files_inside_the_scanned_folder_can_be_missing(tmp_path: Path, folder: str) -> None:
    touch(tmp_path, "A/1.mp3", "AB/2.mp3", "B/4.mp3")
    changes, _ = scan_folder(tmp_path, folder, [known("A/gone.mp3"), known("AB/gone.mp3"), known("B/gone.mp3")])
    assert changes.new == ("A/1.mp3",)
    assert changes.missing == ("A/gone.mp3",)


def test_an_empty_folder_is_an_error_only_when_files_were_in_it(tmp_path: Path) -> None:
    touch(tmp_path, "B/1.mp3")
    (tmp_path / "A").mkdir()
    assert scan_folder(tmp_path, "A", [known("B/1.mp3")])[0].missing == ()
    with pytest.raises(LibraryRootError):
        scan_folder(tmp_path, "A", [known("A/1.mp3")])


@pytest.mark.parametrize("folder", ["..", "../other", "A/../..", "/etc"])
def test_a_folder_outside_the_library_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(LibraryRootError, match="not a folder inside the music folder"):
        scan_folder(tmp_path, folder, [])


def test_a_folder_whose_name_begins_with_dots_is_inside(tmp_path: Path) -> None:
    touch(tmp_path, "...And Oceans/1.mp3")
    changes, _ = scan_folder(tmp_path, "...And Oceans", [])
    assert changes.new == ("...And Oceans/1.mp3",)


def test_a_link_is_no_way_out_of_the_library(tmp_path: Path) -> None:
    root, outside = tmp_path / "music", tmp_path / "outside"
    touch(root, "a.mp3")
    touch(outside, "A/secret.mp3")
    (root / "link").symlink_to(outside)
    for folder in ("link", "link/A"):
        with pytest.raises(LibraryRootError, match="symbolic link"):
            scan_folder(root, folder, [])


def test_the_library_itself_may_be_reached_through_a_link(tmp_path: Path) -> None:
    touch(tmp_path / "music", "A/a.mp3")
    (tmp_path / "link").symlink_to(tmp_path / "music")
    for folder in ("", "A"):
        assert scan_folder(tmp_path / "link", folder, [])[0].new == ("A/a.mp3",)


def test_files_in_a_folder_that_cannot_be_read_are_not_missing(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    touch(public_folder, "A/1.mp3", "B/2.mp3", "C/3.mp3")
    (public_folder / "A").chmod(0)
    (public_folder / "B").chmod(0o744)  # names can be listed, but no file can be read
    with unprivileged():
        changes, _ = scan_folder(public_folder, "", [known(path) for path in ("A/1.mp3", "B/2.mp3", "C/gone.mp3")])
    assert (changes.unknown, changes.missing) == (("A/1.mp3", "B/2.mp3"), ("C/gone.mp3",))
    assert changes.unreadable == ("A", "B")


def test_a_folder_that_became_a_link_to_another_disk_is_not_missing(tmp_path: Path) -> None:
    touch(tmp_path / "music", "B/2.mp3")
    touch(tmp_path / "disk", "1.mp3")
    (tmp_path / "music/A").symlink_to(tmp_path / "disk")
    changes, _ = scan_folder(tmp_path / "music", "", [known("A/1.mp3"), known("A/gone.mp3"), known("B/2.mp3")])
    assert (changes.unknown, changes.missing) == (("A/1.mp3",), ("A/gone.mp3",))


def test_an_unreadable_library_is_no_empty_one(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    touch(public_folder, "A/1.mp3")
    (public_folder / "A").chmod(0)
    with unprivileged(), pytest.raises(LibraryRootError, match="1 in it"):
        scan_folder(public_folder, "", [known("A/1.mp3")])


def test_what_others_found_before_tells_an_emptied_folder_from_a_new_one(tmp_path: Path) -> None:
    """The disk and its wkmp.db are gone. Only Dagster still knows the files."""
    changes, _ = scan_folder(tmp_path, "", [])
    check_not_emptied(tmp_path, changes, 0)
    with pytest.raises(LibraryRootError, match="1 were found in it before"):
        check_not_emptied(tmp_path, changes, 1)
