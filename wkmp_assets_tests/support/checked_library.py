"""A library in a real Dagster instance, for real imports and checks, with damage in between."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterInstance
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import import_job, scan_job
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.memory_instance import memory_instance
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY, TEST_DATA

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

TAKE = SAMPLE_LIBRARY / "Unsorted/untitled take.wav"
"""One passage, no tags."""
SONG = SAMPLE_LIBRARY / "Shawn Parrotte & NeonCorridor/HyperRogue/02 Living Caves.flac"
"""One passage, a song with two artists and two works, and its album."""
MIX = SAMPLE_LIBRARY / "Various Artists/Mixes/Three Songs in One File.flac"
"""Three passages."""
SILENT = SAMPLE_LIBRARY / "Unsorted/Fifteen Seconds of Nothing.flac"
BROKEN = TEST_DATA / "broken_files/text.mp3"

Evaluations = dict[str, dg.AssetCheckEvaluation]


class CheckedLibrary:
    """A music folder, its library, and the instance that imports it."""

    def __init__(self, music: Path, instance: DagsterInstance, workers: WorkerPool, **settings: object) -> None:
        self.music = music
        self.instance = instance
        self._workers = workers
        # A test machine may stall at any time; tests of the budget set other limits.
        given = {"library_root": music, "state_dir": music.parent / "state", "hold_budget_ms": 60_000}
        given |= {"wait_budget_ms": 60_000, "wait_limit_ms": 60_000, **settings}
        self.settings = load_settings(**given)
        self._definitions = build_definitions(self.settings, resource_overrides={"workers": workers})

    @property
    def database(self) -> Path:
        return self.settings.database_path

    @property
    def keys(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(partitions_name(self.settings)))

    def with_settings(self, **settings: object) -> "CheckedLibrary":
        """Return the same library in another deployment."""
        return CheckedLibrary(self.music, self.instance, self._workers, **settings)

    def add(self, name: str, source: Path) -> None:
        shutil.copy(source, self.music / name)

    def scan(self) -> None:
        assert self._run(self._definitions.resolve_job_def(scan_job.name), {}).success

    def import_range(self, first: str, last: str, *, force: bool = False) -> Evaluations:
        tags = {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}
        return self._import(tags, force=force)

    def import_all(self, *, force: bool = False) -> Evaluations:
        """Scan, then import every file in one range."""
        self.scan()
        return self.import_range(self.keys[0], self.keys[-1], force=force)

    def import_one(self, key: str, *, force: bool = False) -> Evaluations:
        return self._import({PARTITION_NAME_TAG: key}, force=force)

    def run_assets(self, *assets: str, first: str, last: str) -> dg.ExecuteInProcessResult:
        """Materialize some assets over a range, as `dagster asset materialize --select` does."""
        every = self._definitions.resolve_implicit_global_asset_job_def()
        job = every.get_subset(asset_selection={dg.AssetKey(asset) for asset in assets}, asset_check_selection=set())
        return self._run(job, {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last})

    def check(self, *names: str, tags: dict[str, str] | None = None) -> Evaluations:
        """Run checks without their asset, as the web UI's `Execute` does; by default all of them."""
        every = self._definitions.resolve_implicit_global_asset_job_def()
        selected = {key for key in every.asset_layer.asset_graph.asset_check_keys if not names or key.name in names}
        job = every.get_subset(asset_selection=set(), asset_check_selection=selected)
        result = self._run(job, tags or {})
        assert result.success
        return _by_name(result)

    def _import(self, tags: dict[str, str], *, force: bool) -> Evaluations:
        config = {"ops": {"file_identity": {"config": {"force": True}}}} if force else {}
        result = self._run(self._definitions.resolve_job_def(import_job.name), tags, config)
        assert result.success
        return _by_name(result)

    def _run(self, job: Any, tags: dict[str, str], config: dict[str, Any] | None = None) -> dg.ExecuteInProcessResult:
        result: dg.ExecuteInProcessResult = job.execute_in_process(
            instance=self.instance, tags=tags, run_config={**QUIET, **(config or {})}
        )
        return result


def _by_name(result: dg.ExecuteInProcessResult) -> Evaluations:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


@contextmanager
def checked_library(folder: Path, workers: WorkerPool) -> Iterator[CheckedLibrary]:
    """Yield a new library in a new instance."""
    music = folder / "music"
    music.mkdir()
    with memory_instance() as instance:
        yield CheckedLibrary(music, instance, workers)


def last_evaluation(instance: DagsterInstance, asset: str, check: str) -> dg.AssetCheckEvaluation:
    """Return the latest result of a check."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), check)
    (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    assert record.event.dagster_event is not None
    return record.event.dagster_event.asset_check_evaluation_data


def findings(evaluation: dg.AssetCheckEvaluation) -> list[dict[str, Any]]:
    """Return the lines of a check's table."""
    table = evaluation.metadata.get("findings")
    if table is None:
        return []
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(record.data) for record in table.records]


def number(evaluation: dg.AssetCheckEvaluation, name: str) -> Any:
    return evaluation.metadata[name].value
