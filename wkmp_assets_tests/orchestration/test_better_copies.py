"""A new file waits while a better copy of it waits for another run, and for no other file."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from dagster import DagsterInstance

from wkmp_assets.db.read.duplicates import read_duplicates
from wkmp_assets.db.read.known_files import read_known_by_path, read_known_files
from wkmp_assets.files.changes import HashedFile
from wkmp_assets.files.hashing import hash_file
from wkmp_assets.files.scan import scan_folder
from wkmp_assets.files.walk import read_stat
from wkmp_assets.model.outcomes import RUN_SCOPED, Failed
from wkmp_assets.orchestration.better_copies import (
    find_better_copies,
    note_equal_sizes,
    note_waits,
    read_waits,
    wait_for,
)
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import Settings
from wkmp_assets_tests.audio.sounds import tone, write_sound
from wkmp_assets_tests.support.builders import bare, commit, entry
from wkmp_assets_tests.support.sensor_tick import run_tick

GOOD, COPY = "Zed/Album/1.mp3", "Downloads/1.mp3"


def put(root: Path, path: str, content: bytes = b"song") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


def scan(settings: Settings) -> None:
    note_equal_sizes(settings, *scan_folder(settings.library, "", []))


def waiting(settings: Settings, *paths: str) -> dict[str, str]:
    library = Library(settings)
    known = read_known_by_path(settings.database_path, paths)
    hashed = {
        path: HashedFile(path, read_stat(library.root / path), hash_file(library.root / path, path), known.get(path))
        for path in paths
    }
    return find_better_copies(library, hashed, {})


def test_a_copy_waits_for_a_better_one_outside_its_run(settings: Settings) -> None:
    for path in (GOOD, COPY, "backup/1.mp3"):
        put(settings.library, path)
    put(settings.library, "Downloads/other.mp3", b"SONG")
    scan(settings)
    assert waiting(settings, COPY, "Downloads/other.mp3") == {COPY: GOOD}
    assert waiting(settings, COPY, GOOD) == {}, "in one run they decide among themselves"
    assert waiting(settings, GOOD) == {}, "the best waits for none"
    assert list(waiting(settings, "backup/1.mp3")) == ["backup/1.mp3"]


@pytest.mark.parametrize("change", ["gone", "other bytes", "other size", "passed over", "failed", "link"])
def test_it_waits_for_no_file_that_will_not_come(settings: Settings, change: str) -> None:
    for path in (GOOD, COPY):
        put(settings.library, path)
    scan(settings)
    assert list(waiting(settings, COPY)) == [COPY]
    good = settings.library / GOOD
    if change == "passed over":
        (settings.library / ".wkmpignore").write_text("Zed\n")
    elif change == "failed":
        commit(settings.database_path, (GOOD, Failed("file_tags", "CODE", "says why")))
    elif change in {"gone", "link"}:
        good.unlink()
        if change == "link":
            good.symlink_to(settings.library / COPY)
    else:
        good.write_bytes(b"SONG" if change == "other bytes" else b"another")
    assert waiting(settings, COPY) == {}


def test_it_waits_for_no_file_that_the_library_has(settings: Settings) -> None:
    for path in (GOOD, COPY):
        put(settings.library, path)
    scan(settings)
    commit(settings.database_path, entry(GOOD, "song"))
    assert waiting(settings, COPY) == {}


def test_of_duplicates_whose_original_is_gone_the_best_takes_its_place(settings: Settings) -> None:
    for path in (GOOD, COPY):
        put(settings.library, path)
    commit(settings.database_path, entry("#snapshot/1.mp3", "song"))
    commit(settings.database_path, *(bare(path, "song", duplicate_of="#snapshot/1.mp3") for path in (GOOD, COPY)))
    known = read_known_files(settings.database_path)
    note_equal_sizes(settings, *scan_folder(settings.library, "", known))
    assert waiting(settings, COPY) == {COPY: GOOD}


def test_without_a_scan_nothing_waits(settings: Settings) -> None:
    for path in (GOOD, COPY):
        put(settings.library, path)
    assert waiting(settings, COPY) == {}


def test_a_run_notes_what_waits_until_one_of_both_is_imported(settings: Settings) -> None:
    for path in (GOOD, COPY, "Downloads/2.mp3", "Zed/Album/2.mp3"):
        put(settings.library, path)
    note_waits(settings, "run-0", {})
    note_waits(settings, "run-1", {COPY: GOOD})
    note_waits(settings, "run-2", {"Downloads/2.mp3": "Zed/Album/2.mp3"})
    changes, _ = scan_folder(settings.library, "", [])
    assert read_waits(settings, changes) == {COPY: GOOD, "Downloads/2.mp3": "Zed/Album/2.mp3"}
    (settings.library / GOOD).unlink()
    changes, _ = scan_folder(settings.library, "", [])
    assert read_waits(settings, changes) == {"Downloads/2.mp3": "Zed/Album/2.mp3"}
    assert [note.stem for note in settings.waits_dir.iterdir()] == ["run-2"]


def test_that_a_file_waits_is_true_for_one_run_only() -> None:
    outcome = wait_for(GOOD)
    assert outcome.reason in RUN_SCOPED
    assert outcome.detail == f"{GOOD} has the same bytes and a better place"


@pytest.mark.slow
def test_the_sensor_imports_the_better_copy_first_and_the_other_with_the_next_tick(
    settings: Settings, instance: DagsterInstance, workers: WorkerPool
) -> None:
    alone = replace(settings, files_per_run=1)
    root = settings.library
    for path in (COPY, GOOD):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
    source = write_sound(root.parent / "source.wav", tone(0.5, 8_000), 8_000)
    os.utime(source, (1_000_000_000, 1_000_000_000))
    for path in (COPY, GOOD):
        shutil.copy2(source, root / path)
    assert run_tick(alone, instance, workers).run_requests is not None
    assert read_duplicates(settings.database_path) == [], "the copy waits"
    assert len(list(settings.waits_dir.iterdir())) == 1
    run_tick(alone, instance, workers)
    (group,) = read_duplicates(settings.database_path)
    assert (group.original, [copy.path for copy in group.copies]) == (GOOD, [COPY])
    assert list(settings.waits_dir.iterdir()) == []
