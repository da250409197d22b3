"""The jobs: scan the music folder, import files, repeat lookups, measure flavors again."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from wkmp_assets.model.phases import ENTRY, FLAVORS, LEAD_POINTS, LOOKUPS, MATCHES, SCAN
from wkmp_assets.orchestration.run_tags import tags_of_library
from wkmp_assets.settings import Settings

KEEP_MEASUREMENTS = {"ops": {phase: {"config": {"keep": True}} for phase in (LEAD_POINTS, FLAVORS)}}
"""Configuration of a run that asks the services again and keeps all measurements."""

scan_job = dg.define_asset_job(
    "scan_library",
    selection=dg.AssetSelection.assets(SCAN),
    description="Finds the audio files of the music folder, registers a partition for each, and marks missing files. "
    "Imports no file.",
)
import_job = dg.define_asset_job(
    "import_files",
    selection=dg.AssetSelection.groups("import"),
    description="Imports one file or a range of files through all phases, each in one transaction. Unchanged files are "
    "skipped. `force: true` for file_identity imports them again.",
)
retry_job = dg.define_asset_job(
    "retry_deferred",
    selection=dg.AssetSelection.assets(LOOKUPS, MATCHES, LEAD_POINTS, FLAVORS, ENTRY),
    config=KEEP_MEASUREMENTS,
    description="Asks AcoustID, MusicBrainz and AcousticBrainz again about files with deferred lookups, and commits "
    "the answers. Decodes no file and keeps all measurements.",
)
failed_job = dg.define_asset_job(
    "failed_files",
    selection=dg.AssetSelection.groups("import"),
    description="Do not launch this job. When a file fails in a run of many, a failed run of this job records why, so "
    "that only the partition of that file is Failed. To import the file again, materialize its partition.",
)
reflavor_job = dg.define_asset_job(
    "reflavor",
    selection=dg.AssetSelection.assets(FLAVORS, ENTRY),
    description="Measures the flavor of files again, asks AcousticBrainz for missing classes, and commits both. "
    "Flavors that people defined stay.",
)


def jobs_of_library(settings: Settings) -> Sequence[Any]:  # Dagster does not export the type of an asset job
    """Return all jobs, with the library's tag on every run of them."""
    return [
        dg.define_asset_job(
            job.name,
            selection=job.selection,
            config=job.config,
            description=job.description,
            run_tags=tags_of_library(settings),
        )
        for job in (scan_job, import_job, retry_job, reflavor_job, failed_job)
    ]
