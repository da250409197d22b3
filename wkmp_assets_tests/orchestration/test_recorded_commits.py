"""What a process has just recorded, it need not read again."""

from collections.abc import Iterator
from pathlib import Path
from weakref import WeakKeyDictionary

import dagster as dg
import pytest
from dagster import DagsterInstance

from wkmp_assets.orchestration import recorded_commits as module
from wkmp_assets.orchestration.instance.dagster_api import find_own_receipts
from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage
from wkmp_assets.orchestration.recorded_commits import RecordedCommit, recorded_commits
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.checked_library import CheckedLibrary
from wkmp_assets_tests.support.memory_instance import event_storage
from wkmp_assets_tests.support.tones import tone

pytestmark = pytest.mark.slow


@pytest.fixture
def library(dagster_home: Path, workers: WorkerPool) -> Iterator[CheckedLibrary]:
    """A library with two imported files, in an instance with the same settings as a user's."""
    music = dagster_home / "music"
    music.mkdir()
    tone(music / "a.wav", 300)
    tone(music / "b.wav", 400)
    with DagsterInstance.get() as instance:
        made = CheckedLibrary(music, instance, workers, files_per_run="all")
        made.import_all()
        yield made


def receipts(library: CheckedLibrary, monkeypatch: pytest.MonkeyPatch) -> dict[str, RecordedCommit]:
    """The receipts, as a process finds them that has asked for none."""
    monkeypatch.setattr(module, "_last_read", WeakKeyDictionary())
    return recorded_commits(library.instance, library.settings, library.keys)


def test_receipts_that_this_process_stored_are_not_read_and_equal_what_is_read(
    library: CheckedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = event_storage(library.instance)
    page = storage.fetch_materializations(dg.AssetKey("library_entry"), limit=9).records
    own = find_own_receipts(library.instance, [record.storage_id for record in page])
    assert own == {record.storage_id: (record.asset_materialization, record.run_id) for record in page}
    assert len(own) == 2

    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("it reads events")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "fetch_materializations", refuse)
        kept = receipts(library, patch)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "find_receipts", lambda _ids: {})
        assert receipts(library, patch) == kept
    assert all(commit.receipt and commit.receipt.written for commit in kept.values())


def test_what_another_process_has_stored_or_deleted_is_read(
    library: CheckedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = receipts(library, monkeypatch)
    storage = event_storage(library.instance)
    other = KeptOpenEventLogStorage(str(Path(storage.path_for_shard("index")).parent))
    (last,) = storage.fetch_materializations(dg.AssetKey("library_entry"), limit=1).records
    other.store_event(last.event_log_entry)
    other.dispose()
    assert find_own_receipts(library.instance, [last.storage_id]) == {}
    assert receipts(library, monkeypatch) == before
    storage.wipe_asset(dg.AssetKey("library_entry"))
    assert receipts(library, monkeypatch) == {}


def test_another_storage_keeps_none() -> None:
    with DagsterInstance.ephemeral() as instance:
        assert find_own_receipts(instance, [1]) == {}
