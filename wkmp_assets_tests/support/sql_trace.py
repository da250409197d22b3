"""Every statement that this process sends to SQLite, on every connection, in order, as SQLite reports it.

Independent of the package's own statement log: what a receipt says can be held against it.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, cast
from unittest import mock

Callback = Callable[[str], Any]


@dataclass(frozen=True)
class Statement:
    """One statement, as it was run."""

    connection: int
    """Its connection's number, in the order in which they were opened."""
    sql: str
    is_in_transaction: bool
    """Something had begun on its connection, and was not over."""

    @property
    def word(self) -> str:
        """Its first word."""
        return self.sql.split()[0].upper()


@contextmanager
def traced(database: Path, also: Callback = lambda _: None) -> Iterator[list[Statement]]:
    """Collect the statements of the block that go to one database.

    Parameters
    ----------
    database : Path
        Connections to other files are left alone.
    also : callable
        Called with each statement, as it runs.
    """
    statements: list[Statement] = []
    numbers = count(1)

    class Traced(sqlite3.Connection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.number = next(numbers)
            super().__init__(*arguments, **options)

        def set_trace_callback(self, own: Callback | None) -> None:
            def record(sql: str) -> None:
                statements.append(Statement(self.number, sql, self.in_transaction))
                also(sql)
                if own is not None:
                    own(sql)

            super().set_trace_callback(record)

    def connect(name: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
        if Path(str(name).removeprefix("file://").split("?")[0]).name != database.name:
            return cast("sqlite3.Connection", real(name, *arguments, **options))
        connection: sqlite3.Connection = real(name, *arguments, **options, factory=Traced)
        connection.set_trace_callback(None)
        return connection

    real = sqlite3.connect
    with mock.patch("sqlite3.connect", connect):
        yield statements
