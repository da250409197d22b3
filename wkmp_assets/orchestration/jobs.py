"""The jobs: scan the library, import its files, do a part of that again."""

import dagster as dg

from wkmp_assets.model.phases import ENTRY, FLAVORS, LEAD_POINTS, LOOKUPS, MATCHES, SCAN

KEEP_MEASUREMENTS = {"ops": {phase: {"config": {"keep": True}} for phase in (LEAD_POINTS, FLAVORS)}}
"""Run configuration of a run that only asks the services again."""

scan_job = dg.define_asset_job(
    "scan_library",
    selection=dg.AssetSelection.assets(SCAN),
    description="Finds the audio files of the music folder and registers a partition for each. Imports nothing yet.",
)
import_job = dg.define_asset_job(
    "import_files",
    selection=dg.AssetSelection.groups("import"),
    description="Takes files through all phases to their commit: one file, or a range of them. Files that are in the "
    "library already, unchanged, are skipped; `force: true` for file_identity imports them again.",
)
retry_job = dg.define_asset_job(
    "retry_deferred",
    selection=dg.AssetSelection.assets(LOOKUPS, MATCHES, LEAD_POINTS, FLAVORS, ENTRY),
    config=KEEP_MEASUREMENTS,
    description="Asks the services again about files that are in the library, and commits what they say. Decodes "
    "nothing, and what was measured stays.",
)
reflavor_job = dg.define_asset_job(
    "reflavor",
    selection=dg.AssetSelection.assets(FLAVORS, ENTRY),
    description="Measures again what the music of files is like, asks AcousticBrainz for what is missing, and commits "
    "that. What people defined or noted stays.",
)
