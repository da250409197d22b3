"""The writer gate between real processes."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.write.gate import GateTimeoutError, WriterGate
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import LibraryLockedError
from wkmp_assets_tests.support.builders import column, entry, prepared
from wkmp_assets_tests.support.patience import PATIENCE_S
from wkmp_assets_tests.support.sql_trace import traced

_HOLD = """
import sys
from pathlib import Path
from wkmp_assets.db.write.gate import WriterGate
with WriterGate(Path(sys.argv[1])).hold(limit_ms=5000):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def gate_held(database: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process holds the gate for the block, or until it is killed."""
    command = [sys.executable, "-c", _HOLD, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
        if holder.poll() is None:
            holder.communicate()


def is_free(gate: WriterGate) -> bool:
    descriptor = os.open(gate.path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def test_a_held_gate_keeps_other_processes_out(database: Path) -> None:
    gate = WriterGate(database)
    with gate_held(database), pytest.raises(GateTimeoutError), gate.hold(limit_ms=50):
        pytest.fail("two processes are in the gate")
    with gate.hold(limit_ms=50):
        assert not is_free(gate)
    assert is_free(gate)


@pytest.mark.slow
def test_a_write_queues_at_the_gate_and_asks_sqlite_for_nothing_meanwhile(database: Path) -> None:
    with LibraryWriter(database, LockSettings(50, 500)):
        batch = prepared(database, entry())
    with traced(database) as statements, LibraryWriter(database, LockSettings(50, 500)) as writer:
        with gate_held(database), pytest.raises(LibraryLockedError):
            writer.write(batch)
        assert "BEGIN IMMEDIATE" not in [one.sql for one in statements]
        receipt = writer.write(batch)
    assert (receipt.write_locks, receipt.retries) == (1, 0)
    assert column(database, "SELECT count(*) FROM files") == [1]


@pytest.mark.slow
def test_whoever_creates_a_library_queues_at_the_gate(database: Path) -> None:
    with gate_held(database), pytest.raises(LibraryLockedError), LibraryWriter(database, LockSettings(50, 500)):
        pytest.fail("two processes create the schema")
    assert not database.exists()


def test_the_gate_opens_again_after_an_error(database: Path) -> None:
    gate = WriterGate(database)
    with pytest.raises(ZeroDivisionError), gate.hold(limit_ms=50):
        raise ZeroDivisionError
    assert is_free(gate)


def test_a_waiter_gets_the_gate_as_soon_as_it_is_free(database: Path) -> None:
    entered = threading.Event()

    def enter() -> None:
        with WriterGate(database).hold(limit_ms=60_000):
            entered.set()

    with gate_held(database) as holder:
        waiter = threading.Thread(target=enter)
        waiter.start()
        assert not entered.wait(0.2)
        holder.communicate()
        assert entered.wait(30)
        waiter.join()


def test_a_waiter_that_gave_up_does_not_keep_the_lock_when_it_comes(database: Path) -> None:
    gate = WriterGate(database)
    with gate_held(database):
        for _ in range(3):
            with pytest.raises(GateTimeoutError), gate.hold(limit_ms=10):
                pytest.fail("the gate is held")
    for thread in threading.enumerate():
        if thread.name == "writer-gate":
            thread.join(PATIENCE_S)
    assert is_free(gate)


def test_a_killed_holder_frees_the_gate(database: Path) -> None:
    with gate_held(database) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with WriterGate(database).hold(limit_ms=30_000):
            pass


def test_in_a_read_only_folder_the_gate_stays_open(
    public_folder: Path,
    unprivileged: Callable[[], AbstractContextManager[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    public_folder.chmod(0o555)
    gate = WriterGate(public_folder / "wkmp.db")
    with unprivileged():
        for _ in range(2):
            with gate.hold(limit_ms=10):
                pass
    assert not gate.path.exists()
    assert len(caplog.records) == 1
    assert "wait for SQLite's own lock" in caplog.text


def test_where_locks_are_not_supported_the_gate_stays_open(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on some network file systems."""

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    entered = []
    gate = WriterGate(database)
    for number in range(2):
        with gate.hold(limit_ms=10):
            entered.append(number)
    assert entered == [0, 1]
    assert len(caplog.records) == 1


def test_the_gate_leaves_no_open_file_behind(database: Path) -> None:
    gate = WriterGate(database)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - numbers, not files
    for _ in range(5):
        with gate.hold(limit_ms=10):
            pass
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - numbers, not files


def test_an_error_of_the_disk_is_raised_and_leaves_no_open_file(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - numbers, not files
    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(OSError, match="Input/output error"), WriterGate(database).hold(limit_ms=10):
        pytest.fail("the gate was entered without its lock")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - numbers, not files
