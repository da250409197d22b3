"""Music behind `sftp://` and `file://`: a real OpenSSH server, imports of the sample library, and what goes wrong."""

import shutil
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from wkmp_assets.audio.names_beside import find_names_beside
from wkmp_assets.errors import FileNotSeenError, LibraryRootError
from wkmp_assets.runtime.object_folder import ObjectFolder
from wkmp_assets_tests.integration.cluster.machines import Machines
from wkmp_assets_tests.integration.cluster.test_object_store import rows_of, wkmp_import
from wkmp_assets_tests.support.library_rows import Rows
from wkmp_assets_tests.support.paths import SAMPLE_LIBRARY
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.support.ssh_server import SSHD, SshServer

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(SSHD is None, reason="needs OpenSSH's server: apt-get install openssh-server"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:paramiko.*"),
]
FILE = "azrael1322/azrael1.mp3"


class Served(NamedTuple):
    server: SshServer
    music: Path
    home: Path
    rows: Rows
    """Of an import of the same folder without an address."""

    def open(self, cache: Path) -> ObjectFolder:
        return ObjectFolder(self.server.url(self.music), cache, find_names_beside)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("paramiko")
    folder = tmp_path_factory.mktemp("served")
    music, home, local = folder / "my library #1", folder / "home", folder / "local"
    shutil.copytree(SAMPLE_LIBRARY, music, ignore=shutil.ignore_patterns("wkmp.db*"))
    shutil.copytree(music, local)
    wkmp_import(local, folder / "state")
    with ExitStack() as services, pytest.MonkeyPatch.context() as monkeypatch:
        server = SshServer(folder, services, home)
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        yield Served(server, music, home, rows_of(local / "wkmp.db"))


@pytest.mark.parametrize("where", ["here", "cluster"])
def test_music_on_an_ssh_server_is_imported_as_from_a_folder_and_each_file_is_read_once(
    served: Served, tmp_path: Path, where: str
) -> None:
    library, state, url = tmp_path / "library", tmp_path / "state", served.server.url(served.music)
    library.mkdir()
    served.server.forget()
    with ExitStack() as services:
        environment = {"WKMP_MUSIC_URL": url, "WKMP_WORKERS": "2"}
        if where == "cluster":
            machines = Machines(tmp_path, services)
            machines.scheduler()
            (tmp_path / "one").mkdir()
            (tmp_path / "one/.ssh").symlink_to(served.home / ".ssh")
            machines.start("one", "worker", machines.address, "--root", url, "--slots", "2")
            wait_until(lambda: len(machines.joined("one")) == 2, "both workers have joined")
            environment["WKMP_CLUSTER"] = machines.address
        wkmp_import(library, state, **environment)
        reads = served.server.count_reads(served.music)
        assert rows_of(library / "wkmp.db") == served.rows
        assert reads.keys() >= {str(path.relative_to(library)) for path in library.rglob("*.mp3")}
        assert set(reads.values()) == {1}
        served.server.forget()
        wkmp_import(library, state, **environment)
        assert served.server.count_reads(served.music) == Counter(), "a second import reads nothing"


def test_music_behind_a_file_address_is_imported_as_from_a_folder(served: Served, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    plain = tmp_path / "music"
    plain.symlink_to(served.music)
    wkmp_import(library, tmp_path / "state", WKMP_MUSIC_URL=f"file://{plain}")
    assert rows_of(library / "wkmp.db") == served.rows


def test_a_connection_that_breaks_is_made_again(served: Served, tmp_path: Path) -> None:
    objects = served.open(tmp_path / "cache")
    assert FILE in objects.list_objects()
    assert served.server.break_connections() >= 1
    assert objects.fetch(FILE, None, tmp_path / "task").read_bytes() == (served.music / FILE).read_bytes()
    assert served.server.break_connections() >= 1
    assert FILE in objects.list_objects()


def test_a_server_that_is_busy_is_waited_for(served: Served, tmp_path: Path) -> None:
    objects = served.open(tmp_path / "cache")
    served.server.break_connections()
    with socket.create_connection(("127.0.0.1", served.server.port)) as other:
        other.recv(100)
        threading.Timer(0.7, other.close).start()
        assert objects.fetch(FILE, None, tmp_path / "task").read_bytes() == (served.music / FILE).read_bytes()


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ("", r"not found in known_hosts"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", r"Host key for server .* does not match"),
    ],
    ids=["unknown", "another"],
)
def test_a_server_with_a_foreign_key_is_refused(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str, why: str
) -> None:
    served.server.break_connections()
    home = tmp_path / "home"
    shutil.copytree(served.home, home)
    key = (home / ".ssh/id_ed25519.pub").read_text()
    (home / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{served.server.port} {key}" if known else "")
    monkeypatch.setenv("HOME", str(home))
    objects = served.open(tmp_path / "cache")
    with pytest.raises(LibraryRootError, match=why):
        objects.list_objects()
    with pytest.raises(FileNotSeenError, match=why):
        objects.fetch(FILE, None, tmp_path / "task")


def test_a_user_without_a_key_is_told(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served.server.break_connections()
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    shutil.copy(served.server.known_hosts, home / ".ssh")
    monkeypatch.setenv("HOME", str(home))
    with pytest.raises(LibraryRootError, match=r"cannot be listed \(.*[Aa]uthentication"):
        served.open(tmp_path / "cache").list_objects()


def test_a_server_that_is_gone_is_named(tmp_path: Path) -> None:
    pytest.importorskip("paramiko")
    objects = ObjectFolder("sftp://user:secret@127.0.0.1:9/music", tmp_path / "cache", find_names_beside)
    with pytest.raises(
        LibraryRootError, match=r"the objects of sftp://127\.0\.0\.1:9/music cannot be listed \(.*connect"
    ):
        objects.list_objects()
    with pytest.raises(FileNotSeenError, match=r"sftp://127\.0\.0\.1:9/music/a\.mp3 cannot be fetched \(.*connect"):
        objects.fetch("a.mp3", None, tmp_path / "task")
