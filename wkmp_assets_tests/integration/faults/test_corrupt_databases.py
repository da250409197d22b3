"""A damaged database file gives a clear error and is not changed, and an import after a restore succeeds."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from wkmp_assets.db.read.known_files import read_known_files
from wkmp_assets.errors import CorruptLibraryError
from wkmp_assets_tests.integration.faults.conftest import Reference
from wkmp_assets_tests.integration.faults.extent import EXTENT, IS_FULL, full_form, repeatable
from wkmp_assets_tests.integration.faults.imports import clear_error, succeed
from wkmp_assets_tests.support.builders import commit, entry, in_a_row
from wkmp_assets_tests.support.library_rows import library_rows
from wkmp_assets_tests.support.workplace import Workplace

PAGE_BYTES = 4096


def garbage(database: Path, offset: int, length: int) -> None:
    with database.open("r+b") as file:
        file.seek(offset)
        file.write(random.Random(EXTENT.seed + offset).randbytes(length))


def header(database: Path) -> None:
    garbage(database, 0, 100)


def table_of_files(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'files'").fetchone()
    garbage(database, (page - 1) * PAGE_BYTES, PAGE_BYTES)


def schema(database: Path) -> None:
    garbage(database, 100, PAGE_BYTES - 100)


def second_half(database: Path) -> None:
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2)


def all_but_the_header(database: Path) -> None:
    with database.open("r+b") as file:
        file.truncate(100)


@full_form
@pytest.mark.parametrize("damage", [header, table_of_files, schema, second_half, all_but_the_header])
def test_a_damaged_database_is_named_and_left_as_it_is_until_a_backup_is_back(
    half_imported: Workplace, short_library: Reference, damage: Callable[[Path], None]
) -> None:
    database = half_imported.database
    backup = Path(shutil.copy(database, half_imported.home / "backup.db"))
    damage(database)
    before = database.read_bytes()
    error = clear_error(half_imported.wkmp("import", half_imported.music))
    assert f"{database} is not a usable SQLite database" in error
    assert "Restore a backup" in error
    assert database.read_bytes() == before
    shutil.copy(backup, database)
    succeed(half_imported.wkmp("import", half_imported.music))
    assert library_rows(database) == library_rows(short_library.databases[0])


def test_garbage_in_any_page_is_found_out_or_not_in_the_way(tmp_path: Path) -> None:
    """SQLite reads only the pages it needs, so a commit may succeed although another page is damaged."""
    whole, database = tmp_path / "whole.db", tmp_path / "damaged.db"
    commit(whole, *(entry(f"{number}.flac", content=str(number), bounds=in_a_row(4)) for number in range(12)))
    found_out = 0
    pages = whole.stat().st_size // PAGE_BYTES
    for page in range(0, pages, 1 if IS_FULL else 5):
        shutil.copy(whole, database)
        garbage(database, page * PAGE_BYTES, PAGE_BYTES)
        before = database.read_bytes()
        with repeatable(f"page {page} of {pages}"):
            try:
                read_known_files(database)
                commit(database, entry("new.flac", content="new", bounds=in_a_row(4)))
            except CorruptLibraryError:
                found_out += 1
                assert database.read_bytes() == before
        for log in tmp_path.glob("damaged.db-*"):
            log.unlink()
    assert found_out
