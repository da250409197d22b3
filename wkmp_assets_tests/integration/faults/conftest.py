"""Fixtures of the fault suite, and its table of kills."""

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from wkmp_assets_tests.integration.corpus.sound_bytes import plain
from wkmp_assets_tests.integration.faults.extent import IS_FULL
from wkmp_assets_tests.integration.faults.imports import succeed
from wkmp_assets_tests.support.library_rows import make_library_of
from wkmp_assets_tests.support.made_once import made_once
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.workplace import Workplace, make_workplace

SHORT_FILES = (
    "Destructavator/UFO Alien Invasion/01 David01, First Movement.mp3",
    "Maxstack/Сингулярность/03 Пробуждение.ogg",
    "Unsorted/Copy of David01.mp3",
    "Unsorted/Fifteen Seconds of Nothing.flac",
    "azrael1322/azrael1.mp3",
)
SILENT_FILES = SHORT_FILES[3:4]
"""Copied as it is. In the short form of the suite the others have two seconds of made music, equal where they are."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("faults")


@dataclass(frozen=True)
class Landing:
    """Progress of an import at its kill."""

    step: str
    committed: int
    """Files in the library at that moment."""


_LANDINGS = pytest.StashKey[list[Landing]]()


@pytest.fixture(scope="session")
def landings(pytestconfig: pytest.Config) -> list[Landing]:
    """Every kill of a running import, listed at the end of the session."""
    return pytestconfig.stash.setdefault(_LANDINGS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show how the kills are spread."""
    landed = config.stash.get(_LANDINGS, [])
    if not landed:
        return
    terminalreporter.section(f"{len(landed)} kills of running imports")
    for title, counts in (
        ("during", Counter(one.step for one in landed)),
        ("files in the library", Counter(f"{one.committed:2d}" for one in landed)),
    ):
        terminalreporter.write_line(f"{title}:")
        for what, count in sorted(counts.items()):
            terminalreporter.write_line(f"  {what:20} {count:4d} {'#' * count}")


@dataclass(frozen=True)
class Reference:
    """Music, and the library that every disturbed import of it must end with."""

    music: Path
    databases: tuple[Path, ...]
    """More than one when the order of two imports decides which of two copies is the original."""


def _import_undisturbed(folder: Path, music: Path) -> Reference:
    place = make_workplace(folder, music)
    succeed(place.wkmp("import", place.music))
    return Reference(music, (place.database,))


def _import_short_files(folder: Path) -> Reference:
    for path in SHORT_FILES:
        (file := folder / "few" / path).parent.mkdir(parents=True, exist_ok=True)
        if IS_FULL or path in SILENT_FILES:
            shutil.copy2(SAMPLE_LIBRARY / path, file)
        else:
            plain(file.suffix[1:])(file, (SAMPLE_LIBRARY / path).stat().st_size)
    return _import_undisturbed(folder, folder / "few")


def _import_in_both_orders(folder: Path) -> Reference:
    for name in ("first", "copies-first"):
        (folder / name).mkdir()
    first = _import_undisturbed(folder / "first", SAMPLE_LIBRARY)
    other = make_workplace(folder / "copies-first", SAMPLE_LIBRARY)
    succeed(other.wkmp("import", other.music / "Unsorted"))
    succeed(other.wkmp("import", other.music))
    return replace(first, databases=(*first.databases, other.database))


@pytest.fixture(scope="session")
def short_library(request: pytest.FixtureRequest) -> Reference:
    """A few short files, two of them copies of each other and one of them silent."""
    return made_once(request, "short-library", _import_short_files)


@pytest.fixture(scope="session")
def sample_library(request: pytest.FixtureRequest) -> Reference:
    """The sample library; also imported with its copies before their originals."""
    return made_once(request, "sample-library", _import_in_both_orders)


@pytest.fixture
def short_place(tmp_path: Path, short_library: Reference) -> Workplace:
    """The few short files, not imported yet."""
    return make_workplace(tmp_path, short_library.music)


@pytest.fixture
def half_imported(short_place: Workplace, short_library: Reference) -> Workplace:
    """The few short files, one of which is in the library."""
    make_library_of(short_library.databases[0], SHORT_FILES[:1], short_place.database)
    return short_place
