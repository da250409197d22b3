"""Retries: the delays on a hand-driven clock, the lock with another process."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.write.gate import GateTimeoutError
from wkmp_assets.db.write.retry import LockRetry, delays_ms, is_lock_error
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import LibraryLockedError
from wkmp_assets_tests.support.builders import column, dump, entry, prepared, write_lock_held
from wkmp_assets_tests.tools.plan import plan_test

pytestmark = pytest.mark.slow

SQLITE_BUSY_SNAPSHOT = 517
SQLITE_BUSY_RECOVERY = 261
SQLITE_LOCKED_SHAREDCACHE = 262


class Clock:
    """A clock that advances only by sleep and work, in whole milliseconds."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.slept_ms: list[int] = []

    def __call__(self) -> float:
        return self.now_ms / 1000

    def sleep(self, seconds: float) -> None:
        self.slept_ms.append(round(seconds * 1000))
        self.now_ms += round(seconds * 1000)


def sqlite_error(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    error = kind("an error")
    error.sqlite_errorcode = code
    return error


def retrying(clock: Clock, jitter: float = 0.5, budget_ms: float = 5000) -> LockRetry:
    return LockRetry(budget_ms=budget_ms, sleep=clock.sleep, clock=clock, jitter=lambda: jitter)


def failing(clock: Clock, error: BaseException, *, busy_ms: int = 0, times: int = 10**6) -> Callable[[], str]:
    def operation() -> str:
        nonlocal times
        times -= 1
        if times < 0:
            return "written"
        clock.now_ms += busy_ms
        raise error

    return operation


@plan_test("TC-I-BW-050-02")
def test_delays_double_from_10_ms_to_1_s() -> None:
    assert list(islice(delays_ms(), 10)) == [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]


@pytest.mark.parametrize(("busy_ms", "attempts"), [(0, 12), (250, 10)], ids=["fails at once", "250 ms busy wait"])
def test_the_budget_of_5_s_allows_the_attempts_of_the_reference(busy_ms: int, attempts: int) -> None:
    clock = Clock()
    with pytest.raises(LibraryLockedError) as raised:
        retrying(clock).run(Path("wkmp.db"), failing(clock, sqlite_error(sqlite3.SQLITE_BUSY), busy_ms=busy_ms))
    assert raised.value.attempts == attempts
    assert raised.value.waited_ms >= 5000
    assert clock.now_ms <= 5000 + busy_ms
    assert clock.slept_ms[:8] == [10, 20, 40, 80, 160, 320, 640, 1000]


@pytest.mark.parametrize(("jitter", "first_ms"), [(0.0, 8), (0.5, 10), (1.0, 12)])
def test_jitter_spreads_each_delay_by_a_fifth(jitter: float, first_ms: int) -> None:
    clock = Clock()
    _, retries = retrying(clock, jitter).run(
        Path("wkmp.db"), failing(clock, sqlite_error(sqlite3.SQLITE_BUSY), times=1)
    )
    assert (retries, clock.slept_ms) == (1, [first_ms])


LOCKS = {
    "BUSY": sqlite3.SQLITE_BUSY,
    "BUSY_SNAPSHOT": SQLITE_BUSY_SNAPSHOT,
    "BUSY_RECOVERY": SQLITE_BUSY_RECOVERY,
    "LOCKED": sqlite3.SQLITE_LOCKED,
    "LOCKED_SHAREDCACHE": SQLITE_LOCKED_SHAREDCACHE,
}


@pytest.mark.parametrize("code", LOCKS.values(), ids=LOCKS)
def test_a_lock_is_told_by_its_code(code: int) -> None:
    clock = Clock()
    assert retrying(clock).run(Path("wkmp.db"), failing(clock, sqlite_error(code), times=3)) == ("written", 3)


def test_a_closed_gate_counts_as_a_lock() -> None:
    clock = Clock()
    assert is_lock_error(GateTimeoutError())
    assert retrying(clock).run(Path("wkmp.db"), failing(clock, GateTimeoutError(), times=1)) == ("written", 1)


OTHERS = {
    "disk full": sqlite_error(sqlite3.SQLITE_FULL),
    "constraint": sqlite_error(sqlite3.SQLITE_CONSTRAINT, sqlite3.IntegrityError),
    "an error whose text speaks of a lock": sqlite3.OperationalError("database is locked"),
    "programming error": ValueError("x"),
}


@plan_test("TC-I-BW-050-02")
@pytest.mark.parametrize("error", OTHERS.values(), ids=OTHERS)
def test_any_other_error_is_raised_at_once(error: BaseException) -> None:
    clock = Clock()
    with pytest.raises(type(error)) as raised:
        retrying(clock).run(Path("wkmp.db"), failing(clock, error))
    assert raised.value is error
    assert clock.slept_ms == []


@pytest.mark.parametrize(
    ("busy_ms", "level"), [(100, "DEBUG"), (2100, "WARNING"), (5100, "ERROR")], ids=["quick", "slow", "very slow"]
)
def test_a_write_that_took_its_time_is_logged_with_its_attempts(
    caplog: pytest.LogCaptureFixture, busy_ms: int, level: str
) -> None:
    clock = Clock()
    caplog.set_level("DEBUG", logger="wkmp_assets")
    busy = failing(clock, sqlite_error(sqlite3.SQLITE_BUSY), busy_ms=busy_ms, times=1)
    retrying(clock, budget_ms=10_000).run(Path("wkmp.db"), busy)
    assert [record.levelname for record in caplog.records] == ["WARNING", level]
    assert f"after 2 attempts, {busy_ms + 10} ms" in caplog.messages[1]


def test_a_write_that_is_given_up_is_logged_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with pytest.raises(LibraryLockedError):
        retrying(clock).run(Path("wkmp.db"), failing(clock, sqlite_error(sqlite3.SQLITE_BUSY)))
    assert caplog.records[-1].levelname == "ERROR"
    assert "given up after 12 attempts" in caplog.messages[-1]


@plan_test("TC-I-BW-050-02")
def test_a_write_waits_for_a_program_that_knows_no_gate(database: Path) -> None:
    with LibraryWriter(database, LockSettings(50, 30_000)) as writer:
        batch = prepared(database, entry())
        with write_lock_held(database, for_s=0.5):
            receipt = writer.write(batch)
    assert receipt.retries > 0
    assert (receipt.write_locks, receipt.transactions, receipt.conflicts) == (1, 1, 0)
    assert receipt.wait_ms > 300, "with the pauses between the attempts"
    assert column(database, "SELECT status FROM files") == ["INGEST COMPLETE"]


@plan_test("TC-I-BW-050-02")
def test_a_lock_held_longer_than_the_budget_is_an_error_and_nothing_is_written(database: Path) -> None:
    with LibraryWriter(database, LockSettings(50, 500)) as writer:
        batch = prepared(database, entry())
        before = dump(database)
        with write_lock_held(database), pytest.raises(LibraryLockedError, match="nothing was written"):
            writer.write(batch)
        assert dump(database) == before
        writer.write(batch)
    assert column(database, "SELECT count(*) FROM files") == [1]


@plan_test("TC-I-BW-050-02")
def test_while_another_process_writes_the_delays_double_until_the_budget_is_used_up(database: Path) -> None:
    slept_ms: list[int] = []

    def sleep(seconds: float) -> None:
        slept_ms.append(round(seconds * 1000))
        time.sleep(seconds)

    with LibraryWriter(database, LockSettings(50, 2000)) as writer:
        writer._retry = LockRetry(budget_ms=2000, sleep=sleep, jitter=lambda: 0.5)
        batch = prepared(database, entry())
        with write_lock_held(database), pytest.raises(LibraryLockedError) as raised:
            writer.write(batch)
    assert slept_ms[:5] == [10, 20, 40, 80, 160]
    assert sum(slept_ms) <= 2000
    assert raised.value.waited_ms >= 2000
    assert raised.value.attempts == len(slept_ms) + 1
    assert column(database, "SELECT count(*) FROM files") == [0]


def test_a_library_that_is_locked_while_it_is_opened_is_waited_for(database: Path) -> None:
    """Another program's database with a rollback journal: changing to WAL needs the lock as well."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT)")
    with write_lock_held(database, for_s=0.5), LibraryWriter(database, LockSettings(50, 30_000)):
        pass
    assert column(database, "PRAGMA journal_mode") == ["wal"]


def test_a_library_that_stays_locked_while_it_is_opened_is_reported_as_locked(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT)")
    with (
        write_lock_held(database),
        pytest.raises(LibraryLockedError),
        LibraryWriter(database, LockSettings(50, 500)),
    ):
        pass
