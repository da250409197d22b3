"""What the receipt of one file's commit must say. Pure: receipts in, findings out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wkmp_assets.model.batch import Receipt
from wkmp_assets.orchestration.checks.findings import Finding, Weight
from wkmp_assets.report.text import percentile

MOST_LOCKS = 2
"""What is required; one is what we aim for."""
ERROR_FACTOR = 10
"""A transaction this many times over its budget is an error."""

LOCK_COLUMNS = ("write_locks", "transactions", "conflicts", "retries")
READ_COLUMNS = ("reads", "statements")
HOLD_COLUMNS = ("hold_ms", "wait_ms", "rows")


def judge_locks(file: str, receipt: Receipt) -> Iterator[Finding]:
    """Judge whether a file took one write lock: that of its transaction.

    A file whose rows were computed again, because the library had changed since it was read, rightly took the lock once
    more each time: those are shown, but only what goes beyond them counts.
    """
    values = {name: getattr(receipt, name) for name in LOCK_COLUMNS}
    locks = receipt.write_locks - receipt.conflicts
    if locks < 1:
        text = "its receipt reports no transaction: SQLite's reports did not reach it, so nothing is proven"
        yield Finding(Weight.ERROR, file, text, values)
    elif locks > 1:
        stray = receipt.write_locks - receipt.transactions
        what = f"{receipt.transactions} transactions" + (f" and {stray} statements outside of them" if stray else "")
        weight = Weight.ERROR if locks > MOST_LOCKS else Weight.WARNING
        yield Finding(weight, file, f"took the write lock {locks} times for one set of rows: {what}", values)
    if receipt.conflicts:
        text = f"computed and written again {receipt.conflicts} times: the library had changed meanwhile, as it may"
        yield Finding(Weight.NOTE, file, text, values)


def judge_reads(file: str, receipt: Receipt) -> Iterator[Finding]:
    """Judge whether everything was read before the transaction: reading inside keeps all other writers waiting."""
    reads = receipt.selects_in_transaction
    if reads:
        values = {"reads": reads, "statements": receipt.statements}
        yield Finding(Weight.ERROR, file, f"{reads} reads while holding the write lock", values)


def judge_hold(file: str, receipt: Receipt, budget_ms: int) -> Iterator[Finding]:
    """Judge how long the lock was held; ten times the budget is an error."""
    if receipt.hold_ms > budget_ms:
        weight = Weight.ERROR if receipt.hold_ms > budget_ms * ERROR_FACTOR else Weight.WARNING
        values = {"hold_ms": receipt.hold_ms, "wait_ms": receipt.wait_ms, "rows": sum(receipt.rows.values())}
        yield Finding(weight, file, f"held the write lock for {receipt.hold_ms:.0f} ms of {budget_ms}", values)


@dataclass
class ReceiptNumbers:
    """Figures over the receipts of many files."""

    write_locks: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    holds_ms: list[float] = field(default_factory=list)
    conflicts: int = 0

    def add(self, receipt: Receipt) -> None:
        """Count one receipt."""
        self.write_locks.append(receipt.write_locks)
        self.reads.append(receipt.selects_in_transaction)
        self.holds_ms.append(receipt.hold_ms)
        self.conflicts += receipt.conflicts

    @property
    def judged(self) -> int:
        """How many receipts there were."""
        return len(self.write_locks)

    def of_locks(self) -> Mapping[str, int | float]:
        """Return the figures about write locks."""
        if not self.judged:
            return {}
        mean = round(sum(self.write_locks) / self.judged, 3)
        return {"locks_per_file": mean, "most_locks": max(self.write_locks), "conflicts": self.conflicts}

    def of_reads(self) -> Mapping[str, int | float]:
        """Return the figures about reads inside transactions."""
        return {"reads": sum(self.reads), "most_reads": max(self.reads)} if self.judged else {}

    def of_holds(self, budget_ms: int) -> Mapping[str, int | float]:
        """Return the figures about how long the lock was held."""
        spread = (
            {f"hold_ms_p{percent}": percentile(self.holds_ms, percent) for percent in (50, 99)}
            | {"hold_ms_max": max(self.holds_ms)}
            if self.judged
            else {}
        )
        return {"budget_ms": budget_ms, **spread}
