"""An OpenSSH server on this machine, with keys of its own, that hands out files by SFTP."""

import getpass
import os
import re
import shutil
import socket
import subprocess
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from wkmp_assets_tests.support.patience import wait_until

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/lib/ssh")
_HANDS_OUT = next(
    (path for path in ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server") if Path(path).exists()), ""
)


class SshServer:
    """A server that lets the user of a home folder in, who knows its key."""

    def __init__(self, folder: Path, services: ExitStack, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.known_hosts = home / ".ssh/known_hosts"
        self.known_hosts.parent.mkdir(mode=0o700, parents=True)
        for name, path in (("host", folder / "host_key"), ("user", home / ".ssh/id_ed25519")):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
            subprocess.run(command, check=True)
        self.key_line = f"[127.0.0.1]:{self.port} {(folder / 'host_key.pub').read_text()}"
        self.known_hosts.write_text(self.key_line)
        self._requests, log = folder / "requests.log", folder / "sshd.log"
        self._requests.touch(0o666)
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": folder / "host_key",
            "PidFile": "none",
            "AuthorizedKeysFile": home / ".ssh/id_ed25519.pub",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
            "MaxStartups": "1:100:1",  # one that has not yet logged in, so that workers have to wait for each other
            "Subsystem": f"sftp {_HANDS_OUT} -e -l VERBOSE 2>>{self._requests}",
        }
        config = folder / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        if os.geteuid() == 0:  # as the service of the system does
            Path("/run/sshd").mkdir(exist_ok=True)
        with log.open("wb") as said:
            self._server = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(config)], stdout=said, stderr=said)
        services.callback(self._server.wait)
        services.callback(self._server.kill)
        services.callback(self.break_connections)
        wait_until(lambda: b"Server listening" in log.read_bytes(), "the server listens")
        self._read = 0

    def url(self, folder: Path) -> str:
        """Return the address of a folder."""
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{folder}"

    def break_connections(self) -> int:
        """End all connections, as a router or a server that starts again does; return how many there were."""
        ended = psutil.Process(self._server.pid).children(recursive=True)
        for one in ended:
            with suppress(psutil.NoSuchProcess):  # it ended with another one
                one.kill()
        return len(ended)

    def forget(self) -> None:
        """Count requests from now on."""
        self._read = len(self._requests.read_bytes())

    def count_reads(self, folder: Path) -> Counter[str]:
        """Return how often each file was read, by its path below a folder."""
        said = self._requests.read_bytes()[self._read :].decode()
        found = re.findall(r'^open "(.*)" flags READ', said, re.MULTILINE)
        return Counter(str(Path(path).relative_to(folder)) for path in found)
