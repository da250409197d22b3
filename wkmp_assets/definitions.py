"""What Dagster loads: `dagster dev -m wkmp_assets.definitions`."""

from wkmp_assets.runtime.loading import loading_modules

with loading_modules():  # the process of a run starts with this, and so does the code server
    from wkmp_assets.orchestration.build import build_definitions

    defs = build_definitions()
