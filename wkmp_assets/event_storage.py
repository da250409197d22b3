"""Keeps the name that existing `dagster.yaml` files use for the event storage, for one release."""

from wkmp_assets.orchestration.instance.event_log import KeptOpenSqliteStorage as KeptOpenSqliteStorage
