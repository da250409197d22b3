"""An import is stopped from outside in every way: no process stays behind, and the next import completes it."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget

from wkmp_assets.db.kept_open import keep_open
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets_tests.integration.corpus.sound_bytes import plain
from wkmp_assets_tests.integration.corpus.sounds import hours_of_silence
from wkmp_assets_tests.integration.faults.conftest import Reference
from wkmp_assets_tests.integration.faults.imports import succeed
from wkmp_assets_tests.support.library_rows import library_rows, paths_in, rows_of_a_copy
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until
from wkmp_assets_tests.support.processes import is_worker, processes_of
from wkmp_assets_tests.support.workplace import Workplace, interrupt

LONG = "long.flac"


def workers_of(place: Workplace) -> list[psutil.Process]:
    return [process for process in processes_of(place.home) if is_worker(process)]


def unfinished(place: Workplace) -> list[Path]:
    """Temporary files below the state folder, and the claims of runs."""
    state = place.home / ".wkmp"
    return [path for pattern in ("*.tmp", "*.claims") for path in state.rglob(pattern)]


def politely(process: subprocess.Popen[str]) -> None:
    """Send SIGTERM to the main process only, as service managers do."""
    process.send_signal(signal.SIGTERM)


def impatiently(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, and again when the import says that it finishes the files in hand."""
    assert process.stderr is not None
    interrupt(process)
    assert any("Ctrl-C again ends at once" in line for line in process.stderr)
    interrupt(process)


def by_force(process: subprocess.Popen[str]) -> None:
    """Send SIGKILL to the main process only, as a kernel without memory does."""
    process.kill()


@pytest.mark.parametrize(
    ("stop", "status"),
    [
        pytest.param(politely, 1, marks=pytest.mark.long),
        pytest.param(impatiently, 1, marks=pytest.mark.long),
        pytest.param(by_force, -signal.SIGKILL, marks=pytest.mark.long),
    ],
)
def test_a_stopped_import_leaves_nobody_behind_and_the_next_one_completes_it(
    half_imported: Workplace, short_library: Reference, stop: Callable[[subprocess.Popen[str]], None], status: int
) -> None:
    """Another program has the library open, so that no connection of the import is the last one."""
    place = half_imported
    place.extra = {"WKMP_FILES_PER_RUN": "1", "WKMP_WORKERS": "2"}
    with keep_open(place.database):
        process = place.start("import", place.music)
        wait_until(lambda: process.poll() is not None or len(paths_in(place.database)) > 1, "a file is in")
        wait_until(lambda: process.poll() is not None or unfinished(place), "the next is in hand")
        wait_until(lambda: process.poll() is not None or workers_of(place), "it has workers")
        stop(process)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == status, out + err
        assert (" files are safely in the library; go on with: wkmp import" in out) == (stop is politely)
        wait_until(lambda: not processes_of(place.home), "no process of it is left")
        assert stop is by_force or rows_of_a_copy(place.database) == library_rows(place.database)
        place.extra["WKMP_FILES_PER_RUN"] = "all"
        succeed(place.wkmp("import", place.music))
        assert rows_of_a_copy(place.database) == library_rows(place.database)
    assert library_rows(place.database) == library_rows(short_library.databases[0])
    assert unfinished(place) == []


@contextmanager
def launched(instance: DagsterInstance, partition: str) -> Iterator[str]:
    """Launch a run as the web UI does, through a code server and Dagster's launcher."""
    target = ModuleTarget("wkmp_assets.definitions", None, str(ROOT), "wkmp_assets")
    with WorkspaceProcessContext(instance, target) as context:
        workspace = context.create_request_context()
        (repository,) = workspace.get_code_location("wkmp_assets").get_repositories().values()
        job = repository.get_full_job(import_job.name)
        run = instance.create_run(
            job_name=import_job.name,
            run_id=None,
            run_config={},
            status=dg.DagsterRunStatus.NOT_STARTED,
            tags={"dagster/partition": partition},
            root_run_id=None,
            parent_run_id=None,
            step_keys_to_execute=None,
            execution_plan_snapshot=None,
            job_snapshot=job.job_snapshot,
            parent_job_snapshot=None,
            asset_selection=None,
            asset_check_selection=None,
            resolved_op_selection=None,
            op_selection=None,
            remote_job_origin=job.get_remote_origin(),
            job_code_origin=job.get_python_origin(),
            asset_graph=repository.asset_graph,
        )
        instance.launch_run(run.run_id, workspace)
        yield run.run_id


@pytest.mark.long
def test_a_run_that_is_cancelled_in_the_web_ui_ends_with_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Workplace(tmp_path / "home", tmp_path / "music", {"WKMP_WORKERS": "2"})
    place.home.mkdir()
    place.music.mkdir()
    shutil.copy(ROOT / "dagster.yaml", place.home)
    hours_of_silence(8)(place.music / LONG, 1)
    for name, value in place.environment().items():
        monkeypatch.setenv(name, value)
    with DagsterInstance.get() as instance:
        succeed(place.materialize("--select", "library_scan"))
        with launched(instance, LONG) as run_id:
            wait_until(lambda: list((place.home / ".wkmp/pcm").glob("*.tmp")), "it decodes")
            workers = workers_of(place)
            assert workers
            assert instance.run_launcher.terminate(run_id)
            psutil.wait_procs(workers, timeout=PATIENCE_S)
            assert workers_of(place) == []
            wait_until(lambda: instance.get_run_by_id(run_id).is_finished, "Dagster knows that it has ended")
            assert instance.get_run_by_id(run_id).status == dg.DagsterRunStatus.CANCELED
    wait_until(lambda: {one.pid for one in processes_of(place.home)} <= {os.getpid()}, "no process of it is left")
    plain("flac")(place.music / LONG, 1)
    succeed(place.wkmp("import", place.music))
    assert paths_in(place.database) == {LONG}
    assert unfinished(place) == []
