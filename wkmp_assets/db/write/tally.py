"""The costs of a commit, added up over its tries."""

from dataclasses import dataclass, field

from wkmp_assets.db.write.statement_log import StatementLog
from wkmp_assets.model.batch import Receipt, WrittenRows


@dataclass
class Tally:
    """The costs of one commit so far, including tries that were rolled back."""

    begins: int = 0
    """Transactions asked for."""
    refused_begins: int = 0
    """Transactions that were refused, because another program held the lock."""
    autocommit_writes: int = 0
    statements: int = 0
    selects_in_transaction: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    """Table -> rows changed by the latest try."""
    wait_ms: float = 0.0
    hold_ms: float = 0.0
    """Of the longest transaction."""
    retries: int = 0
    conflicts: int = 0
    """Tries that met a library that had changed since it was read."""

    def add(self, log: StatementLog) -> None:
        """Add the counts of one try, as SQLite reported them."""
        self.begins += log.begins
        self.autocommit_writes += log.autocommit_writes
        self.statements += log.statements
        self.selects_in_transaction += log.selects_in_transaction

    def receipt(self, written: WrittenRows | None) -> Receipt:
        """Return the receipt of a commit that went through."""
        transactions = self.begins - self.refused_begins
        return Receipt(
            write_locks=transactions + self.autocommit_writes,
            transactions=transactions,
            statements=self.statements,
            selects_in_transaction=self.selects_in_transaction,
            rows=self.rows,
            wait_ms=self.wait_ms,
            hold_ms=self.hold_ms,
            retries=self.retries,
            conflicts=self.conflicts,
            written=written,
        )
