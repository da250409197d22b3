"""The sensors that tell of failures, with real instances, a real command and a real server."""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance
from dagster._core.storage.tags import WILL_RETRY_TAG
from pytest_httpserver import HTTPServer

from wkmp_assets.errors import SettingsError
from wkmp_assets.model.setting_kinds import Secret
from wkmp_assets.orchestration.alerts import CHECK_ALERTS, MAX_PROBLEMS, MAX_TEXT, RUN_ALERTS
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.jobs import failed_job, import_job
from wkmp_assets.orchestration.run_tags import LIBRARY_TAG
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.checked_library import BROKEN, TAKE, CheckedLibrary
from wkmp_assets_tests.support.memory_instance import memory_instance

KEY = "a-secret-key"


class Watcher:
    """One of the sensors, evaluated as the daemon does it."""

    def __init__(self, name: str, settings: Settings, instance: DagsterInstance) -> None:
        self._repository = build_definitions(settings).get_repository_def()
        self._name, self._instance = name, instance
        self._cursor: str | None = None

    def tick(self) -> str:
        """Evaluate once; return why nothing is requested."""
        sensor = self._repository.get_sensor_def(self._name)
        with dg.build_sensor_context(
            instance=self._instance, cursor=self._cursor, repository_def=self._repository
        ) as context:
            result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        assert not result.run_requests
        self._cursor = result.cursor
        assert result.skip_reason is not None
        return str(result.skip_reason.skip_message)


@pytest.fixture
def posted(httpserver: HTTPServer) -> HTTPServer:
    httpserver.expect_request("/hook").respond_with_data("ok")
    return httpserver


def settings_for(folder: Path, server: HTTPServer | None, **overrides: object) -> Settings:
    address = {"alert_url": Secret(server.url_for("/hook"))} if server else {}
    return load_settings(library_root=folder, state_dir=folder / "state", **address, **overrides)


def messages(server: HTTPServer) -> list[dict[str, Any]]:
    return [json.loads(request.get_data()) for request, _ in server.log]


@cache
def job_named(name: str) -> dg.JobDefinition:
    return build_definitions().resolve_job_def(name)


def fail_run(
    settings: Settings, instance: DagsterInstance, message: str, job: str = import_job.name, **tags: str
) -> str:
    run = instance.create_run_for_job(job_named(job), tags={LIBRARY_TAG: settings.library_id, **tags})
    instance.report_run_failed(run, message)
    return run.run_id


@pytest.mark.slow
def test_a_failed_run_is_told_once_and_others_are_left_out(tmp_path: Path, posted: HTTPServer) -> None:
    settings = settings_for(tmp_path, posted, acoustid_api_key=Secret(KEY))
    with memory_instance() as instance:
        watcher = Watcher(RUN_ALERTS, settings, instance)
        fail_run(settings, instance, "before anybody was to be told")
        assert watcher.tick() == "from now on, failures are told"
        fail_run(settings, instance, "told by a check", failed_job.name)
        fail_run(settings, instance, "is started again", **{WILL_RETRY_TAG: "true"})
        fail_run(settings, instance, "of another library", **{LIBRARY_TAG: "0badcafe"})
        run_id = fail_run(settings, instance, f"the disk\nis full, and the key is {KEY}, {'x' * MAX_TEXT}")
        assert watcher.tick() == "told of 1 x run failed"
        assert watcher.tick() == "nothing has failed since the last tick"
    (message,) = messages(posted)
    (problem,) = message["problems"]
    assert (problem["name"], problem["run_id"]) == (import_job.name, run_id)
    assert problem["message"].startswith("the disk is full, and the key is ***, xxx")
    assert problem["message"].endswith("xxx ...")
    assert message["text"].splitlines()[0] == "WKMP: run failed"
    assert (message["schema"], message["kind"], message["library"]) == (1, "run failed", settings.library_id)
    assert KEY not in json.dumps(message)
    assert posted.url_for("/hook") not in json.dumps(message)


@pytest.mark.slow
def test_many_failures_are_one_message(tmp_path: Path, posted: HTTPServer) -> None:
    settings = settings_for(tmp_path, posted)
    with memory_instance() as instance:
        watcher = Watcher(RUN_ALERTS, settings, instance)
        watcher.tick()
        for number in range(MAX_PROBLEMS + 2):
            fail_run(settings, instance, f"failure {number}")
        watcher.tick()
    (message,) = messages(posted)
    assert (len(message["problems"]), message["more"]) == (MAX_PROBLEMS, 2)
    assert message["text"].endswith("\nand 2 more")


