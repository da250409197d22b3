"""Dagster instances for one test, which are gone when it ends."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster import DagsterInstance

from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage
from wkmp_assets_tests.support.dagster_homes import opened_files

_MEMORY = Path("/dev/shm")  # noqa: S108 - folders with unguessable names


@contextmanager
def memory_instance() -> Iterator[DagsterInstance]:
    """Yield a new instance with the event storage that users have, on a file system in memory where there is one."""
    folder = tempfile.TemporaryDirectory(prefix="wkmp-dagster-", dir=_MEMORY if _MEMORY.is_dir() else None)
    with folder as base, DagsterInstance.ephemeral() as instance:
        Path(base, "index.db").write_bytes(opened_files()["history/runs/index.db"])
        events = KeptOpenEventLogStorage(base)
        events.register_instance(instance)
        vars(instance)["_event_storage"].dispose()
        vars(instance)["_event_storage"] = events
        yield instance


def event_storage(instance: DagsterInstance) -> KeptOpenEventLogStorage:
    """Return the event storage of such an instance."""
    storage = instance.event_log_storage
    assert isinstance(storage, KeptOpenEventLogStorage)
    return storage
