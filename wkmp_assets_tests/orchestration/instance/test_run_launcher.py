"""Dagster learns that the process of a run is gone, but not earlier."""

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage
from wkmp_assets.orchestration.instance.living_runs import LivingRuns

pytestmark = pytest.mark.slow

_RUN = """
import sys
import dagster as dg

@dg.op
def wait():
    print("at work", flush=True)
    sys.stdin.readline()

@dg.job
def waiting():
    wait()

with dg.DagsterInstance.get() as instance:
    for run_id in sys.argv[1:]:
        waiting.execute_in_process(instance=instance, run_id=run_id)
    print("done", flush=True)
    sys.stdin.readline()
"""
FIRST, SECOND = "11111111-aaaa-4aaa-8aaa-111111111111", "22222222-bbbb-4bbb-8bbb-222222222222"


@contextmanager
def running(*run_ids: str) -> Iterator[subprocess.Popen[str]]:
    """Execute runs of a job one after the other in another process; each continues when a line is sent."""
    command = [sys.executable, "-c", _RUN, *run_ids]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert_says(process, "at work")
            yield process
        finally:
            process.kill()


def assert_says(process: subprocess.Popen[str], expected: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{expected}\n"


def send_line(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def look_after_runs(instance: DagsterInstance) -> None:
    """Do what the daemon does every `poll_interval_seconds`."""
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as workspace:
        errors = list(execute_run_monitoring_iteration(workspace, logging.getLogger(__name__)))
    assert [error for error in errors if error] == []


def status(instance: DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def files_of_runs(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "history" / "runs" / ".alive").iterdir() if path.name != ".lock")


@pytest.mark.usefixtures("dagster_home")
def test_a_run_whose_process_was_killed_fails_and_says_why() -> None:
    with running(FIRST) as process, DagsterInstance.get() as instance:
        look_after_runs(instance)
        assert status(instance, FIRST) is DagsterRunStatus.STARTED, "it is alive"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert status(instance, FIRST) is DagsterRunStatus.STARTED, "nobody was left to say anything else"
        look_after_runs(instance)
        assert status(instance, FIRST) is DagsterRunStatus.FAILURE
        said = [entry.dagster_event.message or "" for entry in instance.all_logs(FIRST) if entry.dagster_event]
        assert any("its process is gone" in message for message in said)


@pytest.mark.long
def test_nothing_is_left_of_runs_that_ended_or_were_killed(dagster_home: Path) -> None:
    with running(FIRST, SECOND) as process, DagsterInstance.get() as instance:
        assert files_of_runs(dagster_home) == [FIRST]
        send_line(process)
        assert_says(process, "at work")
        assert files_of_runs(dagster_home) == [SECOND], "the first is let go"
        process.send_signal(signal.SIGKILL)
        process.wait()
        look_after_runs(instance)
        assert status(instance, FIRST) is DagsterRunStatus.SUCCESS
        assert files_of_runs(dagster_home) == []


def test_a_process_that_ends_well_leaves_nothing(dagster_home: Path) -> None:
    with running(FIRST) as process:
        send_line(process)
        assert_says(process, "done")
        assert files_of_runs(dagster_home) == [FIRST], "alive until Dagster has certainly written down that it ended"
        send_line(process)
        process.wait()
    assert files_of_runs(dagster_home) == []


@pytest.mark.long
def test_with_dagster_s_own_event_storage_no_run_is_taken_for_dead(dagster_home: Path) -> None:
    settings = yaml.safe_load((dagster_home / "dagster.yaml").read_text(encoding="utf-8"))
    del settings["storage"]
    (dagster_home / "dagster.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    with running(FIRST) as process, DagsterInstance.get() as instance:
        assert not isinstance(instance.event_log_storage, KeptOpenEventLogStorage)
        look_after_runs(instance)
        assert status(instance, FIRST) is DagsterRunStatus.STARTED
        process.kill()


def test_a_run_is_alive_from_when_it_begins_until_its_process_lets_go(tmp_path: Path) -> None:
    ours, theirs = LivingRuns(tmp_path / "alive"), LivingRuns(tmp_path / "alive")
    assert not theirs.is_alive(FIRST)
    ours.begin(FIRST)
    assert ours.is_alive(FIRST)
    assert theirs.is_alive(FIRST)
    theirs.end(FIRST)  # as when a person marks it as cancelled while it continues
    ours.end(FIRST)
    assert theirs.is_alive(FIRST), "until Dagster has written down that it ended"
    ours.begin(SECOND)
    assert not theirs.is_alive(FIRST)
    ours.close()
    assert not theirs.is_alive(SECOND)
