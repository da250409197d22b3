"""A library that cannot be written gives a clear error, and none of its bytes change."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wkmp_assets_tests.integration.faults.conftest import Reference
from wkmp_assets_tests.integration.faults.extent import full_form
from wkmp_assets_tests.integration.faults.imports import clear_error, succeed
from wkmp_assets_tests.integration.faults.small_disk import small_disk
from wkmp_assets_tests.support.library_rows import library_rows
from wkmp_assets_tests.support.workplace import Workplace

WITHOUT_ROOT_S_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""Otherwise root ignores permissions."""

needs_setpriv = pytest.mark.skipif(
    bool(WITHOUT_ROOT_S_RIGHTS) and shutil.which("setpriv") is None,
    reason="root needs setpriv (apt-get install util-linux)",
)


def wkmp_import(place: Workplace, *prefix: str) -> "subprocess.CompletedProcess[str]":
    return place.run([*prefix, sys.executable, "-m", "wkmp_assets.cli.main", "import", str(place.music)])


def files_of_library(database: Path) -> dict[str, bytes]:
    """Bytes of the database and of the files beside it, without empty logs and locks."""
    files = {path.name: path.read_bytes() for path in database.parent.glob("wkmp.db*") if path.suffix != ".db-shm"}
    return {name: content for name, content in files.items() if content}


def the_file(database: Path) -> None:
    database.chmod(0o444)


def the_folder(database: Path) -> None:
    database.parent.chmod(0o555)


def both(database: Path) -> None:
    the_file(database)
    the_folder(database)


@full_form
@needs_setpriv
@pytest.mark.parametrize("forbid", [the_file, the_folder, both])
def test_a_library_without_permission_to_write_is_left_as_it_was(
    half_imported: Workplace, short_library: Reference, forbid: Callable[[Path], None]
) -> None:
    database = half_imported.database
    before = files_of_library(database)
    forbid(database)
    error = clear_error(wkmp_import(half_imported, *WITHOUT_ROOT_S_RIGHTS))
    assert f"cannot write to {database}" in error
    assert "check the permissions" in error
    assert files_of_library(database) == before
    database.parent.chmod(0o755)
    for file in database.parent.glob("wkmp.db*"):  # SQLite gives the files beside a database the same permissions
        file.chmod(0o644)
    succeed(wkmp_import(half_imported, *WITHOUT_ROOT_S_RIGHTS))
    assert library_rows(database) == library_rows(short_library.databases[0])


@full_form
@needs_setpriv
def test_a_library_that_cannot_be_made_is_an_error_and_leaves_nothing(short_place: Workplace) -> None:
    the_folder(short_place.database)
    assert "cannot write to" in clear_error(wkmp_import(short_place, *WITHOUT_ROOT_S_RIGHTS))
    assert list(short_place.music.glob("wkmp.db*")) == []


@full_form
def test_a_library_on_a_read_only_disk_is_left_as_it_was(half_imported: Workplace, tmp_path: Path) -> None:
    (folder := tmp_path / "disk").mkdir()
    with small_disk(folder, size_mb=32) as disk:
        database = disk.seen_from_here / "wkmp.db"
        half_imported.extra = {"WKMP_DATABASE": str(disk.path / "wkmp.db")}
        shutil.copy(half_imported.database, database)
        before = files_of_library(database)
        disk.make_read_only()
        assert "cannot write to" in clear_error(wkmp_import(half_imported, *disk.prefix))
        assert files_of_library(database) == before
