"""The PCM store evicts the least recently used entries, never those in use, and tolerates lost files."""

import os
import time
from pathlib import Path

import pytest

from wkmp_assets.audio.pcm_store import PcmStore, pcm_file

HOUR_S = 3600


def put(store: PcmStore, content_hash: str, size: int, age_s: float) -> Path:
    path = store.path_for(content_hash)
    path.write_bytes(bytes(size))
    used_at = time.time() - age_s
    os.utime(path, (used_at, used_at))
    return path


def names(store: PcmStore) -> set[str]:
    return {path.name.partition(".")[0] for path in store.root.iterdir()}


def test_what_was_put_under_its_path_is_got_back(tmp_path: Path) -> None:
    store = PcmStore(tmp_path / "deep" / "pcm", 100)
    path = put(store, "a", 10, 0)
    assert store.get("a") == path
    assert store.get("b") is None


def test_a_store_whose_folder_does_not_exist_is_empty(tmp_path: Path) -> None:
    store = PcmStore(tmp_path / "none", 100)
    assert store.get("a") is None
    assert store.evict() == 0


def test_the_name_tells_content_rate_and_format_version(tmp_path: Path) -> None:
    name = PcmStore(tmp_path, 0).path_for("abc").name
    assert name.startswith("abc.")
    assert "11025" in name
    assert "v1" in name


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    store = PcmStore(tmp_path, 25)
    for hours, content_hash in enumerate(["c", "b", "a"], start=1):
        put(store, content_hash, 10, hours * HOUR_S)
    assert store.evict() == 10
    assert names(store) == {"b", "c"}


def test_getting_an_entry_makes_it_recent(tmp_path: Path) -> None:
    store = PcmStore(tmp_path, 10)
    put(store, "old", 10, 5 * HOUR_S)
    put(store, "new", 10, HOUR_S)
    store.get("old")
    store.evict()
    assert names(store) == {"old"}


def test_entries_in_use_or_to_be_kept_stay_even_above_the_limit(tmp_path: Path) -> None:
    store = PcmStore(tmp_path, 0)
    put(store, "recent", 10, 30)
    put(store, "kept", 10, HOUR_S)
    put(store, "old", 10, HOUR_S)
    assert store.evict(keep={"kept"}) == 10
    assert names(store) == {"recent", "kept"}


def test_what_a_killed_writer_left_goes_though_nobody_writes_any_more(
    tmp_path: Path, name_of_a_dead_writer: str
) -> None:
    """The worker died at the last file of a run, so that no other writer follows."""
    store = PcmStore(tmp_path, 1_000)
    put(store, "kept", 10, HOUR_S)
    (tmp_path / name_of_a_dead_writer).write_bytes(bytes(10))
    store.evict()
    assert names(store) == {"kept"}


def test_within_the_limit_nothing_goes(tmp_path: Path) -> None:
    store = PcmStore(tmp_path, 10)
    put(store, "old", 10, 99 * HOUR_S)
    assert store.evict() == 0


def test_a_file_that_is_written_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.pcm"
    with pytest.raises(ZeroDivisionError), pcm_file(path) as pcm:
        pcm.write(bytes(7 // path.exists()))
    assert list(tmp_path.iterdir()) == []
    with pcm_file(path) as pcm:
        pcm.write(bytes(7))
    assert path.read_bytes() == bytes(7)
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_removes_what_a_killed_one_has_left(tmp_path: Path, name_of_a_dead_writer: str) -> None:
    """It does so before it writes, because the leftovers may fill the disk."""
    leftover = tmp_path / name_of_a_dead_writer
    leftover.write_bytes(bytes(7))
    with pcm_file(tmp_path / "a.pcm"):
        assert not leftover.exists()


def test_files_that_other_processes_delete_meanwhile_are_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PcmStore(tmp_path, 0)
    put(store, "a", 10, HOUR_S)
    put(store, "b", 10, 2 * HOUR_S)
    unlink = Path.unlink

    def lose_the_race(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("b"):
            unlink(path)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", lose_the_race)
    assert store.evict() == 10
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_vanishes_before_it_is_looked_at_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PcmStore(tmp_path, 0)
    monkeypatch.setattr(Path, "iterdir", lambda path: iter([path / "gone.pcm"]))
    assert store.evict() == 0
