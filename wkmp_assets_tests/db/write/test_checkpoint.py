"""The write-ahead log is copied into the database in time, and never while the write lock is held."""

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from wkmp_assets.db.commit import FileCommitter
from wkmp_assets.db.connection import MAX_WAL_BYTES
from wkmp_assets.db.write import writer as writer_module
from wkmp_assets.db.write.wal import count_wal_steps
from wkmp_assets.model.batch import FileCommit
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_key import encode_key
from wkmp_assets_tests.support.builders import NOW, column, commit, done, entry, in_a_row, problems
from wkmp_assets_tests.support.sql_trace import traced

FILES = 60
"""With 24 passages each they fill the log several times over."""


def log_of(database: Path) -> Path:
    return database.with_name(database.name + "-wal")


def long_files() -> list[FileEntry]:
    return [entry(f"{number}.flac", content=str(number), bounds=in_a_row(24)) for number in range(FILES)]


def commit_one_by_one(database: Path, entries: Iterable[FileEntry]) -> Generator[FileCommit, None, None]:
    """Commit entries as one import does, in the order of their names; the log is emptied at its end only."""
    with FileCommitter(database, run_id="run-1", now=lambda: NOW) as committer:
        yield from committer.commit_all({encode_key(one.path): done(one) for one in entries})


@pytest.mark.slow
def test_the_log_does_not_grow_with_the_import(database: Path) -> None:
    sizes, rounds = [], set()
    with sqlite3.connect(database) as keeps_the_log:
        for _ in commit_one_by_one(database, long_files()):
            keeps_the_log.execute("SELECT 1 FROM sqlite_master").fetchall()
            log = log_of(database).read_bytes()
            sizes.append(len(log))
            rounds.add(log[16:24])
    keeps_the_log.close()
    assert max(sizes) < 1.5 * writer_module.CHECKPOINT_BYTES
    assert len(rounds) >= 3, "it begins anew"
    assert problems(database) == []


def test_a_log_is_as_long_as_its_present_round(tmp_path: Path) -> None:
    database = tmp_path / "any.db"
    log = log_of(database)
    assert count_wal_steps(log, 100, 9) == 0
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in ("journal_mode = WAL", "wal_autocheckpoint = 0", "page_size = 4096"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE t (a)")
        frame = 24 + 4096
        for _ in range(50):
            connection.execute("INSERT INTO t VALUES (zeroblob(3000))")
        whole = log.stat().st_size
        lengths = {step: count_wal_steps(log, step, 9) for step in (1000, whole // 3, whole - frame, whole + frame)}
        assert lengths == {1000: 9, whole // 3: 2, whole - frame: 1, whole + frame: 0}
        connection.execute("PRAGMA wal_checkpoint(RESTART)")
        connection.execute("INSERT INTO t VALUES (1)")
        assert log.stat().st_size == whole, "the older round is still there, and does not count"
        assert count_wal_steps(log, 1000, 9) == 4, "the only frame begins within each of these"
        assert count_wal_steps(log, whole // 2, 9) == 0
    log.write_bytes(b"")
    assert count_wal_steps(log, 100, 9) == 0


@pytest.mark.slow
def test_a_log_that_has_grown_long_is_cut_when_it_begins_anew(database: Path) -> None:
    commit(database, entry())
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM files").fetchone()
        more = [entry("a.flac", content="a"), entry("b.flac", content="b")]
        commits = commit_one_by_one(database, [*long_files(), *more])
        for _ in range(FILES):
            next(commits)
        assert log_of(database).stat().st_size > 1.2 * MAX_WAL_BYTES, "a reader holds it"
        reader.execute("COMMIT")
        for _ in more:
            next(commits)
        assert 0 < log_of(database).stat().st_size <= 1.1 * MAX_WAL_BYTES
        commits.close()


@pytest.mark.slow
def test_checkpoints_come_after_commit_and_only_when_they_are_due(database: Path) -> None:
    with traced(database) as statements:
        receipts = [one.receipt for one in commit(database, *long_files()).values()]
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
    monkeypatch.setattr(writer_module, "CHECKPOINT_BYTES", 1)
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=NoCheckpoints))
    receipt = commit(database, entry())[entry().path].receipt
    monkeypatch.undo()
    assert receipt is not None
    assert column(database, "SELECT status FROM files") == ["INGEST COMPLETE"]
    assert "could not be checkpointed (database or disk is full)" in caplog.text
