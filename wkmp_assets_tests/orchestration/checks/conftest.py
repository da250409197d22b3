"""A library to damage: imported once, put back before every test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.checked_library import (
    BROKEN,
    MIX,
    SILENT,
    SONG,
    CheckedLibrary,
    Evaluations,
    checked_library,
)
from wkmp_assets_tests.support.paths import TEST_DATA

FILES = {"mix.flac": MIX, "silent.flac": SILENT, "song.flac": SONG, "text.mp3": BROKEN, "twin.flac": SONG}
"""Three passages; none; one with a song; not importable; a duplicate."""


@pytest.fixture(scope="session")
def imported(
    tmp_path_factory: pytest.TempPathFactory, workers: WorkerPool
) -> Iterator[tuple[CheckedLibrary, Evaluations]]:
    """A library with one file of every kind, and what the checks said when it was imported."""
    with checked_library(tmp_path_factory.mktemp("checked"), workers) as library:
        for name, source in FILES.items():
            library.add(name, source)
        evaluations = library.import_all()
        shutil.copy(library.database, library.database.with_suffix(".kept"))
        yield library, evaluations


@pytest.fixture
def library(imported: tuple[CheckedLibrary, Evaluations]) -> Iterator[CheckedLibrary]:
    """The imported library. Changes of a test to its database are undone."""
    library, _ = imported
    yield library
    for suffix in ("-wal", "-shm"):
        Path(f"{library.database}{suffix}").unlink(missing_ok=True)
    shutil.copy(library.database.with_suffix(".kept"), library.database)


@pytest.fixture
def empty_library(tmp_path: Path, workers: WorkerPool) -> Iterator[CheckedLibrary]:
    """A library without files."""
    with checked_library(tmp_path, workers) as library:
        yield library


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder of two recordings, not imported."""
    folder = tmp_path / "music"
    folder.mkdir()
    shutil.copy(TEST_DATA / "sample_library/azrael1322/azrael1.mp3", folder / "song.mp3")
    shutil.copy(TEST_DATA / "sample_library/Marine Baklund/Recordings/04 Urban Warfare.wav", folder / "take.wav")
    return folder
