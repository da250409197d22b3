"""With Dagster's multiprocess executor, a run holds its files until it ends."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from dagster import DagsterEventType, DagsterInstance

from wkmp_assets.model.file_key import encode_key
from wkmp_assets.orchestration.instance.dagster_api import is_running
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.runtime.claims import open_claims, read_claimed_keys
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until

pytestmark = pytest.mark.cluster


@pytest.mark.usefixtures("dagster_home")
@pytest.mark.parametrize("end", ["its end", "kill -9"])
def test_the_claims_of_a_run_outlast_the_process_of_its_step(tmp_path: Path, end: str) -> None:
    music, go = tmp_path / "music", tmp_path / "go"
    music.mkdir()
    shutil.copy2(SAMPLE_LIBRARY / "azrael1322" / "azrael1.mp3", music)
    settings, key = load_settings(library_root=music), encode_key("azrael1.mp3")
    with DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(partitions_name(settings), [key])
        environment = {**os.environ, "WKMP_LIBRARY_ROOT": str(music), "GO": str(go), "WKMP_WORKERS": "1"}
        command = [sys.executable, "-W", "ignore", "-m", "wkmp_assets_tests.integration.cluster.multiprocess_run"]
        with (tmp_path / "log").open("w") as log:
            run = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_until(
                lambda: any(
                    entry.dagster_event_type is DagsterEventType.STEP_SUCCESS
                    for one in instance.get_runs()
                    for entry in instance.all_logs(one.run_id)
                ),
                "the step that claims has ended",
            )
            is_alive = partial(is_running, instance)
            assert read_claimed_keys(settings.claims_dir, is_alive) == {key}
            with open_claims(settings.claims_dir, "another run", is_alive) as claims:
                assert claims.claim([key]) == frozenset()
            if end == "kill -9":
                run.kill()
                go.touch()  # for the process of the step
            else:
                go.touch()
                assert run.wait() == 0, (tmp_path / "log").read_text()
            run.wait()
            assert read_claimed_keys(settings.claims_dir, is_alive) == frozenset()
            assert [path.name for path in settings.claims_dir.iterdir()] == ["lock"]
        finally:
            go.touch()
            run.kill()
            run.wait()
