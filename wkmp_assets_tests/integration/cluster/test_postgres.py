"""Dagster's storage on a real PostgreSQL server: the import, the sensor, and runs whose process was killed."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance, DagsterRunStatus

from wkmp_assets.orchestration.instance.dagster_api import ends_with_this_process, is_running
from wkmp_assets.orchestration.instance.living_runs import living_runs_of
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.orchestration.instance.test_run_launcher import FIRST, look_after_runs, running, status
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.sensor_tick import run_tick

pytestmark = pytest.mark.cluster

_FILE = "azrael1322/azrael1.mp3"


def as_server_user(*command: str) -> list[str]:
    """Return a command as PostgreSQL allows it, which refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else [*command]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server of its own, with a database for each test."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(programs[-1].parent) if programs else str(Path(shutil.which("initdb") or "").parent)
    with socket.socket() as free, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
        free.close()
        folder = Path(name)
        folder.chmod(0o777)
        data = str(folder / "data")
        subprocess.run(as_server_user(f"{found}/initdb", "-D", data, "-U", "dagster", "-A", "trust"), check=True,
                       capture_output=True)  # fmt: skip
        options = f"-p {number} -c unix_socket_directories='' -c listen_addresses=127.0.0.1 -c fsync=off"
        control = as_server_user(f"{found}/pg_ctl", "-D", data, "-w")
        subprocess.run([*control, "-o", options, "-l", str(folder / "log"), "start"], check=True, capture_output=True)
        try:
            yield number
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True)


@pytest.fixture(params=["postgresql", "postgresql+psycopg2"])
def home(request: pytest.FixtureRequest, port: int, dagster_home: Path) -> Path:
    """A DAGSTER_HOME whose runs, events and partitions are in a new database."""
    psycopg2 = pytest.importorskip("psycopg2")
    name = f"dagster_{request.param.replace('+', '_')}_{request.node.name.partition('[')[0][:30]}"
    connection = psycopg2.connect(host="127.0.0.1", port=port, user="dagster", dbname="postgres")
    connection.autocommit = True
    connection.cursor().execute(f'CREATE DATABASE "{name}"')
    connection.close()
    path = dagster_home / "dagster.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["storage"] = {
        "custom": {
            "module": "wkmp_assets.orchestration.instance.postgres_storage",
            "class": "WatchedPostgresStorage",
            "config": {"postgres_url": f"{request.param}://dagster@127.0.0.1:{port}/{name}"},
        }
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return dagster_home


@pytest.mark.usefixtures("home")
def test_a_run_whose_process_was_killed_fails_and_says_why() -> None:
    with running(FIRST) as process, DagsterInstance.get() as instance:
        look_after_runs(instance)
        assert status(instance, FIRST) is DagsterRunStatus.STARTED, "it is alive"
        assert is_running(instance, FIRST)
        assert not ends_with_this_process(instance, FIRST)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not is_running(instance, FIRST)
        look_after_runs(instance)
        assert status(instance, FIRST) is DagsterRunStatus.FAILURE
        said = [entry.dagster_event.message or "" for entry in instance.all_logs(FIRST) if entry.dagster_event]
        assert any("its process is gone" in message for message in said)


def test_the_sensor_imports_what_is_new_and_then_nothing(home: Path, tmp_path: Path, workers: WorkerPool) -> None:
    music = tmp_path / "music"
    music.mkdir()
    shutil.copy2(SAMPLE_LIBRARY / _FILE, music)
    settings = load_settings(library_root=music, state_dir=tmp_path / "state", watch_settle_s=0)
    with DagsterInstance.get() as instance:
        assert living_runs_of(instance.event_log_storage) is not None
        first = run_tick(settings, instance, workers)
        assert len(first.run_requests or ()) == 1
        assert [run.status for run in instance.get_runs()] == [DagsterRunStatus.SUCCESS]
        again = run_tick(settings, instance, workers)
        assert not again.run_requests
    assert list(settings.claims_dir.glob("*.claims")) == []
    assert [path.name for path in (home / "history" / "runs" / ".alive").iterdir()] == [".lock"]
