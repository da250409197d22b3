"""A run's configuration carries no value of the server's environment into a message, event or tag."""

from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files.scan import scan_folder
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import scan_job
from wkmp_assets.orchestration.raw_config import refuse_environment
from wkmp_assets.settings import Settings

VALUE = "s3cr3t-of-the-server"


@pytest.mark.slow
def test_a_variable_of_the_server_is_told_nowhere(
    settings: Settings, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WKMP_ACOUSTID_API_KEY", VALUE)
    (settings.library / "a.mp3").touch()
    job = build_definitions(settings).resolve_job_def(scan_job.name)
    config = {"ops": {"library_scan": {"config": {"folder": {"env": "WKMP_ACOUSTID_API_KEY"}}}}}
    result = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
    assert not result.success
    records = instance.all_logs(result.run_id)
    told = [str(record) for record in records] + [dg.serialize_value(record) for record in records]
    assert any("ops.library_scan.config.folder" in one for one in told)
    assert all(VALUE not in one for one in told)
    assert VALUE not in str(instance.get_run_by_id(result.run_id))
    assert all(VALUE not in text for text in capfd.readouterr())


PLACES = [
    "ops.library_scan.config.folder",
    "ops.file_identity.config.force",
    "ops.lead_points.config.preset",
    "resources.network.config.skip",
    "resources.phase_store.config",
    "loggers.console.config.name",
]


def test_every_field_that_a_run_takes_is_judged() -> None:
    for place in PLACES:
        config: object = {"env": "PATH"}
        for name in reversed(place.split(".")):
            config = {name: config}
        with pytest.raises(dg.Failure, match=place):
            refuse_environment(config)
    refuse_environment({"ops": {"library_scan": {"config": {"folder": "env"}}}, "execution": {"steps": [1, "env"]}})


def test_a_value_in_a_list_is_judged_too() -> None:
    with pytest.raises(dg.Failure, match=r"ops\.a\.1"):
        refuse_environment({"ops": {"a": [1, {"env": "PATH"}]}})


@pytest.mark.parametrize("folder", [VALUE, f"../{VALUE}", f"/{VALUE}"])
def test_what_is_no_folder_in_the_library_is_not_repeated(tmp_path: Path, folder: str) -> None:
    with pytest.raises(LibraryRootError, match="not a folder inside the music folder") as raised:
        scan_folder(tmp_path, folder, [])
    assert VALUE not in str(raised.value)
