"""Temporary files of killed processes are removed, those of running processes stay."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wkmp_assets.errors import StateDiskError
from wkmp_assets.runtime.atomic_files import (
    MIN_LEFTOVER_AGE_S,
    remove_leftovers,
    replace_durably,
    temporary_name,
    translate_disk_errors,
    write_atomically,
)


def put(path: Path, age_s: float = 0) -> Path:
    path.write_bytes(b"part")
    os.utime(path, (time.time() - age_s, time.time() - age_s))
    return path


def test_the_file_of_a_dead_process_goes_at_once(tmp_path: Path, name_of_a_dead_writer: str) -> None:
    put(tmp_path / name_of_a_dead_writer)
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_a_running_process_stays_however_old(tmp_path: Path) -> None:
    own = put(tmp_path / temporary_name("own.json"), age_s=9 * MIN_LEFTOVER_AGE_S)
    code = (
        "import sys; from wkmp_assets.runtime.atomic_files import temporary_name as t; "
        "print(t('x')); sys.stdout.flush(); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        others = put(tmp_path / other.stdout.readline().strip(), age_s=9 * MIN_LEFTOVER_AGE_S)
        remove_leftovers(tmp_path)
        assert set(tmp_path.iterdir()) == {own, others}
        other.communicate("done\n")
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [own]


@pytest.mark.parametrize("name", ["x.json.another-machine.1.tmp", "of-an-older-version.tmp", ".tmp"])
def test_a_file_of_who_knows_whom_goes_when_nobody_has_written_to_it_for_long(tmp_path: Path, name: str) -> None:
    put(tmp_path / name, age_s=MIN_LEFTOVER_AGE_S / 2)
    remove_leftovers(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    put(tmp_path / name, age_s=MIN_LEFTOVER_AGE_S * 2)
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_temporary_files_go(tmp_path: Path) -> None:
    kept = put(tmp_path / "a.json", age_s=9 * MIN_LEFTOVER_AGE_S)
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [kept]


def test_a_folder_that_does_not_exist_has_no_leftovers(tmp_path: Path) -> None:
    remove_leftovers(tmp_path / "none")


def test_a_file_that_another_process_removes_first_is_no_error(
    tmp_path: Path, name_of_a_dead_writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "glob", lambda path, _pattern: iter([path / name_of_a_dead_writer]))
    remove_leftovers(tmp_path)


def test_the_process_of_another_user_is_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_process: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    file = put(tmp_path / temporary_name("x"))
    remove_leftovers(tmp_path)
    assert file.exists()


def test_a_finished_file_replaces_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    (tmp_path / temporary_name("x")).write_text("new")
    replace_durably(tmp_path / temporary_name("x"), tmp_path / "x")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("x", "new")]


def test_an_error_of_the_operating_system_says_what_it_means(tmp_path: Path) -> None:
    with pytest.raises(StateDiskError, match=r"No space.*continues where it stopped"), translate_disk_errors(tmp_path):
        raise OSError(28, "No space left on device")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    target.mkdir()
    with pytest.raises(StateDiskError):
        write_atomically(target, b"{}")
    assert list(tmp_path.iterdir()) == [target]


def test_writing_a_file_removes_what_a_killed_writer_of_it_left(tmp_path: Path, name_of_a_dead_writer: str) -> None:
    target = tmp_path / "left"
    put(tmp_path / name_of_a_dead_writer)
    other = put(tmp_path / f"other-{name_of_a_dead_writer}")
    write_atomically(target, b"{}")
    assert set(tmp_path.iterdir()) == {target, other}
