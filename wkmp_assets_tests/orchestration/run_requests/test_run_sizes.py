"""A run of `wkmp import` takes some seconds on any number of workers, the first one less."""

from dataclasses import replace
from pathlib import Path

import pytest

from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.orchestration.run_requests.ranges import FileRange, plan_ranges
from wkmp_assets.orchestration.run_requests.run_sizes import (
    ALONE_S,
    MAX_FILES_OF_IMPORT,
    MAX_FILES_OF_REQUEST,
    MAX_WHOLE_FOLDER,
    REQUEST_WORK_S,
    size_of_import,
    size_of_request,
)
from wkmp_assets.settings import load_settings


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WKMP_ACOUSTID_API_KEY", raising=False)


ORDERED = [f"{number:04}" for number in range(2000)]


def ranges_of_import(folder: Path, workers: int, work_s: float) -> list[FileRange]:
    settings = load_settings(library_root=folder, state_dir=folder / "state", workers=workers)
    return plan_ranges(ORDERED, ORDERED, size_of_import(settings), dict.fromkeys(ORDERED, work_s))


@pytest.mark.parametrize("workers", [2, 3, 9, 17])
def test_a_run_of_songs_takes_four_seconds_or_so_and_the_first_one(tmp_path: Path, workers: int) -> None:
    first, second, *others, _last = ranges_of_import(tmp_path, workers, 0.9)
    cpus = workers - 1
    assert 0.3 <= first.work_s / cpus <= 2.3
    assert first.work_s < second.work_s <= others[0].work_s
    assert all(2.5 <= files.work_s / cpus <= 7 for files in others)


def test_a_run_of_short_files_holds_a_hundred_or_more(tmp_path: Path) -> None:
    assert 100 <= max(len(files.keys) for files in ranges_of_import(tmp_path, 3, 0.05)) <= MAX_FILES_OF_IMPORT


@pytest.mark.parametrize("workers", [2, 17])
def test_what_one_worker_does_for_long_is_waited_for_by_nobody(tmp_path: Path, workers: int) -> None:
    assert not any(files.is_large for files in ranges_of_import(tmp_path, workers, ALONE_S - 1))
    assert all(files.is_large for files in ranges_of_import(tmp_path, workers, ALONE_S + 1))


def test_a_run_of_tiny_files_holds_no_more_than_a_commit_should_wait_for(tmp_path: Path) -> None:
    sizes = [len(files.keys) for files in ranges_of_import(tmp_path, 17, 0.001)]
    assert max(sizes) == MAX_FILES_OF_IMPORT


def test_a_number_of_files_that_is_set_limits_every_run(tmp_path: Path) -> None:
    settings = load_settings(library_root=tmp_path, state_dir=tmp_path / "state", files_per_run=7)
    assert (size_of_import(settings).files, size_of_request(settings).files) == (7, 7)


@pytest.mark.usefixtures("own_home")
def test_a_folder_is_one_run_where_its_files_ask_a_service_together(tmp_path: Path) -> None:
    settings = load_settings(library_root=tmp_path, state_dir=tmp_path / "state")
    assert size_of_import(settings).whole_folder == 0
    assert size_of_import(replace(settings, acoustid_api_key=Secret("mine"))).whole_folder > 0


def test_a_run_of_the_sensor_is_worth_the_start_of_its_process(tmp_path: Path) -> None:
    settings = load_settings(library_root=tmp_path, state_dir=tmp_path / "state")
    size = size_of_request(settings)
    assert (size.files, size.whole_folder) == (MAX_FILES_OF_REQUEST, MAX_WHOLE_FOLDER)
    runs = plan_ranges(ORDERED, ORDERED, size, dict.fromkeys(ORDERED, 0.9))
    assert all(30 <= files.work_s <= 2 * REQUEST_WORK_S for files in runs[:-1])