def test_what_could_not_be_told_is_told_later(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request("/hook").respond_with_data("no", status=503)
    httpserver.expect_request("/hook").respond_with_data("ok")
    settings = settings_for(tmp_path, httpserver)
    with memory_instance() as instance:
        watcher = Watcher(RUN_ALERTS, settings, instance)
        watcher.tick()
        fail_run(settings, instance, "the disk is full")
        assert watcher.tick() == "the alert address did not take it: HTTP status 503; tried again in the next tick"
        assert watcher.tick() == "told of 1 x run failed"


@pytest.mark.slow
def test_without_a_hook_nobody_is_told(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, None)
    repository = build_definitions(settings).get_repository_def()
    for name in (RUN_ALERTS, CHECK_ALERTS):
        assert repository.get_sensor_def(name).default_status is dg.DefaultSensorStatus.STOPPED
    with memory_instance() as instance:
        watcher = Watcher(RUN_ALERTS, settings, instance)
        watcher.tick()
        fail_run(settings, instance, "the disk is full")
        assert "set WKMP_ALERT_COMMAND or WKMP_ALERT_URL" in watcher.tick()
    with_hook = build_definitions(settings_for(tmp_path, None, alert_command="true")).get_repository_def()
    assert with_hook.get_sensor_def(RUN_ALERTS).default_status is dg.DefaultSensorStatus.RUNNING


def test_a_wrong_address_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"WKMP_ALERT_URL: .*must begin with http") as told:
        settings_for(tmp_path, None, alert_url="hooks.example.org/secret")
    assert "secret" not in str(told.value)


@pytest.mark.slow
def test_a_failed_check_is_told_once_for_each_finding(library: CheckedLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is a real one, and gets no key in its environment."""
    seen = library.music.parent / "seen.jsonl"
    script = library.music.parent / "hook.py"
    script.write_text(
        "import json, os, sys\n"
        f"open({str(seen)!r}, 'a').write(json.dumps([json.load(sys.stdin), sorted(os.environ)]) + '\\n')\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("WKMP_ACOUSTID_API_KEY", "")
    settings = library.with_settings(alert_command=f"{sys.executable} {script}").settings
    watcher = Watcher(CHECK_ALERTS, settings, library.instance)
    for name, source in {"a.wav": TAKE, "b.mp3": BROKEN}.items():
        library.add(name, source)
    assert watcher.tick() == "from now on, failures are told"
    library.import_all()
    assert watcher.tick() == "told of 1 x check failed"
    library.import_range("a.wav", "b.mp3")
    assert watcher.tick() == "nothing has failed since the last tick", "it was told, and nothing new was found"
    (library.music / "b.mp3").unlink()
    library.add("b.mp3", TAKE)
    library.import_range("a.wav", "b.mp3")
    assert watcher.tick() == "nothing has failed since the last tick"
    (line,) = seen.read_text(encoding="utf-8").splitlines()
    message, environment = json.loads(line)
    assert "WKMP_ACOUSTID_API_KEY" not in environment
    (problem,) = message["problems"]
    assert problem["name"] == "files_imported"
    assert "1 file could not be imported. First: b.mp3" in problem["message"]


@pytest.mark.slow
def test_the_reason_of_a_failed_step_is_told_even_when_the_library_is_unreadable(
    tmp_path: Path, posted: HTTPServer
) -> None:
    @dg.op
    def refuse() -> None:
        raise dg.Failure("the music folder is empty")

    @dg.op
    def break_down() -> None:
        raise ValueError("the disk is full")

    settings = settings_for(tmp_path, posted)
    settings.database_path.write_bytes(b"no database" * 100)
    with memory_instance() as instance:
        watcher = Watcher(RUN_ALERTS, settings, instance)
        watcher.tick()
        for op in (refuse, break_down):
            job = dg.GraphDefinition(f"job_{op.name}", node_defs=[op]).to_job()
            tags = {LIBRARY_TAG: settings.library_id}
            assert not job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).success
        assert watcher.tick() == "told of 2 x run failed"
    told = [one["message"] for message in messages(posted) for one in message["problems"]]
    assert told == ["the music folder is empty", "ValueError: the disk is full"]


@pytest.mark.slow
def test_a_failed_check_of_another_library_is_not_told(tmp_path: Path, posted: HTTPServer) -> None:
    @dg.asset
    def music() -> None:
        """It has a check."""

    @dg.asset_check(asset=music)
    def sound() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, description="no sound")

    settings = settings_for(tmp_path, posted)
    with memory_instance() as instance:
        watcher = Watcher(CHECK_ALERTS, settings, instance)
        watcher.tick()
        dg.materialize([music, sound], instance=instance, tags={LIBRARY_TAG: "0badcafe"})
        assert watcher.tick() == "nothing has failed since the last tick"
        dg.materialize([music, sound], instance=instance, tags={LIBRARY_TAG: settings.library_id})
        assert watcher.tick() == "told of 1 x check failed"
