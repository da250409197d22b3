"""The sample library and the broken files, not imported or imported once for all tests of a process."""

from pathlib import Path

import pytest

from wkmp_assets_tests.support.made_once import made_once
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY, TEST_DATA
from wkmp_assets_tests.support.workplace import Imported, Workplace, make_workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """The sample library, not imported yet."""
    return make_workplace(tmp_path, SAMPLE_LIBRARY)


def _imported(folder: Path, music: Path) -> Imported:
    place = make_workplace(folder, music)
    return Imported(place, place.wkmp("import", place.music))


@pytest.fixture(scope="session")
def imported_sample(request: pytest.FixtureRequest) -> Imported:
    """The sample library after an import."""
    return made_once(request, "imported-sample", lambda folder: _imported(folder, SAMPLE_LIBRARY))


@pytest.fixture(scope="session")
def imported_broken(request: pytest.FixtureRequest) -> Imported:
    """The broken files after an import."""
    return made_once(request, "imported-broken", lambda folder: _imported(folder, TEST_DATA / "broken_files"))
