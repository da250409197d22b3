"""Keeps the name that existing `dagster.yaml` files use for the run launcher; goes with the next release but one."""

from wkmp_assets.orchestration.instance.run_launcher import WatchfulRunLauncher as WatchfulRunLauncher
