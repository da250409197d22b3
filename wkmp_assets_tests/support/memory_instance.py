"""Dagster instances for one test, which are gone when it ends."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster import DagsterInstance
from dagster._core.instance.types import InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import TemporaryLocalArtifactStorage
from dagster._core.storage.runs import InMemoryRunStorage
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import create_in_memory_conn_string
from sqlalchemy.pool import NullPool

from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage
from wkmp_assets_tests.support.dagster_homes import opened_files

_MEMORY = Path("/dev/shm")  # noqa: S108 - folders with unguessable names


class _UnstampedRunStorage(InMemoryRunStorage):
    """Dagster's storage of runs in memory, without the revision of its tables, which takes most of the time to set up.

    Nobody asks for the revision: these tables are gone before there is another.
    """

    def __init__(self) -> None:
        self._engine = create_engine(create_in_memory_conn_string(f"runs-{uuid.uuid4()}"), poolclass=NullPool)
        self._held_conn = self._engine.connect()
        with self._held_conn.begin():
            RunStorageSqlMetadata.create_all(self._held_conn)


@contextmanager
def memory_instance() -> Iterator[DagsterInstance]:
    """Yield a new instance with the event storage that users have, on a file system in memory where there is one.

    Otherwise it is as `DagsterInstance.ephemeral` makes it.
    """
    with tempfile.TemporaryDirectory(prefix="wkmp-dagster-", dir=_MEMORY if _MEMORY.is_dir() else None) as base:
        Path(base, "index.db").write_bytes(opened_files()["history/runs/index.db"])
        with DagsterInstance(
            instance_type=InstanceType.EPHEMERAL,
            local_artifact_storage=TemporaryLocalArtifactStorage(),
            run_storage=_UnstampedRunStorage(),
            event_storage=KeptOpenEventLogStorage(base),
            compute_log_manager=NoOpComputeLogManager(),
            run_coordinator=DefaultRunCoordinator(),
            run_launcher=SyncInMemoryRunLauncher(),
        ) as instance:
            yield instance


def event_storage(instance: DagsterInstance) -> KeptOpenEventLogStorage:
    """Return the event storage of such an instance."""
    storage = instance.event_log_storage
    assert isinstance(storage, KeptOpenEventLogStorage)
    return storage
