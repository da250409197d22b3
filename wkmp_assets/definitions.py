"""What Dagster loads: `dagster dev -m wkmp_assets.definitions`."""

from wkmp_assets.build import build_definitions

defs = build_definitions()
