"""`wkmp import` in this process: what it does when it is stopped, when it has nothing to do, and with old flavors."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from werkzeug import Response

from wkmp_assets.cli import signals
from wkmp_assets.cli.main import main
from wkmp_assets.cli.progress import ImportProgress
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.orchestration.assets import scan as scan_asset
from wkmp_assets_tests.support.builders import column, run_sql
from wkmp_assets_tests.support.checked_library import SONG
from wkmp_assets_tests.support.dagster_homes import make_opened_home
from wkmp_assets_tests.support.kept_workers import kept_workers
from wkmp_assets_tests.support.music_services import music_services
from wkmp_assets_tests.support.tones import tone

pytestmark = pytest.mark.slow


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder, home = tmp_path / "music", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    make_opened_home(home)
    given = {"DAGSTER_HOME": home, "HOME": home, "WKMP_STATE_DIR": tmp_path / "state", "COLUMNS": 400}
    given |= {"WKMP_WORKERS": 1, "WKMP_FILES_PER_RUN": 1}
    for name, value in given.items():
        monkeypatch.setenv(name, str(value))
    return folder


def wkmp_import(folder: Path, *options: str) -> Result:
    with kept_workers():
        return CliRunner().invoke(main, ["import", *options, str(folder)], catch_exceptions=False)


def test_a_stop_commits_what_is_measured_and_the_next_import_the_rest(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number}.wav" for number in range(4)]
    for number, name in enumerate(names):
        tone(music / name, 300 + 70 * number)
    measured = ImportProgress.file_measured
    sent: list[str] = []

    def measured_then_stop(progress: ImportProgress, key: str) -> None:
        measured(progress, key)
        if not sent:
            sent.append(key)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(ImportProgress, "file_measured", measured_then_stop)
    stopped = wkmp_import(music)
    assert stopped.exit_code == 1
    in_library = set(column(music / "wkmp.db", "SELECT path FROM files"))
    assert sent[0] in in_library
    assert f"{len(in_library)} of 4 files are safely in the library" in stopped.output
    assert wkmp_import(music).exit_code == 0
    assert sorted(column(music / "wkmp.db", "SELECT path FROM files")) == names
    run_sql(music / "wkmp.db", "UPDATE passages SET flavor_source_blend = '[\"Measured\"]'")
    again = wkmp_import(music, "--reflavor")
    assert again.exit_code == 0, again.output
    assert "4 with a flavor of an earlier version" in again.output
    assert '["Measured"]' not in column(music / "wkmp.db", "SELECT flavor_source_blend FROM passages")


def test_a_stop_during_the_scan_says_how_to_go_on(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tone(music / "a.wav", 300)
    read = scan_asset.read_known_files

    def read_after_a_stop(database: Path) -> list[KnownFile]:
        os.kill(os.getpid(), signal.SIGINT)
        return read(database)

    monkeypatch.setattr(scan_asset, "read_known_files", read_after_a_stop)
    stopped = wkmp_import(music)
    assert (stopped.exit_code, stopped.output) == (1, f"Stopped; go on with: wkmp import {music}\n")
    monkeypatch.setattr(scan_asset, "read_known_files", read)
    assert wkmp_import(music).exit_code == 0


@pytest.mark.long
def test_lookups_of_a_service_that_was_down_are_asked_again(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (music / SONG.name).write_bytes(SONG.read_bytes())
    with music_services() as services:
        services.musicbrainz_behaviour = lambda _request: Response("down", 503)
        for name, value in services.environment.items():
            monkeypatch.setenv(name, value)
        assert "Deferred" in wkmp_import(music).output
        assert "Deferred" in CliRunner().invoke(main, ["status", str(music)]).output
        again = wkmp_import(music, "--retry-deferred")
    assert (again.exit_code, "1 to look up again" in again.output) == (0, True)


def test_a_folder_without_music_is_told_and_what_was_passed_over(music: Path) -> None:
    (music / "notes.xyz").touch()
    told = wkmp_import(music)
    assert told.exit_code == 0
    assert "No audio files below" in told.output


@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root needs setpriv (apt-get install util-linux)"
)
@pytest.mark.parametrize("is_alone", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_folder_that_cannot_be_read_is_a_failure(music: Path, is_alone: bool) -> None:
    if not is_alone:
        tone(music / "0.wav", 300)
    (music / "locked").mkdir(mode=0)
    limited = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*limited, sys.executable, "-m", "wkmp_assets.cli.main", "import", str(music)]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    said = (
        "1 folder cannot be read, so nothing new in it is in the library: locked. Make it readable, then import again"
    )
    assert (told.returncode, said in told.stdout) == (1, True), told.stdout + told.stderr
    assert ("1 imported" in told.stdout) != is_alone
    if not is_alone:
        assert said in CliRunner().invoke(main, ["status", str(music)]).output
        (music / "locked").chmod(0o755)
        assert wkmp_import(music).exit_code == 0
        assert said not in CliRunner().invoke(main, ["status", str(music)]).output


def test_a_second_signal_ends_the_work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_MAX_CLEANUP_S", 10_000)
    is_stopping, never = threading.Event(), threading.Event()

    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        is_stopping.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        never.wait()

    with pytest.raises(KeyboardInterrupt):
        signals.run_until_stopped(work, is_stopping.set)
    never.set()


def test_an_error_of_the_work_reaches_the_caller() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        signals.run_until_stopped(fail, lambda: None)
