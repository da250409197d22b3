"""Count a connection's statements as SQLite reports them. Every receipt comes from these counts."""

import re
import sqlite3
from dataclasses import dataclass

_FIRST_WORD = re.compile(r"\s*([A-Za-z]+)(?:\s+([A-Za-z]+))?")
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP", "REINDEX", "VACUUM"})


@dataclass
class StatementLog:
    """Counts of statements, from the trace callback of a connection.

    A write statement outside a transaction takes the write lock as well (autocommit). It counts as an acquisition, so a
    stray one would show in the receipt.
    """

    begins: int = 0
    """Transactions asked for, including attempts that met a lock."""
    commits: int = 0
    rollbacks: int = 0
    autocommit_writes: int = 0
    statements: int = 0
    """Statements executed between BEGIN and COMMIT, without these two."""
    selects_in_transaction: int = 0

    def watch(self, connection: sqlite3.Connection) -> None:
        """Attach to a connection, and replace any earlier trace."""
        self._connection = connection
        connection.set_trace_callback(self._record)

    def take(self) -> "StatementLog":
        """Return the counts so far, and start again from zero."""
        taken = StatementLog(
            self.begins,
            self.commits,
            self.rollbacks,
            self.autocommit_writes,
            self.statements,
            self.selects_in_transaction,
        )
        self.begins = self.commits = self.rollbacks = 0
        self.autocommit_writes = self.statements = self.selects_in_transaction = 0
        return taken

    def _record(self, sql: str) -> None:
        match = _FIRST_WORD.match(sql)
        if match is None:  # a trigger's comment line
            return
        word = match.group(1).upper()
        if word == "BEGIN":
            self.begins += 1
        elif word in {"COMMIT", "END"}:
            self.commits += 1
        elif word == "ROLLBACK":
            self.rollbacks += 1
        elif self._connection.in_transaction:
            self.statements += 1
            self.selects_in_transaction += word in {"SELECT", "PRAGMA", "VALUES"} or _is_reading_with(word, sql)
        else:
            self.autocommit_writes += word in _WRITES


def _is_reading_with(word: str, sql: str) -> bool:
    """Tell whether a WITH statement reads: `WITH ... SELECT` does, `WITH ... INSERT` does not."""
    return word == "WITH" and not any(write in sql.upper() for write in ("INSERT", "UPDATE", "DELETE"))
