"""Let a fault happen at one statement of a commit, right before or right after it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import Any
from unittest import mock

BEGIN = "BEGIN IMMEDIATE"
COMMIT = "COMMIT"


class Moment(StrEnum):
    """The moment of a fault."""

    BEFORE = "before"
    AFTER = "after"


@contextmanager
def fault_at(index: int, moment: Moment, fault: Callable[[], None]) -> Iterator[list[str]]:
    """Within the block, call `fault` at one statement of this process's commits; yield the statements so far.

    The statements from each BEGIN IMMEDIATE to its COMMIT are counted, both included, through all transactions.
    ROLLBACK is not counted.
    """
    executed: list[str] = []

    class Faulty(sqlite3.Connection):
        is_in_commit = False

        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            self.is_in_commit = statement == BEGIN or (self.is_in_commit and statement != "ROLLBACK")
            if not self.is_in_commit:
                return super().execute(statement, *values)
            executed.append(statement)
            is_it = len(executed) == index + 1
            self.is_in_commit = statement != COMMIT
            if is_it and moment is Moment.BEFORE:
                fault()
            cursor = super().execute(statement, *values)
            if is_it and moment is Moment.AFTER:
                fault()
            return cursor

    with mock.patch("sqlite3.connect", partial(sqlite3.connect, factory=Faulty)):
        yield executed


def disk_full() -> None:
    """Fail as SQLite does when there is no room."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


def interrupted() -> None:
    """Fail as Ctrl-C does, with an exception that `except Exception` does not catch."""
    raise KeyboardInterrupt
