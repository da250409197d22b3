"""`files_imported`, green and red in a real instance."""

import shutil
import wave
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from wkmp_assets.model.phases import ENTRY
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.checked_library import CheckedLibrary, last_evaluation
from wkmp_assets_tests.support.paths import TEST_DATA

pytestmark = pytest.mark.slow


def import_and_check(music: Path, instance: DagsterInstance, workers: WorkerPool) -> dg.AssetCheckEvaluation:
    CheckedLibrary(music, instance, workers).import_all()
    return last_evaluation(instance, ENTRY, "files_imported")


def test_it_passes_when_all_files_are_in_the_library(
    music: Path, instance: DagsterInstance, workers: WorkerPool
) -> None:
    evaluation = import_and_check(music, instance, workers)
    assert evaluation.passed
    assert evaluation.metadata["files"].value == 2
    assert evaluation.description == "2 of 2 files imported"


def test_it_counts_duplicates_and_files_without_sound(
    music: Path, instance: DagsterInstance, workers: WorkerPool
) -> None:
    shutil.copy(music / "song.mp3", music / "twin.mp3")
    with wave.open(str(music / "silence.wav"), "wb") as silence:
        silence.setparams((1, 2, 8000, 0, "NONE", ""))
        silence.writeframes(bytes(2 * 8000 * 10))
    evaluation = import_and_check(music, instance, workers)
    assert evaluation.passed
    assert evaluation.description == "4 of 4 files imported (1 duplicate, 1 without audio)"


def test_it_fails_and_names_the_file_that_is_not(music: Path, instance: DagsterInstance, workers: WorkerPool) -> None:
    shutil.copy(TEST_DATA / "broken_files/text.mp3", music / "not music.mp3")
    evaluation = import_and_check(music, instance, workers)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert "not music.mp3" in str(evaluation.description)
    table = evaluation.metadata["failures"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data["path"] for record in table.records] == ["not music.mp3"]
