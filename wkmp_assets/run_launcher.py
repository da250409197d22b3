"""Keeps the name that existing `dagster.yaml` files use for the run launcher, for one release."""

from wkmp_assets.orchestration.instance.run_launcher import WatchfulRunLauncher as WatchfulRunLauncher
