"""The lines of the README that add a PC, and those of the guide that make its certificate, run as they are written."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from wkmp_assets_tests.integration.cluster.machines import end
from wkmp_assets_tests.support.paths import ROOT, SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until

pytestmark = pytest.mark.cluster


def blocks_after(heading: str, page: Path) -> list[str]:
    """Return the shell commands below a heading."""
    section = page.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


class Pc:
    """A machine with a home, a working folder and its own path to the music."""

    def __init__(self, home: Path, services: ExitStack) -> None:
        self.home, self._services = home, services
        home.mkdir()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("WKMP_", "DAGSTER_", "DASK_"))
        }
        self._environment = {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT)}
        self.log = home / "log"

    def run(self, script: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", script], cwd=self.home, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, line: str) -> None:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"], cwd=self.home, env=self._environment, stdout=log, stderr=log
            )
        self._services.callback(end, process)


@pytest.fixture
def services() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def test_a_pc_is_added_as_the_readme_says(tmp_path: Path, services: ExitStack) -> None:
    nas, pc = Pc(tmp_path / "nas", services), Pc(tmp_path / "pc", services)
    make, tell = blocks_after("A certificate", ROOT / "docs/guide/cluster.md")
    nas.run(make)
    (pc.home / ".config/dask").mkdir(parents=True)
    for name in ("wkmp.key", "wkmp.pem"):
        shutil.copy(nas.home / ".config/dask" / name, pc.home / ".config/dask")
    for machine in (nas, pc):
        machine.run(tell)
    music, mount = tmp_path / "music", tmp_path / "mount"
    music.mkdir()
    shutil.copy2(SAMPLE_LIBRARY / "azrael1322/azrael1.mp3", music)
    mount.symlink_to(music)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (block,) = blocks_after("Add a PC", ROOT / "README.md")
    for written, here in (
        (".venv/bin/wkmp", f"{sys.executable} -m wkmp_assets.cli.main"),
        ("make import MUSIC=", f"{sys.executable} -m wkmp_assets.cli.main import "),
        ("//0.0.0.0:8786", f"//127.0.0.1:{port} --dashboard-port 0"),
        ("//nas:8786", f"//127.0.0.1:{port}"),
        ("/mnt/music", str(mount)),
        ("/srv/music", str(music)),
    ):
        assert written in block
        block = block.replace(written, here)
    install, scheduler, worker, command = (line.partition("  #")[0] for line in block.splitlines())
    assert (ROOT / install.split()[-1]).is_file()
    nas.start(scheduler)
    wait_until(lambda: "listens on tls://" in nas.log.read_text(), "the scheduler listens")
    pc.start(worker)
    wait_until(lambda: "A worker has joined" in pc.log.read_text(), "a worker has joined")
    assert "1 imported" in nas.run(command)
