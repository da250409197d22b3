"""Every transaction on the library passes through the retry, in the source and at run time."""

import ast
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.db.write import writer as writer_module
from wkmp_assets.db.write.retry import LockRetry
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.model.values import FileState
from wkmp_assets_tests.support.builders import LATER, bare, commit, entry
from wkmp_assets_tests.support.package_code import TREES, users_of
from wkmp_assets_tests.support.sql_trace import traced
from wkmp_assets_tests.tools.plan import plan_test


@plan_test("TC-U-BW-050-01")
@pytest.mark.slow
def test_a_transaction_can_be_begun_in_one_place_only() -> None:
    assert users_of("BEGIN") == ["db/write/writer.py::_transaction"]
    assert users_of("_transaction") == ["db/write/writer.py::_transact"]
    assert users_of("_transact") == ["db/write/writer.py::write"]
    assert users_of("open_writer") == ["db/write/writer.py::_open"]
    assert users_of("ensure_schema") == ["db/write/writer.py::_open"]
    assert users_of("LockRetry") == ["db/write/writer.py::__init__"]


@plan_test("TC-U-BW-050-01")
def test_what_begins_a_transaction_is_only_ever_handed_to_the_retry() -> None:
    calls = [node for node in ast.walk(TREES["db/write/writer.py"]) if isinstance(node, ast.Call)]
    retried = [call for call in calls if ast.unparse(call.func) == "self._retry.run"]
    assert len(retried) == 2, "one for opening, one for writing"
    handed = {id(node) for call in retried for argument in call.args for node in ast.walk(argument)}
    for name in ("_transact", "_open"):
        uses = [
            node
            for node in ast.walk(TREES["db/write/writer.py"])
            if isinstance(node, ast.Attribute) and node.attr == name
        ]
        assert uses != []
        assert all(id(node) in handed for node in uses)


def test_a_second_way_in_would_be_seen() -> None:
    """The rule finds code that breaks it."""
    second = ast.parse("class W:\n  def quickly(self):\n    self._connection.execute(sql.BEGIN)")
    assert users_of("BEGIN", {"other.py": second}) == ["other.py::quickly"]


class WatchedRetry(LockRetry):
    """A retry that counts how deep its operations are nested."""

    depth = 0

    def run(self, database: Path, operation: Callable[[], Any]) -> tuple[Any, int]:
        WatchedRetry.depth += 1
        try:
            return super().run(database, operation)
        finally:
            WatchedRetry.depth -= 1


@plan_test("TC-U-BW-050-01")
def test_every_write_of_a_run_happens_inside_the_retry(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New, changed, duplicate, moved and failed files, and the schema of a new library."""
    monkeypatch.setattr(writer_module, "LockRetry", WatchedRetry)
    depths: list[tuple[str, int]] = []
    writes = ("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE", "CREATE", "COMMIT")
    with traced(database, lambda sql: depths.append((sql, WatchedRetry.depth))) as statements:
        commit(database, entry("a.flac"), bare("copy.flac"), ("bad.flac", Failed("file_tags", "C", "m")))
        commit(
            database,
            entry("a.flac", content="new", state=FileState.CHANGED),
            bare("moved.flac", state=FileState.MOVED, moved_from="copy.flac"),
            now=LATER,
        )
    readers = {one.connection for one in statements} - {
        one.connection for one in statements if one.sql == "BEGIN IMMEDIATE"
    }
    of_writers = [
        depth
        for one, (sql, depth) in zip(statements, depths, strict=True)
        if one.connection not in readers and sql.startswith(writes)
    ]
    assert [one.sql for one in statements].count("BEGIN IMMEDIATE") == 5
    assert len(of_writers) > 50
    assert set(of_writers) == {1}
    assert not any(one.sql.startswith(writes[1:5]) for one in statements if one.connection in readers)


@plan_test("TC-U-BW-050-01")
def test_a_lock_at_begin_is_met_by_the_retry(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BEGIN itself raises the error, and the whole transaction is run again."""
    refused = iter([sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED])
    slept: list[float] = []

    real = writer_module.LibraryWriter._transaction

    def refusing(writer: writer_module.LibraryWriter) -> Any:
        for code in refused:
            error = sqlite3.OperationalError("somebody else has it")
            error.sqlite_errorcode = code
            raise error
        return real(writer)

    monkeypatch.setattr(writer_module, "LockRetry", partial(LockRetry, sleep=slept.append))
    monkeypatch.setattr(writer_module.LibraryWriter, "_transaction", refusing)
    receipt = commit(database, entry())[entry().path].receipt
    assert receipt is not None
    assert receipt.retries == len(slept) == 2
    assert receipt.write_locks == 1
