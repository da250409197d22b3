"""A run of `wkmp import` takes some seconds on any number of workers, the first one less."""

from pathlib import Path

import pytest

from wkmp_assets.orchestration.run_requests.ranges import FileRange, plan_ranges
from wkmp_assets.orchestration.run_requests.run_sizes import ALONE_S, MAX_FILES_OF_IMPORT, size_of_import
from wkmp_assets.settings import load_settings

ORDERED = [f"{number:04}" for number in range(2000)]


def ranges_of_import(folder: Path, workers: int, work_s: float) -> list[FileRange]:
    settings = load_settings(library_root=folder, state_dir=folder / "state", workers=workers)
    return plan_ranges(ORDERED, ORDERED, size_of_import(settings), dict.fromkeys(ORDERED, work_s))


@pytest.mark.parametrize("workers", [2, 3, 9, 17])
def test_a_run_of_songs_takes_four_seconds_or_so_and_the_first_one(tmp_path: Path, workers: int) -> None:
    first, second, *others, _last = ranges_of_import(tmp_path, workers, 0.9)
    cpus = workers - 1
    assert 0.5 <= first.work_s / cpus <= 2.3
    assert first.work_s < second.work_s <= others[0].work_s
    assert all(2.5 <= files.work_s / cpus <= 7 for files in others)


def test_a_run_of_short_files_holds_a_hundred_or_more(tmp_path: Path) -> None:
    assert 100 <= max(len(files.keys) for files in ranges_of_import(tmp_path, 3, 0.05)) <= MAX_FILES_OF_IMPORT


@pytest.mark.parametrize("workers", [2, 17])
def test_what_one_worker_does_for_long_is_waited_for_by_nobody(tmp_path: Path, workers: int) -> None:
    assert not any(files.is_large for files in ranges_of_import(tmp_path, workers, ALONE_S - 1))
    assert all(files.is_large for files in ranges_of_import(tmp_path, workers, ALONE_S + 1))
