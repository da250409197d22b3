"""Phases 1 and 2 over the files of a run."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from wkmp_assets.errors import (
    HashingStoppedError,
    LibraryRootError,
    LinkedFileError,
    UnencodableNameError,
    UnreadableFileError,
)
from wkmp_assets.files.changes import HashedFile
from wkmp_assets.files.hashing import MIN_HOLLOW_BYTES, hash_file
from wkmp_assets.files.identity import (
    hash_doubtful,
    identify_hashed,
    look_at,
    sort_out_unchanged,
    without_known_content,
)
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.outcomes import Failed, Result, Skipped, SkipReason
from wkmp_assets.model.values import FileState
from wkmp_assets_tests.support.builders import identity


def no_copies(_row: KnownFile) -> bool:
    raise AssertionError("asked only about duplicates")


def row_of(root: Path, path: str) -> KnownFile:
    stat = read_stat(root / path)
    content_hash = hash_file(root / path, path)
    return KnownFile("guid", path, content_hash, "INGEST COMPLETE", stat.modified_at, stat.size_bytes)


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 1024 * 1024 + 1])
def test_the_content_hash_is_sha256_of_the_whole_file(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "a.mp3").write_bytes(content)
    assert hash_file(tmp_path / "a.mp3", "a.mp3") == hashlib.sha256(content).hexdigest()


def test_hashing_what_cannot_be_read_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"^A/a\.mp3: cannot be read \(No such file"):
        hash_file(tmp_path / "a.mp3", "A/a.mp3")


def test_hashing_a_folder_fails_without_leaking_its_descriptor(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - numbers, not files
    with pytest.raises(UnreadableFileError):
        hash_file(tmp_path, "folder.mp3")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - numbers, not files


def test_a_name_that_is_not_utf8_is_refused_before_the_file_is_touched(tmp_path: Path) -> None:
    with pytest.raises(UnencodableNameError, match="rename it"):
        look_at(tmp_path, os.fsdecode(b"caf\xe9.mp3"))


@pytest.mark.parametrize("key", ["out.mp3", "folder/secret.mp3", "within.mp3"])
def test_nothing_behind_a_symbolic_link_is_looked_at(tmp_path: Path, key: str) -> None:
    """A scan registers no such partition, but anyone who reaches the web UI can type its key."""
    (root := tmp_path / "music").mkdir()
    (outside := tmp_path / "outside").mkdir()
    (outside / "secret.mp3").write_bytes(b"secret")
    (root / "a.mp3").write_bytes(b"a")
    (root / "out.mp3").symlink_to(outside / "secret.mp3")
    (root / "folder").symlink_to(outside)
    (root / "within.mp3").symlink_to("a.mp3")
    with pytest.raises(LinkedFileError, match=r"symbolic link.*import the file where it is"):
        look_at(root, key)
    clear, to_hash = sort_out_unchanged(root, {"k": key}, {}, lambda _: True, force=True)
    assert (clear["k"].code, to_hash) == ("SYMBOLIC_LINK", {})


def test_a_library_may_itself_be_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music/a.mp3").write_bytes(b"a")
    (tmp_path / "link").symlink_to(tmp_path / "music")
    assert look_at(tmp_path / "link", "a.mp3").size_bytes == 1


def test_only_files_that_changed_are_hashed(tmp_path: Path) -> None:
    for name in ("same.mp3", "new.mp3"):
        (tmp_path / name).write_bytes(name.encode())
    paths = {"k-same": "same.mp3", "k-new": "new.mp3", "k-gone": "gone.mp3", "k-odd": "caf\udce9.mp3"}
    known = {"same.mp3": row_of(tmp_path, "same.mp3")}
    clear, to_hash = sort_out_unchanged(tmp_path, paths, known, no_copies, force=False)
    assert list(to_hash) == ["k-new"]
    assert clear["k-same"] == Skipped(SkipReason.UNCHANGED)
    assert clear["k-gone"] == Skipped(SkipReason.GONE), "deleted since it got its partition: nothing to mend"
    ignored, _ = sort_out_unchanged(
        tmp_path, paths, known, no_copies, force=True, is_ignored=lambda path: "new" in path
    )
    assert ignored["k-new"] == Skipped(SkipReason.IGNORED), "it may still have its partition"
    codes = {key: outcome.code for key, outcome in clear.items() if isinstance(outcome, Failed)}
    assert codes == {"k-odd": "NAME_NOT_UTF8"}


def test_files_that_are_gone_with_the_whole_disk_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "wkmp.db").touch()
    (tmp_path / ".hidden").touch()
    with pytest.raises(LibraryRootError, match="mounted"):
        sort_out_unchanged(tmp_path, {"k": "A/gone.mp3"}, {}, no_copies, force=False)


def test_a_copy_is_unchanged_as_long_as_its_original_is_there(tmp_path: Path) -> None:
    (tmp_path / "b.mp3").write_bytes(b"b")
    known = {"b.mp3": replace(row_of(tmp_path, "b.mp3"), status="DUPLICATE HASH")}
    for is_there in (True, False):
        clear, to_hash = sort_out_unchanged(
            tmp_path, {"k": "b.mp3"}, known, lambda _row, is_=is_there: is_, force=False
        )
        assert (list(clear), list(to_hash)) == ((["k"], []) if is_there else ([], ["k"]))


def test_only_originals_that_are_no_longer_as_they_were_are_read_again(tmp_path: Path) -> None:
    for name in ("same.mp3", "swapped.mp3", "copy.mp3"):
        (tmp_path / name).write_bytes(name.encode())
    same, copy = row_of(tmp_path, "same.mp3"), replace(row_of(tmp_path, "copy.mp3"), status="DUPLICATE HASH")
    swapped = replace(row_of(tmp_path, "swapped.mp3"), size_bytes=99, content_hash="h")
    gone = replace(same, path="gone.mp3")
    in_run = HashedFile("in run.mp3", read_stat(tmp_path / "same.mp3"), "h", None)
    rows = [same, copy, swapped, gone, replace(gone, path="in run.mp3")]
    found = hash_doubtful(tmp_path, {"k": in_run}, {"h": rows})
    assert found == {"swapped.mp3": hashlib.sha256(b"swapped.mp3").hexdigest()}


def test_force_imports_again_what_did_not_change(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"a")
    known = {"a.mp3": row_of(tmp_path, "a.mp3")}
    clear, to_hash = sort_out_unchanged(tmp_path, {"a.mp3": "a.mp3"}, known, no_copies, force=True)
    assert (clear, list(to_hash)) == ({}, ["a.mp3"])
    file = HashedFile("a.mp3", to_hash["a.mp3"], known["a.mp3"].content_hash, known["a.mp3"])
    for force, state in ((True, FileState.CHANGED), (False, FileState.TOUCHED)):
        outcome = identify_hashed({"a.mp3": file}, {}, lambda _path: True, force=force, content_now={})["a.mp3"]
        assert isinstance(outcome, Result)
        assert outcome.value.state is state
        assert outcome.content_hash == file.content_hash


@pytest.mark.parametrize("state", FileState)
def test_only_new_and_changed_content_is_listened_to(state: FileState) -> None:
    outcome = without_known_content(
        {"a": Result(identity(state=state, duplicate_of="b.mp3"), "h")}, is_judged_now=True
    )["a"]
    if state in {FileState.NEW, FileState.CHANGED, FileState.UNCHANGED}:
        assert isinstance(outcome, Result)
    elif state is FileState.DUPLICATE:
        assert outcome == Skipped(SkipReason.DUPLICATE, "same content as b.mp3")
    else:
        assert outcome == Skipped(SkipReason.UNCHANGED)


@pytest.mark.parametrize("outcome", [Failed("p", "C", "m"), Skipped(SkipReason.INTERRUPTED)], ids=["failed", "skipped"])
def test_what_is_no_identity_is_passed_on(outcome: Failed | Skipped) -> None:
    assert without_known_content({"a": outcome}, is_judged_now=True) == {"a": outcome}


def test_a_large_file_in_very_many_pieces_is_not_taken_for_hollow(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.truncate(MIN_HOLLOW_BYTES)
        for number in range(1_001):
            file.seek(number * 128 * 1024)
            file.write(b"x")
    with pytest.raises(HashingStoppedError):  # after its first megabyte
        hash_file(path, "a.wav", lambda: True)
