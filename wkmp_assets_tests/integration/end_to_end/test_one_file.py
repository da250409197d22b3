"""After every kind of import, `wkmp.db` alone is the library: a copy of it needs no other file."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from wkmp_assets.db.kept_open import keep_open
from wkmp_assets_tests.support.builders import run_sql
from wkmp_assets_tests.support.library_rows import library_rows
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.support.workplace import Workplace, interrupt

SONG = "azrael1322/azrael1.mp3"
FLAC = "Destructavator/UFO Alien Invasion/02 David02... Continued.flac"


def second_import(place: Workplace) -> None:
    (place.music / FLAC).rename(place.home / "later.flac")
    assert place.wkmp_process("import", place.music).returncode == 0
    (place.home / "later.flac").rename(place.music / FLAC)
    assert place.wkmp_process("import", place.music).returncode == 0


def several_runs(place: Workplace) -> None:
    place.extra = {"WKMP_FILES_PER_RUN": "1"}
    assert place.wkmp_process("import", place.music / "Maxstack").returncode == 0
    assert place.wkmp_process("import", place.music / "Destructavator").returncode == 0


def one_partition(place: Workplace) -> None:
    assert place.wkmp_process("import", place.music / "Maxstack").returncode == 0
    assert place.materialize_process("--select", "library_scan").returncode == 0
    assert place.materialize_process("--select", "group:import", "--partition", SONG).returncode == 0


def look_up_again(place: Workplace) -> None:
    assert place.wkmp_process("import", place.music / "azrael1322").returncode == 0
    assert place.wkmp_process("import", place.music, "--retry-deferred").returncode == 0


def marks_of_a_scan(place: Workplace) -> None:
    assert place.wkmp_process("import", place.music / "Maxstack").returncode == 0
    next((place.music / "Maxstack").rglob("*.ogg")).unlink()
    assert place.materialize_process("--select", "library_scan").returncode == 0


def prune(place: Workplace) -> None:
    shutil.rmtree(place.music / "Destructavator")
    assert place.wkmp_process("import", place.music).returncode == 0
    next((place.music / "Maxstack").rglob("*.flac")).unlink()
    before = library_rows(place.database)
    with keep_open(place.database):  # as a run that waits for its turn has it
        assert place.wkmp_process("prune", place.music, "--yes").returncode == 0
    assert library_rows(place.database) != before, "a file is gone"


def ctrl_c(place: Workplace) -> None:
    assert place.wkmp_process("import", place.music / "Maxstack").returncode == 0
    place.extra = {"WKMP_FILES_PER_RUN": "1"}
    process = place.start("import", place.music)
    wait_until(lambda: len(library_rows(place.database)["files"]) > 4 or process.poll() is not None, "one is in")
    interrupt(process)
    process.communicate()
    assert process.returncode == 1


def killed_and_nothing_left_to_do(place: Workplace) -> None:
    """The previous import left its log; this one finds every file unchanged, and writes nothing."""
    assert place.wkmp_process("import", place.music / "Maxstack").returncode == 0
    kept = place.home / "kept"
    kept.mkdir()
    with keep_open(place.database):
        run_sql(place.database, "UPDATE passages SET user_title = 'as it was when the power went'")
        for file in place.music.glob("wkmp.db*"):
            shutil.copy(file, kept)
    for file in kept.iterdir():
        shutil.copy(file, place.music)
    assert rows_alone(place) != library_rows(place.database), "or there is nothing to be brought to rest"
    for file in kept.iterdir():
        shutil.copy(file, place.music)
    assert place.wkmp_process("import", place.music / "Maxstack").returncode == 0


WAYS: dict[str, Callable[[Workplace], None]] = {
    way.__name__: way
    for way in (
        second_import,
        several_runs,
        one_partition,
        look_up_again,
        marks_of_a_scan,
        prune,
        ctrl_c,
        killed_and_nothing_left_to_do,
    )
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_database_alone_is_the_library(workplace: Workplace, way: Callable[[Workplace], None]) -> None:
    way(workplace)
    assert rows_alone(workplace) == library_rows(workplace.database)


def test_imports_side_by_side_leave_it_to_the_last(workplace: Workplace) -> None:
    assert workplace.wkmp_process("import", workplace.music / "azrael1322").returncode == 0
    folders = [workplace.music / name for name in ("Maxstack", "Destructavator")]
    for process in [workplace.start("import", folder) for folder in folders]:
        process.communicate()
        assert process.returncode == 0
    assert rows_alone(workplace) == library_rows(workplace.database)


def test_a_reader_in_the_middle_of_something_fails_no_import(workplace: Workplace) -> None:
    assert workplace.wkmp("import", workplace.music / "azrael1322").returncode == 0
    with closing(sqlite3.connect(workplace.database, isolation_level=None)) as player:
        player.execute("BEGIN")
        player.execute("SELECT count(*) FROM files").fetchone()
        assert workplace.wkmp("import", workplace.music / "Maxstack").returncode == 0
        player.execute("COMMIT")
    assert workplace.wkmp("import", workplace.music / "Maxstack").returncode == 0
    assert rows_alone(workplace) == library_rows(workplace.database)


def rows_alone(place: Workplace) -> object:
    """Return the rows in a copy of the one file, read without any file beside it."""
    copy = place.home / "copy" / "wkmp.db"
    copy.parent.mkdir(exist_ok=True)
    shutil.copyfile(place.database, copy)
    with closing(sqlite3.connect(f"{copy.as_uri()}?immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        whole = place.home / "copy" / "whole.db"
        whole.unlink(missing_ok=True)
        with closing(sqlite3.connect(whole)) as other:
            connection.backup(other)
    return library_rows(whole)
