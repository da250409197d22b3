"""No process of `dagster dev` outlives its test, however the test ends."""

from pathlib import Path

import pytest

from wkmp_assets_tests.integration.browser.browser import full_form
from wkmp_assets_tests.integration.browser.server import dagster_dev, log_of
from wkmp_assets_tests.support.paths import TEST_DATA
from wkmp_assets_tests.support.processes import processes_of
from wkmp_assets_tests.support.workplace import make_workplace


@full_form
@pytest.mark.ui
def test_a_test_that_fails_leaves_no_process_behind(tmp_path: Path) -> None:
    place = make_workplace(tmp_path, TEST_DATA / "broken_files")
    running: list[int] = []

    def fail() -> None:
        with dagster_dev(place):
            running.extend(process.pid for process in processes_of(place.home))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert running
    assert processes_of(place.home) == []


@full_form
@pytest.mark.ui
def test_a_server_that_does_not_start_says_why_and_leaves_no_process_behind(tmp_path: Path) -> None:
    place = make_workplace(tmp_path, TEST_DATA / "broken_files")
    (place.home / "dagster.yaml").write_text("storage: nonsense", encoding="utf-8")
    with (
        pytest.raises(AssertionError, match=r"dagster dev has ended:\n(.|\n)*DagsterInvalidConfigError"),
        dagster_dev(place),
    ):
        pass
    assert log_of(place).exists()
    assert processes_of(place.home) == []
