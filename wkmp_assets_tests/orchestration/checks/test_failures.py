"""`files_imported`, seen green and red in a real instance."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from wkmp_assets.cli.importer import LibraryImporter
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.paths import TEST_DATA


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    shutil.copy(TEST_DATA / "sample_library/azrael1322/azrael1.mp3", folder / "song.mp3")
    shutil.copy(TEST_DATA / "sample_library/Unsorted/untitled take.wav", folder / "take.wav")
    return folder


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def import_and_check(music: Path, instance: DagsterInstance) -> dg.AssetCheckEvaluation:
    settings = load_settings(library_root=music, state_dir=music.parent / "state", workers=1)
    importer = LibraryImporter(settings, instance, RunControl())
    try:
        list(importer.run(importer.plan(importer.scan().to_import)))
    finally:
        importer.close()
    key = dg.AssetCheckKey(dg.AssetKey("library_entry"), "files_imported")
    (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    evaluation = record.event.dagster_event
    assert evaluation is not None
    return evaluation.asset_check_evaluation_data


def test_it_passes_when_all_files_are_in_the_library(music: Path, instance: DagsterInstance) -> None:
    evaluation = import_and_check(music, instance)
    assert evaluation.passed
    assert evaluation.metadata["files"].value == 2


def test_it_fails_and_names_the_file_that_is_not(music: Path, instance: DagsterInstance) -> None:
    shutil.copy(TEST_DATA / "broken_files/text.mp3", music / "not music.mp3")
    evaluation = import_and_check(music, instance)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert "not music.mp3" in str(evaluation.description)
    table = evaluation.metadata["failures"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data["path"] for record in table.records] == ["not music.mp3"]
