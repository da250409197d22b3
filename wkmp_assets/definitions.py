"""What Dagster loads: `dagster dev -m wkmp_assets.definitions`."""

from wkmp_assets.orchestration.build import build_definitions

defs = build_definitions()
