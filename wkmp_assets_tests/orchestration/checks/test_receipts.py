"""The costs of commits, from SQLite's report through receipt and metadata to the check, green and red."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from wkmp_assets.db import commit
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.builders import run_sql, write_lock_held
from wkmp_assets_tests.support.checked_library import (
    SONG,
    TAKE,
    CheckedLibrary,
    Evaluations,
    findings,
    number,
)

pytestmark = pytest.mark.slow

LOCKS, READS, HOLD = "one_transaction_per_file", "no_reads_inside_transaction", "transaction_within_budget"
WAITING = "waited_within_budget"
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@pytest.fixture
def song(empty_library: CheckedLibrary) -> CheckedLibrary:
    """A library with one file that is not imported yet."""
    empty_library.add("song.flac", SONG)
    empty_library.scan()
    return empty_library


def after_write(monkeypatch: pytest.MonkeyPatch, spoil: Any) -> None:
    """Do something inside every transaction, after its rows are written."""
    write = LibraryWriter._execute

    def spoiled(self: LibraryWriter, *arguments: Any) -> None:
        write(self, *arguments)
        spoil(self._connection)

    monkeypatch.setattr(LibraryWriter, "_execute", spoiled)


@contextmanager
def hold_while_committing(database: Path, for_s: float) -> Iterator[None]:
    """Let another process take the write lock for a time, from just before the first commit within the block."""
    write = LibraryWriter.write
    held = ExitStack()

    def write_beside_another(self: LibraryWriter, *arguments: Any) -> Any:
        held.enter_context(write_lock_held(database, for_s=for_s))
        return write(self, *arguments)

    with held, pytest.MonkeyPatch.context() as patch:
        patch.setattr(LibraryWriter, "write", write_beside_another)
        yield


def verdict(evaluation: dg.AssetCheckEvaluation) -> tuple[bool, dg.AssetCheckSeverity]:
    return evaluation.passed, evaluation.severity


def test_an_import_is_green_with_its_numbers(imported: tuple[CheckedLibrary, Evaluations]) -> None:
    _, evaluations = imported
    for name in (LOCKS, READS, HOLD, WAITING):
        assert evaluations[name].passed
        assert number(evaluations[name], "judged") == 4
        assert number(evaluations[name], "without_receipt") == 1, "of the file that failed"
        assert findings(evaluations[name]) == []
    assert number(evaluations[LOCKS], "locks_per_file") == 1.0
    assert number(evaluations[READS], "reads") == 0
    p50, p99, worst = (number(evaluations[HOLD], f"hold_ms_{name}") for name in ("p50", "p99", "max"))
    assert 0 < p50 <= p99 <= worst < number(evaluations[HOLD], "budget_ms")


@pytest.mark.parametrize(("more", "severity"), [(1, WARN), (2, ERROR)])
def test_a_file_written_in_several_transactions_is_red(
    song: CheckedLibrary, monkeypatch: pytest.MonkeyPatch, more: int, severity: dg.AssetCheckSeverity
) -> None:
    def split(connection: Any) -> None:
        for _ in range(more):
            connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")

    after_write(monkeypatch, split)
    evaluation = song.import_one("song.flac")[LOCKS]
    assert verdict(evaluation) == (False, severity)
    (line,) = findings(evaluation)
    assert (line["file"], line["write_locks"], line["transactions"]) == ("song.flac", 1 + more, 1 + more)
    assert "song.flac" in str(evaluation.description)


def test_a_statement_outside_the_transaction_is_red(song: CheckedLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    transact = LibraryWriter._transact

    def transact_and_more(self: LibraryWriter, *arguments: Any) -> None:
        transact(self, *arguments)
        self._connection.execute("UPDATE files SET artist = artist")

    monkeypatch.setattr(LibraryWriter, "_transact", transact_and_more)
    evaluation = song.import_one("song.flac")[LOCKS]
    assert verdict(evaluation) == (False, WARN)
    assert "1 statements outside" in findings(evaluation)[0]["finding"]


def test_a_transaction_sqlite_reported_nothing_of_is_red(song: CheckedLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wkmp_assets.db.write.statement_log.StatementLog.watch", lambda _self, _connection: None)
    evaluation = song.import_one("song.flac")[LOCKS]
    assert verdict(evaluation) == (False, ERROR)
    assert "it proves nothing" in findings(evaluation)[0]["finding"]


def test_rows_computed_again_are_shown_and_green(song: CheckedLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real change by another program, between the reading and the writing."""
    song.import_one("song.flac")
    plan, others = commit.plan_file, iter(["UPDATE files SET artist = 'Somebody'"])

    def plan_while_another_program_writes(*arguments: Any) -> Any:
        batch = plan(*arguments)
        run_sql(song.database, *[statement for statement in [next(others, None)] if statement])
        return batch

    monkeypatch.setattr(commit, "plan_file", plan_while_another_program_writes)
    evaluation = song.import_one("song.flac", force=True)[LOCKS]
    assert evaluation.passed
    (line,) = findings(evaluation)
    assert (line["severity"], line["write_locks"], line["conflicts"]) == ("note", 2, 1)
    assert (number(evaluation, "most_locks"), number(evaluation, "conflicts")) == (2, 1)


