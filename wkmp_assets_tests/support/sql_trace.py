"""Every statement that this process sends to SQLite, on every connection, in order, as SQLite reports it.

It is independent of the package's statement log, so that receipts can be compared with it.
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
    """Number of its connection, in the order of opening."""
    sql: str
    is_in_transaction: bool
    """Whether a transaction was open on its connection."""

    @property
    def word(self) -> str:
        """The first word of the statement."""
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

    class Traced:
        """What a traced connection does besides its own class."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.number = next(numbers)
            super().__init__(*arguments, **options)

        def set_trace_callback(self, own: Callback | None) -> None:
            def record(sql: str) -> None:
                statements.append(Statement(self.number, sql, self.in_transaction))  # type: ignore[attr-defined] # of its other class
                also(sql)
                if own is not None:
                    own(sql)

            super().set_trace_callback(record)  # type: ignore[misc] # of its other class

    def connect(
        name: Any, *arguments: Any, factory: type[sqlite3.Connection] = sqlite3.Connection, **options: Any
    ) -> sqlite3.Connection:
        if Path(str(name).removeprefix("file://").split("?")[0]).name != database.name:
            return cast("sqlite3.Connection", real(name, *arguments, **options, factory=factory))
        traced_class = type("TracedConnection", (Traced, factory), {})
        connection: sqlite3.Connection = real(name, *arguments, **options, factory=traced_class)
        connection.set_trace_callback(None)
        return connection

    real = sqlite3.connect
    with mock.patch("sqlite3.connect", connect):
        yield statements
