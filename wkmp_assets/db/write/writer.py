"""Write one batch in one transaction, all or nothing.

Everything is computed before the lock is taken: the transaction only executes INSERT, UPDATE and DELETE. When the
library has changed since it was read, nothing is written, and `db.commit` reads and plans again.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from wkmp_assets.db.connection import CHECKPOINT_BYTES, MAX_WAL_STEPS, open_writer, translate_errors
from wkmp_assets.db.read.library_settings import LockSettings
from wkmp_assets.db.read.select import digest_text
from wkmp_assets.db.schema import ensure_schema
from wkmp_assets.db.write import statements as sql
from wkmp_assets.db.write.gate import WriterGate
from wkmp_assets.db.write.hold_limit import MAX_COMPUTE_MS, HoldLimit
from wkmp_assets.db.write.names import create_functions
from wkmp_assets.db.write.rest import bring_to_rest
from wkmp_assets.db.write.retry import LockRetry
from wkmp_assets.db.write.script import Batch, Step, make_script
from wkmp_assets.db.write.statement_log import StatementLog
from wkmp_assets.db.write.tally import Tally
from wkmp_assets.db.write.wal import count_wal_steps
from wkmp_assets.errors import CommitRefusedError, CostlyTransactionError, LibraryChangedError
from wkmp_assets.model.batch import Receipt, written_rows

_LOG = logging.getLogger(__name__)

_CHANGED = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
    }
)
"""Rules that break when a row was added or removed since the library was read. Any other broken rule is a bug."""


class LibraryWriter:
    """Writes batches to one library. A context manager.

    It opens the database, brings its schema up to date, and leaves the library at rest in one file.

    Parameters
    ----------
    database : Path
        The library; created when it does not exist.
    locks : LockSettings
        Busy timeout and total budget, in milliseconds.
    max_compute_ms : float, > 0
        How long the statements of one transaction may compute.
    """

    def __init__(self, database: Path, locks: LockSettings, max_compute_ms: float = MAX_COMPUTE_MS) -> None:
        self.database = database
        self._locks = locks
        self._gate = WriterGate(database)
        self._retry = LockRetry(budget_ms=locks.max_lock_wait_ms)
        self._log = StatementLog()
        self._limit = HoldLimit(max_compute_ms)
        self._wal = database.with_name(database.name + "-wal")
        self._tally = Tally()
        self._waiting_since = 0.0

    def __enter__(self) -> Self:
        with translate_errors(self.database):
            self._connection, _ = self._retry.run(self.database, self._open)
        self._log.watch(self._connection)
        self._limit.watch(self._connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            bring_to_rest(self._connection, self.database, self._gate)
        finally:
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        """Open the library and bring its schema up to date. Both may need the write lock, so a retry starts here."""
        with self._gate.hold(limit_ms=self._locks.max_lock_wait_ms):
            connection = open_writer(self.database, busy_timeout_ms=self._locks.busy_timeout_ms)
            try:
                ensure_schema(connection)
                create_functions(connection)
                connection.create_function("text_digest", 1, digest_text, deterministic=True)
            except BaseException:
                connection.close()
                raise
        return connection

    def write(self, batch: Batch, tally: Tally | None = None) -> Receipt:
        """Write a batch in one transaction, waiting while another program holds the lock.

        Parameters
        ----------
        batch : WriteBatch, MarkBatch or RemovalBatch
            The rows of one file, or the marks of one scan.
        tally : Tally, optional
            Costs of earlier tries of the same commit; this try is added. None for a first and only try.

        Returns
        -------
        Receipt
            The costs of all tries, as SQLite reported them.

        Raises
        ------
        LibraryChangedError
            The library is no longer what the batch was planned from: read it and plan again. Nothing was written.
        LibraryLockedError, LibraryDiskError, UnwritableLibraryError, CorruptLibraryError, CommitRefusedError
            Nothing was written.
        """
        self._tally = tally = Tally() if tally is None else tally
        self._waiting_since = time.perf_counter()
        script = make_script(batch, self._connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))
        try:
            with translate_errors(self.database):
                _, retries = self._retry.run(self.database, partial(self._transact, batch.path, script))
            tally.retries += retries
        except LibraryChangedError:
            tally.conflicts += 1
            raise
        finally:
            tally.add(self._log.take())
        return tally.receipt(written_rows(batch))

    def _transact(self, path: str, script: Sequence[Step]) -> None:
        self._tally.rows = {}
        with self._gate.hold(limit_ms=self._locks.max_lock_wait_ms):
            before = count_wal_steps(self._wal, CHECKPOINT_BYTES, MAX_WAL_STEPS)
            with self._transaction(), self._limit.hold():
                try:
                    self._execute(path, script)
                except sqlite3.IntegrityError as error:
                    if error.sqlite_errorcode in _CHANGED:
                        raise LibraryChangedError(path, f"a row that it depends on ({error})") from error
                    raise CommitRefusedError(path, f"the library refused its rows ({error})") from error
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                        raise
                    cause = f"its transaction computed for more than {self._limit.limit_ms:.0f} ms and was undone"
                    raise CostlyTransactionError(path, cause) from error
            after = count_wal_steps(self._wal, CHECKPOINT_BYTES, MAX_WAL_STEPS)
            if _stays_at_its_limit(before, after):
                self._checkpoint()
        if _has_grown(before, after):
            self._checkpoint()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute(sql.BEGIN)
        except sqlite3.OperationalError:
            self._tally.refused_begins += 1
            raise
        begun = time.perf_counter()
        # With the attempts that were refused, at the gate or by SQLite, and the pauses after them.
        self._tally.wait_ms += (begun - self._waiting_since) * 1000
        try:
            yield
            self._connection.execute(sql.COMMIT)
        except BaseException:
            # SQLite rolls back by itself on some errors (disk full), and then there is nothing left to roll back.
            if self._connection.in_transaction:
                self._roll_back()
            raise
        finally:
            self._waiting_since = time.perf_counter()
            self._tally.hold_ms = max(self._tally.hold_ms, (self._waiting_since - begun) * 1000)

    def _roll_back(self) -> None:
        self._connection.execute(sql.ROLLBACK)

    def _execute(self, path: str, script: Sequence[Step]) -> None:
        for step in script:
            changed = self._connection.execute(step.statement, step.values).rowcount
            if not step.is_met_by(changed):
                raise LibraryChangedError(path, step.subject)
            if changed > 0:
                rows = self._tally.rows
                rows[step.table] = rows.get(step.table, 0) + changed

    def _checkpoint(self) -> None:
        """Copy the write-ahead log into the database while the write lock is free; SQLite would do it inside COMMIT."""
        try:
            self._connection.execute(sql.CHECKPOINT)
        except sqlite3.Error as error:
            # The file is committed. The next commit tries again, and fails with its own error if the disk is full.
            _LOG.warning(
                "%s: its write-ahead log could not be checkpointed (%s); nothing is lost, the next file tries again",
                self.database,
                error,
            )


def _has_grown(before: int, after: int) -> bool:
    # The writer that makes the log a step longer copies it, while others write.
    return after > before


def _stays_at_its_limit(before: int, after: int) -> bool:
    # A log that others keep filling is never copied to its end and never starts anew, so now they wait.
    return before == after == MAX_WAL_STEPS
