"""Choices for a run in the Launchpad, and the tags that result; real runs."""

from typing import Any

import dagster as dg
import psutil
import pytest
from dagster._config import Field
from dagster._core.storage.tags import PARTITION_NAME_TAG

from wkmp_assets.model.lead_presets import LeadPreset
from wkmp_assets.orchestration.assets.lead_points import PresetChoice
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import import_job, retry_job, scan_job
from wkmp_assets.orchestration.run_tags import FILES_TAG, FOLDERS_TAG, RESULT_TAG, tags_of_files, tags_of_results
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.builders import column
from wkmp_assets_tests.support.checked_library import BROKEN, QUIET, TAKE, CheckedLibrary
from wkmp_assets_tests.support.music_services import MusicServices
from wkmp_assets_tests.support.processes import is_worker

pytestmark = pytest.mark.slow

SKIP = {"resources": {"network": {"config": {"skip": True}}}}


@pytest.fixture
def library(library: CheckedLibrary, services: MusicServices) -> CheckedLibrary:
    """It asks the music services."""
    return library.with_settings(**services.settings)


def run(
    library: CheckedLibrary, job: str, config: dict[str, Any], workers: WorkerPool | None, **tags: str
) -> dg.ExecuteInProcessResult:
    """Execute a job, with workers of its own unless it is given some."""
    definitions = build_definitions(library.settings, resource_overrides={"workers": workers} if workers else None)
    return definitions.resolve_job_def(job).execute_in_process(
        instance=library.instance, tags=tags, run_config={**QUIET, **config}, raise_on_error=False
    )


def test_a_run_ends_its_workers_though_its_process_goes_on(library: CheckedLibrary) -> None:
    """The process of a run that the daemon launched ends only after its own children."""
    library.add("take.wav", TAKE)
    library.scan()
    before = workers_here()
    assert run(library, import_job.name, SKIP, None, **{PARTITION_NAME_TAG: "take.wav"}).success
    assert "imported" in str(library.instance.get_runs()[0].tags[RESULT_TAG]), "so there were workers"
    assert workers_here() <= before, "other tests may keep theirs"


def workers_here() -> set[psutil.Process]:
    return {process for process in psutil.Process().children() if is_worker(process)}


def outcomes(library: CheckedLibrary) -> list[str]:
    query = "SELECT json_extract(data_extracted, '$.outcome') FROM import_provenance WHERE source_type = 'Lookup'"
    return column(library.database, query)


def test_a_run_that_skips_the_network_asks_nobody_and_what_it_left_is_asked_for_later(
    library: CheckedLibrary, services: MusicServices, workers: WorkerPool
) -> None:
    library.add("take.wav", TAKE)
    library.scan()
    result = run(library, import_job.name, SKIP, workers, **{PARTITION_NAME_TAG: "take.wav"})
    assert result.success
    assert services.asked == []
    assert outcomes(library) == ["deferred"]
    (check,) = [one for one in result.get_asset_check_evaluations() if one.check_name == "lookups_complete"]
    assert "the run was told to skip the network" in (check.description or "")
    assert not check.passed
    assert run(library, retry_job.name, {}, workers, **{PARTITION_NAME_TAG: "take.wav"}).success
    assert services.asked
    assert outcomes(library) == ["match"]


def test_skipping_the_network_keeps_what_was_answered_before(
    library: CheckedLibrary, services: MusicServices, workers: WorkerPool
) -> None:
    library.add("take.wav", TAKE)
    library.scan()
    assert run(library, import_job.name, {}, workers, **{PARTITION_NAME_TAG: "take.wav"}).success
    songs, asked = column(library.database, "SELECT song_id FROM passages"), len(services.asked)
    again = SKIP | {"ops": {"file_identity": {"config": {"force": True}}}}
    assert run(library, import_job.name, again, workers, **{PARTITION_NAME_TAG: "take.wav"}).success
    assert (column(library.database, "SELECT song_id FROM passages"), len(services.asked)) == (songs, asked)
    assert None not in songs


def test_a_run_says_what_it_carries_and_what_came_of_it(library: CheckedLibrary, workers: WorkerPool) -> None:
    library.music.joinpath("Some").mkdir()
    library.add("Some/take.wav", TAKE)
    library.add("Some/text.mp3", BROKEN)
    assert run(library, scan_job.name, {}, workers).success
    done = run(library, import_job.name, SKIP, workers, **{PARTITION_NAME_TAG: "Some/take.wav"})
    assert run(library, import_job.name, SKIP, workers, **{PARTITION_NAME_TAG: "Some/text.mp3"}).success is False
    stored = [record.dagster_run.tags for record in library.instance.get_run_records()]
    said = [{name: tags.get(name) for name in (FILES_TAG, FOLDERS_TAG, RESULT_TAG)} for tags in stored][:2]
    assert done.success
    assert said[0] == {FILES_TAG: "1", FOLDERS_TAG: "Some", RESULT_TAG: "1 failed"}
    assert said[1] == {FILES_TAG: "1", FOLDERS_TAG: "Some", RESULT_TAG: "1 imported"}


def test_tags_name_the_first_folders_and_count_the_others() -> None:
    keys = ["B/2.mp3", "B/1.mp3", "A/C/1.mp3", "D/1.mp3", "E/1.mp3", "top.mp3"]
    said = {FILES_TAG: "6", FOLDERS_TAG: "the library's top folder, A/C, B and 2 more"}
    assert tags_of_files(keys, {}) == said
    assert tags_of_files(["A/1.mp3"], {}) == {FILES_TAG: "1", FOLDERS_TAG: "A"}


def test_whoever_asked_for_a_run_has_the_say_about_its_files() -> None:
    assert tags_of_files(["A/1.mp3", "A/2.mp3"], {FILES_TAG: "1"}) == {FOLDERS_TAG: "A"}


def test_results_are_counted_in_the_words_of_the_summary() -> None:
    assert tags_of_results(["imported", "failed", "imported"]) == {RESULT_TAG: "2 imported, 1 failed"}
    assert tags_of_results([]) == {}


def test_every_preset_can_be_chosen() -> None:
    assert {choice.value for choice in PresetChoice} == {None, *LeadPreset}


def choices(library: CheckedLibrary) -> dict[str, Field]:
    """Every setting of a run that the package adds."""
    definitions = build_definitions(library.settings)
    found = {}
    for job in (scan_job, import_job):
        schema = definitions.resolve_job_def(job.name).run_config_schema.config_type
        for part in ("ops", "resources"):
            for owner, block in schema.fields[part].config_type.fields.items():
                config = block.config_type.fields.get("config")
                for name, field in getattr(config.config_type if config else None, "fields", {}).items():
                    found[f"{owner}.{name}"] = field
    return {name: field for name, field in found.items() if name != "io_manager.base_dir"}  # Dagster's own


def test_every_choice_has_a_default_and_says_what_it_does(library: CheckedLibrary) -> None:
    found = choices(library)
    assert set(found) == {
        "library_scan.folder",
        "file_identity.complete",
        "file_identity.force",
        "lead_points.preset",
        "lead_points.keep",
        "flavors.keep",
        "flavors.decode",
        "network.skip",
    }
    assert all(field.default_provided and len(field.description or "") > 40 for field in found.values())
