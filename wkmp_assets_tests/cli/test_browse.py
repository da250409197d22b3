"""`wkmp browse`: what it needs, what it says, and a page that is really served."""

import os
import signal
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wkmp_assets.cli.main import main
from wkmp_assets.runtime.served_page import find_page
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.builders import commit, entry


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / "music"
    (folder / "Ann").mkdir(parents=True)
    (folder / "Ann" / "air.mp3").write_bytes(b"0123456789")
    commit(folder / "wkmp.db", entry("Ann/air.mp3"))
    return folder


def wkmp(*arguments: str | Path, status: int) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


def ask(address: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(address, headers={k.replace("_", "-"): v for k, v in headers.items()})  # noqa: S310 - http
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http
        return answer.status, answer.read().decode()


@contextmanager
def interrupted(note: Path, look: Callable[[str], None]) -> Iterator[None]:
    """Look at the page as soon as it is announced, then press Ctrl-C, whatever was seen."""
    has_ended = threading.Event()

    def run() -> None:
        while not has_ended.wait(0.05):
            if address := find_page(note):
                try:
                    look(address)
                finally:
                    os.kill(os.getpid(), signal.SIGINT)
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()


@pytest.mark.slow
def test_the_page_is_served_until_ctrl_c(music: Path) -> None:
    seen: list[tuple[int, str]] = []
    note = load_settings(library_root=music).browse_path

    def look(address: str) -> None:
        seen.append(ask(address))
        (guid,) = {part.split('"')[0] for part in seen[0][1].split('href="/file/')[1:]}
        seen.append(ask(f"{address}/audio/{guid}", Range="bytes=2-4"))
        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(address, Host="evil.example")
        seen.append((403, "a foreign name"))

    with interrupted(note, look):
        result = wkmp("browse", music, "--port", "0", status=0)
    assert [status for status, _ in seen] == [200, 206, 403]
    assert "Ann/air.mp3" in seen[0][1]
    assert seen[1][1] == "234"
    assert "http://127.0.0.1:" in result.stdout
    assert str(music) in result.stdout
    assert not note.exists()


def test_without_the_extra_one_sentence_says_what_to_install(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("wkmp_assets.report.browse")]:
        monkeypatch.delitem(sys.modules, module)
    for module in [name for name in sys.modules if name.partition(".")[0] == "datasette"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "datasette", None)
    result = wkmp("browse", music, status=1)
    assert "pip install 'wkmp-assets[browse]'" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_folder_without_a_library_and_a_port_that_is_taken_are_said(music: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "there is no library" in wkmp("browse", tmp_path / "empty", status=1).stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = wkmp("browse", music, "--port", str(taken.getsockname()[1]), status=1)
    assert "choose another: --port" in result.stderr
    wkmp("browse", music, "--port", "70000", status=2)
    wkmp("browse", tmp_path / "gone", status=2)
