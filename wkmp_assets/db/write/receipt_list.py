"""The receipts of a library as a database of their own, which lies beside the report and can be asked with SQL."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import sqlite_utils

_COLUMNS: dict[str, type] = {
    **dict.fromkeys(("path", "file_id", "run_id", "written_at", "status"), str),
    **dict.fromkeys(("passages", "write_locks", "transactions", "statements"), int),
    **dict.fromkeys(("hold_ms", "wait_ms"), float),
    **dict.fromkeys(("retries", "conflicts"), int),
}

RECEIPT_TEXTS = {
    "path": "the file",
    "file_id": "its row in files of the library",
    "run_id": "the run that wrote it",
    "written_at": "when, in UTC",
    "status": "of the file",
    "passages": "how many the commit wrote",
    "write_locks": "how often SQLite's write lock was taken",
    "transactions": "how many there were, all tries together",
    "statements": "how many SQLite executed",
    "hold_ms": "milliseconds from holding the write lock to the end of COMMIT, in the longest transaction",
    "wait_ms": "milliseconds of waiting for the write lock, all tries together",
    "retries": "tries that met a lock of another program",
    "conflicts": "tries that met a library which had changed since it was read",
}
"""Name of a column -> what it holds."""


@dataclass(frozen=True)
class ReceiptRow:
    """One file's last write."""

    path: str
    file_id: str | None
    run_id: str
    written_at: str | None
    status: str | None
    passages: int | None
    write_locks: int
    transactions: int
    statements: int
    hold_ms: float
    wait_ms: float
    retries: int
    conflicts: int


def make_receipt_list(receipts: Iterable[ReceiptRow]) -> bytes:
    """Return an SQLite database with the table `receipts`."""
    with sqlite_utils.Database(memory=True) as database:
        table = database.table("receipts")
        table.create(_COLUMNS, pk="path")
        table.insert_all((asdict(one) for one in receipts), replace=True)
        content: bytes = database.conn.serialize()
    return content
