"""Ten thousand files in one folder are found, registered and divided into runs, and none is opened."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate, repeat
from pathlib import Path

import pytest

from wkmp_assets.model.work_estimates import FILE_S
from wkmp_assets.orchestration.run_requests.run_sizes import REQUEST_WORK_S
from wkmp_assets.orchestration.run_requests.survey import survey_library
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.checked_library import CheckedLibrary
from wkmp_assets_tests.support.memory_instance import memory_instance

FILES = 10_000
PER_RUN = next(count for count, work_s in enumerate(accumulate(repeat(FILE_S)), start=1) if work_s >= REQUEST_WORK_S)
"""They are empty: each takes the time that any file takes."""


@pytest.mark.long
def test_a_folder_of_ten_thousand_files_is_scanned_and_asked_for_in_bounded_runs(tmp_path: Path) -> None:
    (music := tmp_path / "music").mkdir()
    names = [f"{number:05d}.mp3" for number in range(FILES)]
    for name in names:
        (music / name).touch()
    with memory_instance() as instance:
        library = CheckedLibrary(music, instance, WorkerPool(1, RunControl()))
        library.scan()
        assert library.keys == names
        later = datetime.now(UTC) + timedelta(hours=1)
        survey = survey_library(library.settings, instance, {}, max_runs=4, now=later)
    assert [len(files.keys) for files in survey.plan.ranges] == [PER_RUN] * 4
    assert survey.plan.postponed_count == FILES - 4 * PER_RUN
    assert [key for files in survey.plan.ranges for key in files.keys] == names[: 4 * PER_RUN]
