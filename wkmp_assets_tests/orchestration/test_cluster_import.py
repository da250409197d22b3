"""An import whose files two workers measure, one with the music under another path, one behind an address."""

import os
from pathlib import Path

import dagster as dg
import pytest

from wkmp_assets.orchestration.cluster import find_versions
from wkmp_assets.orchestration.run_tags import CLUSTER_TAG
from wkmp_assets.runtime.cluster.dask_executor import DaskExecutor
from wkmp_assets.runtime.cluster.dask_view import look_at_cluster
from wkmp_assets.runtime.cluster.queue import ClusterQueue
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_queue import WORKER_ENVIRONMENT
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.checked_library import SILENT, CheckedLibrary
from wkmp_assets_tests.support.clusters import DASK_IN_THREADS, cluster_of
from wkmp_assets_tests.support.library_rows import Rows, library_rows
from wkmp_assets_tests.support.memory_instance import memory_instance
from wkmp_assets_tests.support.tones import break_file, tone

pytest.importorskip("distributed")
pytestmark = [*DASK_IN_THREADS]


def rows_without_time_of_failure(library: CheckedLibrary) -> Rows:
    rows = library_rows(library.database)
    assert len(rows["import_failures"]) == 1
    return rows | {"import_failures": [row[:-1] for row in rows["import_failures"]]}


def test_a_library_measured_by_a_cluster_equals_the_local_one(library: CheckedLibrary, tmp_path: Path) -> None:
    music = library.music
    for number in range(4):
        tone(music / f"tone {number}.wav", 300 + 50 * number)
    (music / SILENT.name).hardlink_to(SILENT)
    break_file(music / "broken.mp3")
    scratch = [tmp_path / "scratch 1", tmp_path / "scratch 2"]
    mounts: dict[str, Path | str] = {}
    for number, folder in enumerate(scratch):
        folder.mkdir()
        mount = tmp_path / f"mount {number}"
        mount.symlink_to(music)
        mounts[str(folder)] = mount if number else mount.as_uri()
    library.scan()
    library.import_all()
    local = rows_without_time_of_failure(library)
    library.database.unlink()
    done: list[str] = []
    control = RunControl()
    control.on_work = done.append
    settings = load_settings(library_root=music, state_dir=tmp_path / "again")
    with cluster_of(settings, mounts, control) as pool, memory_instance() as instance:
        again = CheckedLibrary(music, instance, pool, state_dir=tmp_path / "again")
        assert isinstance(pool._queue, ClusterQueue)
        again.scan()
        again.import_all()
        assert len(pool._queue._executor.slots) == 2
        assert rows_without_time_of_failure(again) == local
        executor = pool._queue._executor
        assert isinstance(executor, DaskExecutor)
        views = look_at_cluster(executor._address, find_versions(), 0.0)
        assert [(one.address in executor.slots, one.slots, one.in_hand, one.refused) for one in views] == [
            (True, 1, (), None)
        ] * 2
        assert {one.roots[""] for one in views} == set(map(str, mounts.values()))
        assert len(done) >= 6
        assert executor._client is not None
        for name, value in WORKER_ENVIRONMENT.items():
            assert executor._client.run(os.getenv, name) == dict.fromkeys(executor.slots, value)
        (run,) = instance.get_runs(dg.RunsFilter(tags={CLUSTER_TAG: executor.page or "no page"}))
        assert run.tags[CLUSTER_TAG].startswith("http://127.0.0.1:")
    assert [path for folder in scratch for path in folder.rglob("task-*")] == [], "the sound stays nowhere"
    assert list((tmp_path / "again" / "pcm").glob("*")) == []
