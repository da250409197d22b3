"""Old runs of a library are forgotten: how old, of which library, and what a person is told."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster import DagsterInstance

from wkmp_assets.cli.main import main
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.orchestration.instance.event_log import KeptOpenEventLogStorage
from wkmp_assets.orchestration.run_tags import tags_of_library
from wkmp_assets.orchestration.schedules import NIGHTLY_TIDY
from wkmp_assets.orchestration.tidy import tidy
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.builders import commit, entry
from wkmp_assets_tests.support.memory_instance import memory_instance

IN_91_DAYS = datetime.now(UTC) + timedelta(days=91)


@dg.asset
def library_scan() -> None:
    pass


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with memory_instance() as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(library_root=tmp_path / "music", state_dir=tmp_path / "state")


def scan(instance: DagsterInstance, settings: Settings) -> str:
    return dg.materialize([library_scan], instance=instance, tags=tags_of_library(settings)).run_id


def run_ids(instance: DagsterInstance) -> list[str]:
    return sorted(run.run_id for run in instance.get_runs())


def test_a_run_is_forgotten_after_the_days_that_are_set(instance: DagsterInstance, settings: Settings) -> None:
    first, last = scan(instance, settings), scan(instance, settings)
    assert tidy(settings, instance, datetime.now(UTC) + timedelta(days=89)).runs == 0
    assert run_ids(instance) == sorted([first, last])
    done = tidy(settings, instance, IN_91_DAYS, max_runs=1)
    assert (done.runs, run_ids(instance)) == (1, [last])
    assert str(done).startswith(f"1 old run with {done.events} events removed; the history is ")
    keep = replace(settings, history_days=0)
    assert tidy(keep, instance, IN_91_DAYS).runs == 0
    # What the scan found last is still there, without its run.
    assert tidy(settings, instance, IN_91_DAYS).runs == 1
    assert instance.get_latest_materialization_event(dg.AssetKey("library_scan")) is not None


def test_runs_of_other_libraries_are_left_alone(instance: DagsterInstance, settings: Settings, tmp_path: Path) -> None:
    other = load_settings(library_root=tmp_path / "other", state_dir=tmp_path / "state")
    scan(instance, settings)
    theirs = scan(instance, other)
    assert tidy(settings, instance, IN_91_DAYS).runs == 1
    assert run_ids(instance) == [theirs]


def test_a_run_that_waits_or_runs_is_not_touched(instance: DagsterInstance, settings: Settings) -> None:
    queued = instance.create_run_for_job(build_definitions(settings).resolve_job_def("scan_library"))
    storage = instance.event_log_storage
    assert isinstance(storage, KeptOpenEventLogStorage)
    logged = len(storage.get_logs_for_run(queued.run_id))
    assert logged
    assert tidy(settings, instance, IN_91_DAYS).runs == 0
    assert len(storage.get_logs_for_run(queued.run_id)) == logged


@pytest.mark.slow
@pytest.mark.usefixtures("dagster_home")
def test_the_schedule_says_what_it_did_and_requests_nothing(settings: Settings) -> None:
    repository = build_definitions(settings).get_repository_def()
    with (
        DagsterInstance.get() as on_disk,
        dg.build_schedule_context(instance=on_disk, repository_def=repository) as context,
    ):
        said = repository.get_schedule_def(NIGHTLY_TIDY)(context)
    assert isinstance(said, dg.SkipReason)
    assert str(said.skip_message).startswith("0 old runs with 0 events removed")


@pytest.mark.slow
@pytest.mark.usefixtures("dagster_home")
def test_the_command_says_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "music").mkdir()
    said = CliRunner().invoke(main, ["tidy", str(tmp_path / "music")])
    assert said.output == "0 old runs with 0 events removed; the history is 0.0 MB smaller\n", said.output
    for content in ("a", "b"):  # months ago
        commit(tmp_path / "music/wkmp.db", entry("a.flac", content), run_id=content)
    assert "1 change can no longer be undone" in CliRunner().invoke(main, ["tidy", str(tmp_path / "music")]).output
    monkeypatch.setitem(os.environ, "WKMP_HISTORY_DAYS", "0")
    kept = CliRunner().invoke(main, ["tidy", str(tmp_path / "music")]).output
    assert "No run is removed: WKMP_HISTORY_DAYS is 0" in kept
    monkeypatch.delitem(os.environ, "WKMP_HISTORY_DAYS")
    (Path(os.environ["DAGSTER_HOME"]) / "wkmp.toml").write_text("history_days = 0\n")
    kept = CliRunner().invoke(main, ["tidy", str(tmp_path / "music")]).output
    assert f"No run is removed: history_days in {os.environ['DAGSTER_HOME']}/wkmp.toml is 0" in kept
