"""Music in an object store: a real S3 server, imports of the sample library from it, and what the server was asked."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from wkmp_assets_tests.integration.cluster.machines import Machines
from wkmp_assets_tests.support.library_rows import Rows, library_rows
from wkmp_assets_tests.support.paths import ROOT, SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until

pytestmark = pytest.mark.cluster
URL = "s3://music/my library"


class Store:
    """A server for objects with the sample library, and a copy of it on disk with the times of the objects."""

    def __init__(self, folder: Path, services: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._log = folder / "server.log"
        log = services.enter_context(self._log.open("wb"))
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        services.callback(server.wait)
        services.callback(server.kill)
        address = f"http://127.0.0.1:{port}"
        for name, value in (
            ("AWS_ENDPOINT_URL", address),
            ("AWS_ACCESS_KEY_ID", "anyone"),
            ("AWS_SECRET_ACCESS_KEY", "anything"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ):
            monkeypatch.setenv(name, value)
        wait_until(lambda: _answers(address), "the server answers")
        self.store: Any = pytest.importorskip("s3fs").S3FileSystem(skip_instance_cache=True)
        self.store.mkdir("music")
        self.store.put(f"{SAMPLE_LIBRARY}/", URL, recursive=True)
        self.music = folder / "copy"
        shutil.copytree(SAMPLE_LIBRARY, self.music, ignore=shutil.ignore_patterns("wkmp.db*"))
        self.store.invalidate_cache()
        base = len(URL.removeprefix("s3://")) + 1
        for path, info in self.store.find(URL, detail=True).items():
            changed = int(info["LastModified"].timestamp())
            if (self.music / path[base:]).exists():
                os.utime(self.music / path[base:], (changed, changed))
        self._read = 0

    def objects(self) -> set[str]:
        return {
            str(path.relative_to(SAMPLE_LIBRARY)) for path in SAMPLE_LIBRARY.rglob("*.*") if "wkmp.db" not in path.name
        }

    def forget(self) -> None:
        """Count requests from now on."""
        self._read = len(self._log.read_bytes())

    def count_gets(self) -> Counter[str]:
        """Return how often each object was fetched, by its path below the address."""
        said = self._log.read_bytes()[self._read :].decode()
        found = re.findall(r"GET /music/(\S+) HTTP/1\.1\S* (\d+)", said)
        assert {status for _, status in found} <= {"200"}
        return Counter(unquote(path).removeprefix("my library/") for path, _ in found)


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.ConnectionError:
        return False


def wkmp_import(folder: Path, state: Path, **environment: str) -> str:
    """Import a folder with the command, in a process of its own; return what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WKMP_", "DAGSTER_"))}
    state.mkdir(exist_ok=True)
    shutil.copy(ROOT / "dagster.yaml", state)
    done = subprocess.run(
        [sys.executable, "-m", "wkmp_assets.cli.main", "import", str(folder)],
        env={**kept, "DAGSTER_HOME": str(state), "PYTHONPATH": str(ROOT), **environment},
        cwd=state,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows_of(database: Path) -> Rows:
    """Return all rows, without the time of failures."""
    rows = library_rows(database)
    return rows | {"import_failures": [row[:-1] for row in rows["import_failures"]]}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with ExitStack() as services, pytest.MonkeyPatch.context() as monkeypatch:
        yield Store(tmp_path_factory.mktemp("store"), services, monkeypatch)


@pytest.fixture(scope="module")
def local(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The rows of an import of the same music from a folder."""
    wkmp_import(store.music, tmp_path_factory.mktemp("home"))
    return rows_of(store.music / "wkmp.db")


@pytest.mark.parametrize("where", ["here", "cluster"])
def test_music_in_a_store_is_imported_as_from_a_folder_and_each_object_is_fetched_once(
    store: Store, local: Rows, tmp_path: Path, where: str
) -> None:
    library, state = tmp_path / "library", tmp_path / "home"
    library.mkdir()
    store.forget()
    with ExitStack() as services:
        environment = {"WKMP_MUSIC_URL": URL}
        if where == "cluster":
            machines = Machines(tmp_path, services)
            machines.scheduler()
            machines.start("one", "worker", machines.address, "--root", URL, "--slots", "2")
            wait_until(lambda: len(machines.joined("one")) == 2, "both workers have joined")
            environment["WKMP_CLUSTER"] = machines.address
        wkmp_import(library, state, **environment)
        gets = store.count_gets()
        objects = store.objects()
        music = {path for path in objects if (library / path).exists()}
        assert rows_of(library / "wkmp.db") == local
        assert len(music) == 18
        assert music <= gets.keys(), "every file was fetched"
        assert gets.keys() <= objects
        assert set(gets.values()) == {1}
        store.forget()
        wkmp_import(library, state, **environment)
        assert store.count_gets() == Counter(), "a second import fetches nothing"
