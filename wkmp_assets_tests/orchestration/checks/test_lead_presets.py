"""A preset that is chosen for a run, and one that the library has."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG

from wkmp_assets.model.lead_presets import LEAD_PRESETS, LeadPreset
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import KEEP_MEASUREMENTS
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.builders import column, run_sql
from wkmp_assets_tests.support.checked_library import QUIET, TAKE, CheckedLibrary

pytestmark = pytest.mark.slow


def used(library: CheckedLibrary) -> list[dict[str, Any]]:
    stored = column(library.database, "SELECT import_metadata FROM passages")
    return [json.loads(text)["amplitude_analysis"]["parameters_used"] for text in stored]


def expected(preset: LeadPreset) -> dict[str, Any]:
    given = {name.replace("_db", "_dB"): value for name, value in asdict(LEAD_PRESETS[preset]).items()}
    return given | {"apply_a_weighting": False}


def test_the_preset_of_a_run_is_used_and_written_with_every_passage(
    empty_library: CheckedLibrary, workers: WorkerPool
) -> None:
    library = empty_library
    library.add("take.wav", TAKE)
    library.import_all()
    assert used(library) == [expected(LeadPreset.DEFAULT)]
    run_sql(library.database, "INSERT INTO settings (key, value) VALUES ('import_lead_preset', 'electronic')")
    library.import_all(force=True)
    assert used(library) == [expected(LeadPreset.ELECTRONIC)]
    job = build_definitions(library.settings, resource_overrides={"workers": workers}).resolve_job_def("retry_deferred")
    config = {"ops": {"lead_points": {"config": {"preset": "CLASSICAL"}}}}
    result = job.execute_in_process(
        instance=library.instance, tags={PARTITION_NAME_TAG: "take.wav"}, run_config={**QUIET, **config}
    )
    assert result.success
    assert used(library) == [expected(LeadPreset.CLASSICAL)]
    again = job.execute_in_process(
        instance=library.instance, tags={PARTITION_NAME_TAG: "take.wav"}, run_config={**QUIET, **KEEP_MEASUREMENTS}
    )
    assert again.success
    assert used(library) == [expected(LeadPreset.CLASSICAL)], "asking the services again leaves them"
