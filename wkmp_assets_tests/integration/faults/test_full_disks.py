"""A really full disk gives a clear error and no partial file, and with room again the import continues."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets_tests.integration.faults.conftest import SHORT_FILES, Reference
from wkmp_assets_tests.integration.faults.extent import full_form
from wkmp_assets_tests.integration.faults.imports import clear_error, copy_of, look_at_what_is_left, succeed
from wkmp_assets_tests.integration.faults.small_disk import SmallDisk, small_disk
from wkmp_assets_tests.support.library_rows import library_rows, make_library_of
from wkmp_assets_tests.support.workplace import Workplace


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    (folder := tmp_path / "disk").mkdir()
    with small_disk(folder, size_mb=32) as mounted:
        yield mounted


def wkmp_import(place: Workplace, disk: SmallDisk) -> "subprocess.CompletedProcess[str]":
    command = [*disk.prefix, sys.executable, "-m", "wkmp_assets.cli.main", "import", str(place.music)]
    return place.run(command)


def rooms_kb(*rooms: int, in_full: Sequence[int]) -> Any:
    """Free space at the beginning. With each amount, another step of the import fills the disk."""
    return pytest.mark.parametrize("room_kb", [*rooms, *(pytest.param(room, marks=full_form) for room in in_full)])


@rooms_kb(128, in_full=[0, 4, 8, 16, 32, 64, 96, 192, 256, 320, 384, 448])
def test_without_room_for_the_library_nothing_is_partial_and_with_room_the_import_completes(
    short_place: Workplace, short_library: Reference, disk: SmallDisk, room_kb: int
) -> None:
    database = disk.seen_from_here / "wkmp.db"
    short_place.extra = {"WKMP_DATABASE": str(disk.path / "wkmp.db"), "WKMP_FILES_PER_RUN": "1"}
    disk.fill(free_kb=room_kb)
    error = clear_error(wkmp_import(short_place, disk))
    assert f"writing to {disk.path / 'wkmp.db'} failed" in error
    assert "Make room on the disk" in error
    look_at_what_is_left(database, short_place.home / "copy", short_library.databases)
    disk.make_room()
    short_place.extra["WKMP_FILES_PER_RUN"] = "all"
    succeed(wkmp_import(short_place, disk))
    assert library_rows(copy_of(database, short_place.home / "copy")) == library_rows(short_library.databases[0])


@rooms_kb(in_full=[0, 4, 8, 16, 32, 48, 64])
def test_a_library_that_grows_until_the_disk_is_full_keeps_what_it_has(
    short_place: Workplace, short_library: Reference, disk: SmallDisk, room_kb: int
) -> None:
    database = disk.seen_from_here / "wkmp.db"
    short_place.extra = {"WKMP_DATABASE": str(disk.path / "wkmp.db"), "WKMP_FILES_PER_RUN": "1"}
    make_library_of(short_library.databases[0], SHORT_FILES[:1], short_place.home / "one-file.db")
    shutil.copy(short_place.home / "one-file.db", database)
    disk.fill(free_kb=room_kb)
    assert "Make room on the disk" in clear_error(wkmp_import(short_place, disk))
    present = look_at_what_is_left(database, short_place.home / "copy", short_library.databases)
    assert 1 <= len(present) < len(SHORT_FILES)
    disk.make_room()
    succeed(wkmp_import(short_place, disk))
    assert library_rows(copy_of(database, short_place.home / "copy")) == library_rows(short_library.databases[0])


@rooms_kb(in_full=[0, 4, 16, 64, 128, 256, 400, 512, 1024])
def test_without_room_for_phase_values_and_pcm_nothing_is_lost(
    short_place: Workplace, short_library: Reference, disk: SmallDisk, room_kb: int
) -> None:
    short_place.extra = {"WKMP_STATE_DIR": str(disk.path / "state")}
    disk.fill(free_kb=room_kb)
    error = clear_error(wkmp_import(short_place, disk))
    assert f"writing to {disk.path / 'state'}" in error
    assert "Make room on the disk" in error
    look_at_what_is_left(short_place.database, short_place.home / "copy", short_library.databases)
    disk.make_room()
    succeed(wkmp_import(short_place, disk))
    assert library_rows(short_place.database) == library_rows(short_library.databases[0])
    assert not list(disk.seen_from_here.rglob("*.tmp"))


@rooms_kb(in_full=[0, 200, 400, 600, 800, 1000, 1500, 2000, 2500])
def test_without_room_for_anything_but_the_library_nothing_is_lost(
    short_place: Workplace, short_library: Reference, disk: SmallDisk, room_kb: int
) -> None:
    """DAGSTER_HOME is on the full disk, as after a plain installation, so Dagster's own databases fail too."""
    home = disk.seen_from_here / "home"
    home.mkdir()
    shutil.copy(short_place.home / "dagster.yaml", home)
    place = Workplace(disk.path / "home", short_place.music)
    disk.fill(free_kb=room_kb)
    assert "Make room on the disk" in clear_error(wkmp_import(place, disk))
    look_at_what_is_left(place.database, short_place.home / "copy", short_library.databases)
    disk.make_room()
    succeed(wkmp_import(place, disk))
    assert library_rows(place.database) == library_rows(short_library.databases[0])
