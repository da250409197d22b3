"""The write-ahead log goes into the database in time, and never while the write lock is held."""

import sqlite3
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from wkmp_assets.db import writer as writer_module
from wkmp_assets_tests.builders import column, commit, entry, in_a_row, problems
from wkmp_assets_tests.sql_trace import traced

FILES = 60
"""With 24 passages each they fill the log several times over."""


def log_size(database: Path) -> int:
    return database.with_name(database.name + "-wal").stat().st_size


def test_the_log_does_not_grow_with_the_import(database: Path) -> None:
    sizes = []
    with sqlite3.connect(database) as keeps_the_log:
        for number in range(FILES):
            commit(database, entry(f"{number}.flac", content=str(number), bounds=in_a_row(24)))
            keeps_the_log.execute("SELECT 1 FROM sqlite_master").fetchall()
            sizes.append(log_size(database))
    keeps_the_log.close()
    assert max(sizes) < 1.5 * writer_module.CHECKPOINT_BYTES
    assert sum(later < earlier for earlier, later in pairwise(sizes)) >= 2, "it begins anew"
    assert problems(database) == []


def test_checkpoints_come_after_commit_and_only_when_they_are_due(database: Path) -> None:
    entries = [entry(f"{number}.flac", content=str(number), bounds=in_a_row(24)) for number in range(FILES)]
    with traced(database) as statements:
        receipts = [one.receipt for one in commit(database, *entries).values()]
    checkpoints = [number for number, one in enumerate(statements) if "wal_checkpoint" in one.sql]
    assert 2 <= len(checkpoints) < FILES / 2
    assert all(not statements[number].is_in_transaction for number in checkpoints)
    assert {receipt.write_locks for receipt in receipts if receipt} == {1}, "it takes no write lock"


class NoCheckpoints(sqlite3.Connection):
    """Fails at a checkpoint, as when there is no room for the database to grow."""

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        if "wal_checkpoint" in statement:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(statement, *values)  # type: ignore[arg-type] # handed on as it came


def test_a_checkpoint_that_fails_is_a_warning_for_the_file_is_in_the_library(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer_module, "CHECKPOINT_BYTES", 0)
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=NoCheckpoints))
    receipt = commit(database, entry())[entry().path].receipt
    monkeypatch.undo()
    assert receipt is not None
    assert column(database, "SELECT status FROM files") == ["INGEST COMPLETE"]
    assert "could not be checkpointed (database or disk is full)" in caplog.text
