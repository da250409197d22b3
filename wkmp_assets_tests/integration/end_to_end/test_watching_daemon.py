"""The sensor in Dagster's own daemon: a person only copies music into the folder."""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster import DagsterInstance
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.scheduler.instigation import InstigatorTick, TickStatus

from wkmp_assets.model.phases import REPORT
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.sensors import SENSOR
from wkmp_assets_tests.integration.browser.server import end_of_log, start_dagster_dev
from wkmp_assets_tests.support.checked_library import BROKEN
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.support.processes import is_worker, processes_of
from wkmp_assets_tests.support.workplace import Workplace, make_workplace, read_manifest

ALBUM = SAMPLE_LIBRARY / "Destructavator"


@contextmanager
def dagster_dev(place: Workplace) -> Iterator[subprocess.Popen[bytes]]:
    """Run web server, daemon and code server, as the leader of a process group; end what is left of them."""
    process = start_dagster_dev(place, "--port", "0")
    try:
        yield process
    finally:
        for one in processes_of(place.home):
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()


def imported(place: Workplace) -> set[str]:
    if not place.database.exists():
        return set()
    with closing(sqlite3.connect(place.database)) as library:
        tables = library.execute("SELECT 1 FROM sqlite_master WHERE name = 'files'").fetchall()
        query = "SELECT path FROM files WHERE status IN ('INGEST COMPLETE', 'NO AUDIO', 'DUPLICATE HASH')"
        return {path for (path,) in library.execute(query)} if tables else set()


def ticks(instance: DagsterInstance) -> list[InstigatorTick]:
    """Finished ticks, newest first."""
    states = [state for state in instance.all_instigator_state() if state.name == SENSOR]
    return [
        tick
        for state in states
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
        if tick.status is not TickStatus.STARTED
    ]


def freshness(instance: DagsterInstance, asset: dg.AssetKey) -> FreshnessState | None:
    """What Dagster's daemon found last."""
    record = instance.get_freshness_state_records([asset]).get(asset)
    return record.freshness_state if record else None


def listened_to() -> set[str]:
    """Addresses on which the processes of this test listen."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            found |= {one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN}
    return found


def workers() -> list[psutil.Process]:
    return [process for process in psutil.Process().children(recursive=True) if is_worker(process)]


def wait_for(condition: Callable[[], bool], place: Workplace) -> None:
    wait_until(condition, lambda: f"this happens:\n{end_of_log(place)}", look_every_s=0.2)


@pytest.mark.long
def test_an_album_that_is_copied_in_is_imported_within_two_ticks(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    place = make_workplace(tmp_path, empty)
    told = tmp_path / "told.json"
    place.extra.update(WKMP_WATCH="1", WKMP_WATCH_SETTLE_S="0", WKMP_ALERT_COMMAND=f"tee {told}")
    with dagster_dev(place), place.instance() as instance:
        wait_for(lambda: bool(ticks(instance)), place)
        wait_for(lambda: bool(listened_to()), place)
        assert listened_to() <= {"127.0.0.1", "::1"}, "nobody else can reach the web UI"
        before = len(ticks(instance))
        # The album appears in one step, because a tick in the middle of copying would request a part of it.
        shutil.copytree(ALBUM, tmp_path / ALBUM.name).rename(place.music / ALBUM.name)
        album = {path.relative_to(place.music).as_posix() for path in (place.music / ALBUM.name).rglob("*.*")}
        wait_for(lambda: imported(place) == album, place)
        after = list(reversed(ticks(instance)))[before:]
        requested = [number for number, tick in enumerate(after) if tick.run_ids]
        assert len(requested) == 1
        assert requested[0] < 2
        imports = dg.RunsFilter(job_name=import_job.name)
        wait_for(lambda: [run.is_success for run in instance.get_runs(imports)] == [True], place)
        # Then the report is written once, by itself.
        report = dg.AssetKey(REPORT)
        wait_for(lambda: instance.get_latest_materialization_event(report) is not None, place)
        wait_for(lambda: [run.is_success for run in instance.get_runs()] == [True, True], place)
        wait_for(lambda: freshness(instance, report) is FreshnessState.PASS, place)
        # The run's process must end its workers; unused ones end by themselves only after five minutes.
        wait_for(lambda: not workers(), place)
        shutil.copy(BROKEN, place.music)
        wait_for(lambda: told.is_file() and BROKEN.name in told.read_text(encoding="utf-8"), place)


@pytest.mark.long
def test_ctrl_c_in_the_middle_leaves_nobody_behind_and_the_next_start_completes_it(workplace: Workplace) -> None:
    workplace.extra.update(WKMP_WATCH="1", WKMP_WATCH_SETTLE_S="0", WKMP_FILES_PER_RUN="6")
    everything = {record["path"] for record in read_manifest("sample_library")}
    at_work = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    with dagster_dev(workplace) as dagster, workplace.instance() as instance:
        # Some files are imported, so there were workers, which must end with their run.
        wait_for(lambda: bool(imported(workplace)) and bool(instance.get_runs_count(at_work)), workplace)
        os.killpg(dagster.pid, signal.SIGINT)
        wait_for(lambda: not processes_of(workplace.home), workplace)
        assert not instance.get_runs_count(at_work), "each had time to say how it ended"
    with dagster_dev(workplace):
        wait_for(lambda: imported(workplace) == everything, workplace)
