"""`dagster dev` for a workplace; none of its processes stays behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import requests

from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.patience import wait_until
from wkmp_assets_tests.support.processes import processes_of
from wkmp_assets_tests.support.workplace import Workplace


@contextmanager
def dagster_dev(place: Workplace) -> Iterator[str]:
    """Run web server, daemon and code server; yield the address, then end them with everything they started."""
    port = _free_port()
    process = start_dagster_dev(place, "--host", "127.0.0.1", "--port", str(port))
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(url, process, place)
        yield url
    finally:
        _end(process, place)


def start_dagster_dev(place: Workplace, *options: str) -> subprocess.Popen[bytes]:
    """Start the servers as the leader of a process group; what they print goes to `log_of(place)`."""
    command = [sys.executable, "-m", "dagster", "dev", "-m", "wkmp_assets.definitions", *options]
    with log_of(place).open("ab") as log:
        return subprocess.Popen(
            command, env=place.environment(), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def log_of(place: Workplace) -> Path:
    """File with the output of the servers."""
    return place.home / "dev.log"


def end_of_log(place: Workplace) -> str:
    """End of that output, for messages."""
    return log_of(place).read_text(encoding="utf-8")[-4000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], place: Workplace) -> None:
    def answers() -> bool:
        assert process.poll() is None, f"dagster dev has ended:\n{end_of_log(place)}"
        with suppress(requests.RequestException):
            requests.get(f"{url}/server_info", timeout=60)
            return True
        return False

    wait_until(answers, lambda: f"dagster dev answers:\n{end_of_log(place)}", look_every_s=0.2)


def _end(process: subprocess.Popen[bytes], place: Workplace) -> None:
    """End the servers with Ctrl-C, and kill any that are left after a few seconds."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    # A process may be starting another one while it is being looked at.
    while left := processes_of(place.home):
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(left, timeout=10)
    process.wait()
