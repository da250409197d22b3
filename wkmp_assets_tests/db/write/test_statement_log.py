"""Receipts count what SQLite reports, not what the code intends."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from wkmp_assets.db.write.statement_log import StatementLog


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        yield connection


@pytest.fixture
def log(connection: sqlite3.Connection) -> StatementLog:
    log = StatementLog()
    log.watch(connection)
    return log


def test_a_transaction_is_counted_with_what_is_in_it(connection: sqlite3.Connection, log: StatementLog) -> None:
    for statement in ("BEGIN IMMEDIATE", "INSERT INTO t VALUES (1), (2)", "UPDATE t SET a = 3", "COMMIT"):
        connection.execute(statement)
    assert (log.begins, log.commits, log.rollbacks) == (1, 1, 0)
    assert (log.statements, log.selects_in_transaction, log.autocommit_writes) == (2, 0, 0)


def test_a_rollback_is_no_commit(connection: sqlite3.Connection, log: StatementLog) -> None:
    for statement in ("begin", "DELETE FROM t", "rollback"):
        connection.execute(statement)
    assert (log.begins, log.commits, log.rollbacks, log.statements) == (1, 0, 1, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "REPLACE INTO t VALUES (1)",
        "CREATE TABLE u (b)",
    ],
)
def test_a_stray_write_shows_as_a_lock_of_its_own(
    connection: sqlite3.Connection, log: StatementLog, statement: str
) -> None:
    connection.execute(statement)
    assert (log.autocommit_writes, log.statements) == (1, 0)


READS = {
    "select": "SELECT * FROM t",
    "pragma": "PRAGMA table_info(t)",
    "values": "VALUES (1)",
    "lower case and space": "\n  select 1",
    "with": "WITH x AS (SELECT 1) SELECT * FROM x",
}


@pytest.mark.parametrize("statement", READS.values(), ids=READS)
def test_a_read_counts_only_inside_a_transaction(
    connection: sqlite3.Connection, log: StatementLog, statement: str
) -> None:
    connection.execute(statement).fetchall()
    assert (log.selects_in_transaction, log.autocommit_writes) == (0, 0)
    connection.execute("BEGIN")
    connection.execute(statement).fetchall()
    connection.execute("COMMIT")
    assert (log.selects_in_transaction, log.statements) == (1, 1)


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO t SELECT 1", "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x"],
    ids=["insert", "with"],
)
def test_a_write_that_reads_is_a_write(connection: sqlite3.Connection, log: StatementLog, statement: str) -> None:
    connection.execute("BEGIN")
    connection.execute(statement)
    connection.execute("COMMIT")
    assert (log.selects_in_transaction, log.statements) == (0, 1)


def test_what_a_trigger_reads_is_no_select_of_ours(connection: sqlite3.Connection, log: StatementLog) -> None:
    connection.execute("CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET a = (SELECT 2); END")
    log.take()
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.execute("COMMIT")
    assert (log.begins, log.selects_in_transaction, log.autocommit_writes) == (1, 0, 0)


def test_taking_the_counts_starts_from_zero(connection: sqlite3.Connection, log: StatementLog) -> None:
    connection.execute("INSERT INTO t VALUES (1)")
    assert log.take().autocommit_writes == 1
    assert log.take() == StatementLog()
