"""Writers get the gate in the order in which they came."""

import fcntl
import os
import sys
import threading
from pathlib import Path

import pytest

from wkmp_assets.db.write import gate as gate_module
from wkmp_assets.db.write.gate import GateTimeoutError, WriterGate
from wkmp_assets_tests.support.patience import PATIENCE_S, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the queue is made of Linux's locks")


class Visitor:
    """A thread that goes through the gate once. Each thread opens the gate file, as a process does."""

    def __init__(self, database: Path, served: list[str], name: str, limit_ms: float = 60_000) -> None:
        self._arguments = (database, served, name, limit_ms)
        self.has_given_up = False
        self._thread = threading.Thread(target=self._visit)
        self._thread.start()

    def _visit(self) -> None:
        database, served, name, limit_ms = self._arguments
        try:
            with WriterGate(database).hold(limit_ms=limit_ms):
                served.append(name)
        except GateTimeoutError:
            self.has_given_up = True

    def wait(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def places_taken(gate: WriterGate) -> int:
    """Return the length of the queue, including the writer inside the gate."""
    lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    inode = f":{gate.path.stat().st_ino} "
    return sum("OFDLCK" in line and "->" not in line and inode in line for line in lines)


def line_up(database: Path, served: list[str], *limits_ms: float) -> list[Visitor]:
    """Let visitors queue at the held gate, one after the other."""
    visitors = []
    for number, limit_ms in enumerate(limits_ms, start=1):
        visitors.append(Visitor(database, served, f"visitor {number}", limit_ms))
        wait_until(lambda places=number + 1: places_taken(WriterGate(database)) >= places, "all have lined up")
    return visitors


def test_who_comes_back_at_once_queues_behind_those_who_wait(database: Path) -> None:
    gate = WriterGate(database)
    served: list[str] = []
    with gate.hold(limit_ms=1000):
        visitors = line_up(database, served, *[60_000] * 8)
    for _ in range(50):
        with gate.hold(limit_ms=60_000):
            served.append("again")
    for visitor in visitors:
        visitor.wait()
    assert served == [*[f"visitor {number}" for number in range(1, 9)], *["again"] * 50]


def test_who_gives_up_does_not_hold_up_the_others(database: Path) -> None:
    served: list[str] = []
    with WriterGate(database).hold(limit_ms=1000):
        first, second, third = line_up(database, served, 60_000, 20, 60_000)
        second.wait()
    first.wait()
    third.wait()
    assert second.has_given_up
    assert served == ["visitor 1", "visitor 3"]


def test_two_are_never_inside_when_the_order_is_lost(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The previous writer is killed while it waits: its byte is free at once, but the gate is not."""
    monkeypatch.setattr(gate_module, "_line_up", lambda _descriptor, _how: 1_000_000)
    with WriterGate(database).hold(limit_ms=1000):
        with pytest.raises(GateTimeoutError), WriterGate(database).hold(limit_ms=50):
            pytest.fail("two are inside")
        descriptor = os.open(WriterGate(database).path, os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)


def test_the_queue_begins_anew_when_it_is_empty(database: Path) -> None:
    """Nothing is written to the gate file, so a full disk stops no writer."""
    gate = WriterGate(database)
    for _ in range(3):
        with gate.hold(limit_ms=1000):
            assert places_taken(gate) == 1
    assert places_taken(gate) == 0
    assert gate.path.stat().st_size == 0
