"""Runs that go on after a failed one: they know what it knew of its files."""

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterRun
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan, execute_run
from dagster._core.execution.plan.state import KnownExecutionState

from wkmp_assets.model.phases import ENTRY, FLAVORS, IDENTITY
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.instance.dagster_api import partition_tags
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets_tests.support.builders import column, rows
from wkmp_assets_tests.support.checked_library import QUIET, CheckedLibrary
from wkmp_assets_tests.support.tones import tone

pytestmark = pytest.mark.slow

LATER_S = 2_000_000_000
FORCED = {**QUIET, "ops": {IDENTITY: {"config": {"force": True}}}}


class Runs:
    """Import runs over a range, of which some break down as a whole in one phase."""

    def __init__(self, library: CheckedLibrary) -> None:
        self._instance = library.instance
        self._control = RunControl()
        self._workers = WorkerPool(1, self._control)
        overrides = {"workers": self._workers}
        definitions = build_definitions(library.settings, control=self._control, resource_overrides=overrides)
        self._job = definitions.resolve_job_def(import_job.name).get_subset(asset_check_selection=frozenset())

    def close(self) -> None:
        self._workers.shut_down()

    def first(self, first: str, last: str, config: Mapping[str, Any] = QUIET, *, breaks: str) -> DagsterRun:
        run = self._instance.create_run_for_job(self._job, tags=partition_tags(first, last), run_config=config)
        return self._execute(self._job, run, breaks=breaks)

    def from_failure(self, parent: DagsterRun, *, breaks: str = "") -> DagsterRun:
        """The steps that are left, as Dagster retries a run, and as `Re-execute from failure` does."""
        steps, state = KnownExecutionState.build_resume_retry_reexecution(self._instance, parent)
        plan = create_execution_plan(self._job, parent.run_config, step_keys_to_execute=steps, known_state=state)
        return self._execute(self._job, self._child(self._job, parent, execution_plan=plan), breaks=breaks)

    def of_assets(self, parent: DagsterRun, *assets: str) -> DagsterRun:
        """Some assets, as `Re-execute from asset failure` does."""
        selection = frozenset(map(dg.AssetKey, assets))
        job = self._job.get_subset(asset_selection=selection)
        return self._execute(job, self._child(job, parent, asset_selection=selection), breaks="")

    def _child(self, job: dg.JobDefinition, parent: DagsterRun, **arguments: Any) -> DagsterRun:
        return self._instance.create_run_for_job(
            job,
            tags=parent.tags,
            run_config=parent.run_config,
            parent_run_id=parent.run_id,
            root_run_id=parent.root_run_id or parent.run_id,
            **arguments,
        )

    def _execute(self, job: dg.JobDefinition, run: DagsterRun, *, breaks: str) -> DagsterRun:
        def break_down(phase: str) -> None:
            if breaks == phase:
                raise RuntimeError("a full disk")

        self._control.on_file = lambda phase, _key: break_down(phase)
        self._control.on_commit = lambda _commit: break_down(ENTRY)
        assert execute_run(InMemoryJob(job), run, self._instance, raise_on_error=False).success is not bool(breaks)
        ended = self._instance.get_run_by_id(run.run_id)
        assert ended is not None
        return ended

    def written(self, run: DagsterRun) -> set[str | None]:
        """The partitions of `library_entry` that a run has materialized."""
        records = self._instance.fetch_materializations(dg.AssetKey(ENTRY), limit=100).records
        return {record.partition_key for record in records if record.run_id == run.run_id}


def test_a_run_that_goes_on_skips_what_the_one_before_skipped(library: CheckedLibrary) -> None:
    for number in (1, 2, 3):
        tone(library.music / f"{number}.wav", 300 + 50 * number)
    library.import_all()
    tone(library.music / "3.wav", 1000)
    for name in ("1.wav", "3.wav"):  # the times of a library are whole seconds
        os.utime(library.music / name, (LATER_S, LATER_S))
    runs = Runs(library)
    try:
        sessions = "SELECT import_session_id FROM passages ORDER BY file_id"
        before = set(column(library.database, sessions))
        broken = runs.first("1.wav", "3.wav", breaks=FLAVORS)
        again = runs.from_failure(broken, breaks=ENTRY)
        done = runs.from_failure(again)
        assert runs.written(done) == {"1.wav", "3.wav"}
        found = rows(
            library.database, "SELECT f.path, p.import_session_id FROM files f JOIN passages p ON file_id = f.guid"
        )
        assert {row["path"] for row in found if row["import_session_id"] in before} == {"1.wav", "2.wav"}
        # The files have not changed since: what is left of a run in which all were skipped is nothing.
        skipped = runs.first("1.wav", "3.wav", breaks="")
        assert runs.written(runs.of_assets(skipped, FLAVORS, ENTRY)) == set()
        forced = runs.first("1.wav", "3.wav", FORCED, breaks=ENTRY)
        assert runs.written(runs.of_assets(forced, FLAVORS, ENTRY)) == {"1.wav", "2.wav", "3.wav"}
    finally:
        runs.close()
