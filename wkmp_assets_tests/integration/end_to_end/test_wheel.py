"""The wheel works outside the checkout, for a user who has set nothing: the transcript of docs/guide/install.md."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until

SONGS = ("01 David01, First Movement.mp3", "02 Coherence.opus", "03 Пробуждение.ogg")
TRANSCRIPT = re.compile(r"<!-- transcript.*?-->\n```console\n(.*?)```", re.DOTALL)

pytestmark = pytest.mark.long


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, **options)  # type: ignore[call-overload] # passed on
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    out: str = done.stdout
    return out


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the command in an environment of its own.

    `make test-wheel` installs the packages that it needs; otherwise they are borrowed.
    """
    home = tmp_path_factory.mktemp("home")
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "dagster.yaml"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "wkmp_assets", source / "wkmp_assets", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", source, source)
    run(sys.executable, "-m", "venv", "--without-pip", home / "venv")
    (wheel,) = source.glob("*.whl")
    install = [*pip, "--python", home / "venv/bin/python", "install", "--quiet"]
    if os.environ.get("WKMP_TEST_WHEEL"):
        run(*install, f"{wheel}[browse]")
    else:
        run(*install, "--no-deps", wheel)
        packages = next((home / "venv/lib").glob("python*/site-packages"))
        (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    (home / "Music").mkdir()
    for song in SONGS:
        (found,) = (ROOT / "test_data/sample_library").rglob(song)
        shutil.copy(found, home / "Music")
    return home


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": f"{home / 'venv/bin'}:/usr/bin:/bin", "COLUMNS": "200", "LANG": "C.UTF-8"}


def browse(home: Path, *command: str) -> str:
    """Look at the page, press Ctrl-C, and return what the command printed, as with the port that it takes by itself."""
    port = free_port()
    with serving(home, *command, "--port", str(port)) as said:
        wait_until(lambda: "Ctrl-C" in said.read_text(), said.read_text)
        with urlopen(f"http://127.0.0.1:{port}/?q=coherence", timeout=60) as answer:
            assert "Maxstack" in answer.read().decode()
    return said.read_text().replace(f":{port} ", ":3001 ")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def serving(home: Path, *command: str) -> Iterator[Path]:
    """Run a command that serves a page until Ctrl-C; yields the file with what it prints."""
    said = home.parent / f"{home.name}-{command[1]}.log"
    with said.open("wb") as log:
        server = subprocess.Popen(
            command, cwd=home, env=environment(home), stdout=log, stderr=log, start_new_session=True,
            executable=home / "venv/bin/wkmp",
        )  # fmt: skip
    try:
        yield said
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE_S) == 0, said.read_text()


def test_the_transcript_of_the_guide_is_true(installed: Path) -> None:
    found = TRANSCRIPT.search((ROOT / "docs/guide/install.md").read_text(encoding="utf-8"))
    assert found
    for part in found[1].split("$ ")[1:]:
        typed, *shown = part.splitlines()
        command = shlex.split(typed)
        said = (
            browse(installed, *command)
            if command[1] == "browse"
            else run(*command, cwd=installed, env=environment(installed))
        )
        lines = [" ".join(line.replace(f"{installed}/", "").split()) for line in said.splitlines()]
        for line in shown:
            assert line == "..." or line in lines, (command, line, lines)
    assert (installed / "evening.m3u8").read_text(encoding="utf-8").count("#EXTINF") == 3
    assert sorted(path.name for path in installed.iterdir()) == [".local", "Music", "evening.m3u8", "venv"]
    assert (installed / ".local/state/wkmp/dagster.yaml").read_bytes() == (ROOT / "dagster.yaml").read_bytes()
    modules = run(
        installed / "venv/bin/python", "-c", "import wkmp_assets; print(wkmp_assets.__file__)",
        cwd=installed, env=environment(installed),
    )  # fmt: skip
    assert modules.startswith(str(installed)), "it is the wheel that ran"


def test_the_web_ui_opens(installed: Path) -> None:
    port = free_port()
    with serving(installed, "wkmp", "ui", "Music", "--port", str(port)) as said:
        wait_until(lambda: _answers(port), said.read_text, look_every_s=0.5)


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