def test_a_read_inside_the_transaction_is_red(song: CheckedLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    after_write(monkeypatch, lambda connection: connection.execute("SELECT count(*) FROM songs").fetchone())
    evaluations = song.import_one("song.flac")
    assert verdict(evaluations[READS]) == (False, ERROR)
    (line,) = findings(evaluations[READS])
    assert (line["file"], line["reads"]) == ("song.flac", 1)
    assert evaluations[LOCKS].passed


@pytest.mark.parametrize(("budget_ms", "severity"), [(900, WARN), (90, ERROR)])
def test_a_slow_transaction_is_red_by_the_budget_of_the_settings(
    song: CheckedLibrary, monkeypatch: pytest.MonkeyPatch, budget_ms: int, severity: dg.AssetCheckSeverity
) -> None:
    after_write(monkeypatch, lambda _connection: time.sleep(1))  # ten times 900 ms is far off
    evaluation = song.with_settings(hold_budget_ms=budget_ms).import_one("song.flac")[HOLD]
    assert verdict(evaluation) == (False, severity)
    (line,) = findings(evaluation)
    assert line["hold_ms"] >= 1000
    assert number(evaluation, "hold_ms_max") == line["hold_ms"]
    assert number(evaluation, "budget_ms") == budget_ms
    assert "WKMP_HOLD_BUDGET_MS" in str(evaluation.description)


def test_the_budget_is_100_ms_unless_it_is_set() -> None:
    assert load_settings().hold_budget_ms == 100


def test_a_trigger_of_another_program_that_takes_its_time_is_red(song: CheckedLibrary) -> None:
    song.import_one("song.flac")
    run_sql(
        song.database,
        """CREATE TRIGGER slow AFTER UPDATE ON files BEGIN
             SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
                                   SELECT i FROM n); END""",
    )
    evaluation = song.with_settings(hold_budget_ms=100, trust_database="triggers").import_one("song.flac", force=True)[
        HOLD
    ]
    assert not evaluation.passed
    assert findings(evaluation)[0]["hold_ms"] > 100


@pytest.mark.parametrize(("limits", "severity"), [((100, 60_000), WARN), ((50, 100), ERROR)])
def test_a_file_that_waited_for_another_program_is_red_by_the_limits_of_the_settings(
    song: CheckedLibrary, limits: tuple[int, int], severity: dg.AssetCheckSeverity
) -> None:
    """Another process holds SQLite's write lock until the writer has had to try again."""
    song.import_one("song.flac")
    run_sql(song.database, "INSERT INTO settings (key, value) VALUES ('ai_database_lock_retry_ms', '50')")
    given = song.with_settings(wait_budget_ms=limits[0], wait_limit_ms=limits[1])
    with hold_while_committing(song.database, for_s=0.8):
        evaluations = given.import_one("song.flac", force=True)
    assert verdict(evaluations[WAITING]) == (False, severity)
    (line,) = findings(evaluations[WAITING])
    assert line["file"] == "song.flac"
    assert line["wait_ms"] > 100
    assert line["retries"] > 0
    assert number(evaluations[WAITING], "wait_ms_max") == line["wait_ms"]
    assert number(evaluations[WAITING], "retries") == line["retries"]
    assert "WKMP_WAIT_BUDGET_MS" in str(evaluations[WAITING].description)
    assert evaluations[HOLD].passed


def test_more_than_half_a_second_is_a_warning_and_a_second_an_error_unless_it_is_set() -> None:
    settings = load_settings()
    assert (settings.wait_budget_ms, settings.wait_limit_ms) == (500, 1_000)


def test_a_later_check_of_the_whole_library_finds_what_was_recorded(song: CheckedLibrary) -> None:
    song.add("take.wav", TAKE)
    song.scan()
    with pytest.MonkeyPatch.context() as patch:
        after_write(patch, lambda connection: connection.execute("SELECT 1").fetchone())
        song.import_one("song.flac")
    assert song.import_one("take.wav")[READS].passed
    evaluation = song.check(READS)[READS]
    assert verdict(evaluation) == (False, ERROR)
    assert [line["file"] for line in findings(evaluation)] == ["song.flac"]
    assert (number(evaluation, "judged"), number(evaluation, "offenders")) == (2, 1)


def test_unchanged_files_keep_the_receipt_of_their_last_import(song: CheckedLibrary) -> None:
    song.import_one("song.flac")
    song.add("take.wav", TAKE)
    evaluations = song.import_all()
    for name in (LOCKS, READS, HOLD, WAITING):
        assert evaluations[name].passed
        assert (number(evaluations[name], "judged"), number(evaluations[name], "without_receipt")) == (2, 0)
        assert number(evaluations[name], "receipts_of_earlier_runs") == 1, "of the song, which was not written again"
    again = song.import_one("song.flac")[LOCKS]
    assert again.passed
    assert number(again, "judged") == 1
