"""The sample library and the broken files, to be imported or imported once for all tests of a process."""

from pathlib import Path

import pytest

from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY, TEST_DATA
from wkmp_assets_tests.support.workplace import Imported, Workplace, make_workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """The sample library, not imported yet."""
    return make_workplace(tmp_path, SAMPLE_LIBRARY)


@pytest.fixture(scope="session")
def imported_sample(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    place = make_workplace(tmp_path_factory.mktemp("sample"), SAMPLE_LIBRARY)
    return Imported(place, place.wkmp_process("import", place.music))


@pytest.fixture(scope="session")
def imported_broken(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    place = make_workplace(tmp_path_factory.mktemp("broken"), TEST_DATA / "broken_files")
    return Imported(place, place.wkmp_process("import", place.music))
