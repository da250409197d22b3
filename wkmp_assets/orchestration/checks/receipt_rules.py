"""Rules for the receipt of one file's commit: receipts in, findings out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wkmp_assets.model.batch import Receipt
from wkmp_assets.orchestration.checks.findings import Finding, Severity
from wkmp_assets.report.text import percentile

MAX_LOCKS = 2
"""Write locks of one file; more are an error, and two are a warning, because one is enough."""
ERROR_FACTOR = 10
"""A transaction that holds the lock for this many budgets is an error."""

LOCK_COLUMNS = ("write_locks", "transactions", "conflicts", "retries")
READ_COLUMNS = ("reads", "statements")
HOLD_COLUMNS = ("hold_ms", "wait_ms", "rows")
WAIT_COLUMNS = ("wait_ms", "retries", "conflicts", "hold_ms")


def judge_locks(file: str, receipt: Receipt) -> Iterator[Finding]:
    """Judge whether a file took the write lock once: for its transaction.

    When the library changed after it was read, the rows are computed again and the lock is taken again. Such conflicts
    are noted and do not count.
    """
    values = {name: getattr(receipt, name) for name in LOCK_COLUMNS}
    locks = receipt.write_locks - receipt.conflicts
    if locks < 1:
        text = "its receipt counts no transaction, so it proves nothing: SQLite's reports were not recorded"
        yield Finding(Severity.ERROR, file, text, values)
    elif locks > 1:
        stray = receipt.write_locks - receipt.transactions
        what = f"{receipt.transactions} transactions" + (f" and {stray} statements outside them" if stray else "")
        severity = Severity.ERROR if locks > MAX_LOCKS else Severity.WARNING
        yield Finding(severity, file, f"took the write lock {locks} times: {what}", values)
    if receipt.conflicts:
        text = f"was computed again {receipt.conflicts} times, because the library had changed meanwhile"
        yield Finding(Severity.NOTE, file, text, values)


def judge_reads(file: str, receipt: Receipt) -> Iterator[Finding]:
    """Judge whether all reads came before the transaction, because a read inside keeps other writers waiting."""
    reads = receipt.selects_in_transaction
    if reads:
        values = {"reads": reads, "statements": receipt.statements}
        yield Finding(Severity.ERROR, file, f"made {reads} reads while it held the write lock", values)


def judge_hold(file: str, receipt: Receipt, budget_ms: int) -> Iterator[Finding]:
    """Judge how long the write lock was held: over the budget is a warning, over ten budgets an error."""
    if receipt.hold_ms > budget_ms:
        severity = Severity.ERROR if receipt.hold_ms > budget_ms * ERROR_FACTOR else Severity.WARNING
        values = {"hold_ms": receipt.hold_ms, "wait_ms": receipt.wait_ms, "rows": sum(receipt.rows.values())}
        yield Finding(severity, file, f"held the write lock for {receipt.hold_ms:.0f} ms of {budget_ms}", values)


def judge_wait(file: str, receipt: Receipt, budget_ms: int, limit_ms: int) -> Iterator[Finding]:
    """Judge how long a file waited for the write lock: over the budget is a warning, over the limit an error.

    A retry means that a program which knows no gate held the lock. It is noted even if the wait was short.
    """
    values = {name: getattr(receipt, name) for name in WAIT_COLUMNS}
    again = f", in {receipt.retries + 1} attempts" if receipt.retries else ""
    text = f"waited {receipt.wait_ms:.0f} ms for the write lock{again}"
    if receipt.wait_ms > limit_ms:
        yield Finding(Severity.ERROR, file, f"{text}; the limit is {limit_ms}", values)
    elif receipt.wait_ms > budget_ms:
        yield Finding(Severity.WARNING, file, f"{text}; the budget is {budget_ms}", values)
    elif receipt.retries:
        yield Finding(Severity.NOTE, file, text, values)


@dataclass
class ReceiptFigures:
    """Figures over the receipts of many files."""

    write_locks: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    holds_ms: list[float] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)
    retries: int = 0
    conflicts: int = 0

    def add(self, receipt: Receipt) -> None:
        """Count one receipt."""
        self.write_locks.append(receipt.write_locks)
        self.reads.append(receipt.selects_in_transaction)
        self.holds_ms.append(receipt.hold_ms)
        self.waits_ms.append(receipt.wait_ms)
        self.retries += receipt.retries
        self.conflicts += receipt.conflicts

    @property
    def judged(self) -> int:
        """Number of receipts."""
        return len(self.write_locks)

    def describe_locks(self) -> Mapping[str, int | float]:
        """Return the figures about write locks."""
        if not self.judged:
            return {}
        mean = round(sum(self.write_locks) / self.judged, 3)
        return {"locks_per_file": mean, "most_locks": max(self.write_locks), "conflicts": self.conflicts}

    def describe_reads(self) -> Mapping[str, int | float]:
        """Return the figures about reads inside transactions."""
        return {"reads": sum(self.reads), "most_reads": max(self.reads)} if self.judged else {}

    def describe_holds(self, budget_ms: int) -> Mapping[str, int | float]:
        """Return the figures about the time for which the lock was held."""
        return {"budget_ms": budget_ms, **_spread("hold_ms", self.holds_ms)}

    def describe_waits(self, budget_ms: int, limit_ms: int) -> Mapping[str, int | float]:
        """Return the figures about the time for which files waited for the lock."""
        spread = {**_spread("wait_ms", self.waits_ms), "retries": self.retries} if self.judged else {}
        return {"budget_ms": budget_ms, "limit_ms": limit_ms, **spread}


def _spread(name: str, values_ms: Sequence[float]) -> Mapping[str, float]:
    if not values_ms:
        return {}
    shares = {f"{name}_p{percent}": percentile(values_ms, percent) for percent in (50, 99)}
    return shares | {f"{name}_max": max(values_ms)}
