"""One file does not hold up the others: sparse, growing and huge files, and a stop while a file is hashed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from wkmp_assets.errors import FileChangedError, HashingStoppedError, HollowFileError
from wkmp_assets.files.changes import HashedFile
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.identity import hash_doubtful, sort_out_unchanged
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.outcomes import Failed
from wkmp_assets_tests.support.builders import column, rows
from wkmp_assets_tests.support.checked_library import TAKE, CheckedLibrary

TERABYTES_8 = 8_000_000_000_000


def make_hollow(path: Path, size: int, data: bytes = b"ID3") -> Path:
    with path.open("wb") as file:
        file.write(data)
        file.truncate(size)
    return path


@pytest.mark.slow
def test_a_sparse_file_of_terabytes_fails_at_once_and_the_file_beside_it_is_imported(library: CheckedLibrary) -> None:
    library.add("good.wav", TAKE)
    make_hollow(library.music / "a 8 TB.mp3", TERABYTES_8)
    make_hollow(library.music / "a 8 GB.mp3", 8_000_000_000)
    library.scan()
    library.import_all()
    assert column(library.database, "SELECT path FROM files WHERE status = 'INGEST COMPLETE'") == ["good.wav"]
    failed = {row["path"]: row["code"] for row in rows(library.database, "SELECT path, code FROM import_failures")}
    assert failed == {"a 8 TB.mp3": "TOO_LARGE", "a 8 GB.mp3": "HOLLOW"}


def test_a_file_that_is_mostly_holes_says_how_much_it_has(tmp_path: Path) -> None:
    path = make_hollow(tmp_path / "a.mp3", 8_000_000_000)
    with pytest.raises(HollowFileError, match=r"of its 8,000 MB, the disk holds 0 MB; let its download end"):
        hash_file(path, "a.mp3")


def test_a_small_file_with_holes_is_hashed_and_a_large_one_with_data_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hash_file(make_hollow(tmp_path / "a.mp3", 3_000_000), "a.mp3")
    monkeypatch.setattr("wkmp_assets.files.hashing.MIN_HOLLOW_BYTES", 1_000_000)
    assert hash_file(make_hollow(tmp_path / "b.mp3", 3_000_000, b"x" * 400_000), "b.mp3")
    with pytest.raises(HollowFileError):
        hash_file(make_hollow(tmp_path / "c.mp3", 3_000_000), "c.mp3")


def test_a_file_that_grows_without_end_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(b"x" * 1_500_000)

    def grow() -> bool:
        with path.open("ab") as file:
            file.write(b"x" * 2_000_000)
        return False

    with pytest.raises(FileChangedError, match="it grew while it was read"):
        hash_file(path, "a.mp3", grow)


def test_hashing_stops_between_two_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(b"x" * 5_000_000)
    asked: list[bool] = []

    def stop_soon() -> bool:
        asked.append(True)
        return len(asked) == 2

    with pytest.raises(HashingStoppedError):
        hash_file(path, "a.mp3", stop_soon)
    assert len(asked) == 2


def known(root: Path, path: str) -> KnownFile:
    stat = read_stat(root / path)
    return KnownFile("guid", path, "0" * 64, "INGEST COMPLETE", stat.modified_at, stat.size_bytes + 1)


def test_originals_that_are_compared_have_the_same_limits(tmp_path: Path) -> None:
    (tmp_path / "new.mp3").write_bytes(b"new")
    make_hollow(tmp_path / "old.mp3", TERABYTES_8)
    hashed = {"k": HashedFile("new.mp3", read_stat(tmp_path / "new.mp3"), "0" * 64, None)}
    same: Mapping[str, list[KnownFile]] = {"0" * 64: [known(tmp_path, "old.mp3")]}
    assert hash_doubtful(tmp_path, hashed, same, max_bytes=64_000_000_000) == {}
    (tmp_path / "old.mp3").write_bytes(b"old")
    with pytest.raises(HashingStoppedError):
        hash_doubtful(tmp_path, hashed, same, is_stopping=lambda: True)


def test_the_largest_files_come_last_and_none_larger_than_the_settings_allow(tmp_path: Path) -> None:
    sizes = {"1 large": 2_000_000_000, "2": 5, "3": 3, "4 too large": 5_000_000_000}
    for path, size in sizes.items():
        make_hollow(tmp_path / path, size)
    clear, to_hash = sort_out_unchanged(
        tmp_path, {path: path for path in sizes}, {}, lambda _: False, force=False, max_bytes=4_000_000_000
    )
    assert list(to_hash) == ["2", "3", "1 large"]
    (failed,) = clear.values()
    assert isinstance(failed, Failed)
    assert failed.code == "TOO_LARGE"
    assert "5,000 MB, and 4,000 MB are allowed" in failed.message
