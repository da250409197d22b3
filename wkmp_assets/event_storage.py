"""Keeps the name that existing `dagster.yaml` files use for the event storage; goes with the next release but one."""

from wkmp_assets.orchestration.instance.event_log import KeptOpenSqliteStorage as KeptOpenSqliteStorage
