"""The one write transaction per file.

Compute first, lock last: rows are prepared outside, the transaction holds INSERT, UPDATE and DELETE only, and
it is all or nothing. When the library has changed since it was read, the whole unit is prepared and tried again.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from wkmp_assets.db import statements as sql
from wkmp_assets.db.connection import open_writer, translated
from wkmp_assets.db.gate import WriterGate
from wkmp_assets.db.library_settings import LockSettings
from wkmp_assets.db.retry import LockRetry
from wkmp_assets.db.schema import ensure_schema
from wkmp_assets.db.statement_log import StatementLog
from wkmp_assets.errors import CommitRefusedError, LibraryChangedError
from wkmp_assets.model.batch import Receipt, WriteBatch

MOST_CONFLICTS = 8
"""After so many changes under our hands something else is wrong."""

_CHANGED = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
    }
)
"""Broken when a row we counted on came or went since it was read; any other broken rule is our own mistake."""


class LibraryWriter:
    """Writes batches to one library. A context manager: opens the database, creates or completes its schema.

    Parameters
    ----------
    database : Path
        The library; created when it does not exist.
    locks : LockSettings
        Busy timeout and total budget, in milliseconds.
    """

    def __init__(self, database: Path, locks: LockSettings) -> None:
        self.database = database
        self._locks = locks
        self._gate = WriterGate(database)
        self._retry = LockRetry(budget_ms=locks.max_lock_wait_ms)
        self._log = StatementLog()
        self._rows: dict[str, int] = {}
        self._refused_begins = 0
        self._wait_ms = 0.0
        self._hold_ms = 0.0

    def __enter__(self) -> Self:
        with translated(self.database):
            self._connection, _ = self._retry.run(self.database, self._open)
        self._log.watch(self._connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        """Open with the schema complete; both may need the write lock, so a retry starts here."""
        with self._gate.hold(limit_ms=self._locks.max_lock_wait_ms):
            connection = open_writer(self.database, busy_timeout_ms=self._locks.busy_timeout_ms)
            try:
                ensure_schema(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def commit(self, prepare: Callable[[], WriteBatch]) -> tuple[WriteBatch, Receipt]:
        """Write one file's rows in one transaction.

        Parameters
        ----------
        prepare : callable
            Reads what it needs and returns the batch. Called again when the library changed in between.

        Returns
        -------
        tuple of WriteBatch and Receipt
            What was written, and what it cost as SQLite reported it.

        Raises
        ------
        LibraryLockedError, LibraryChangedError, LibraryDiskError, CommitRefusedError
            Nothing was written.
        """
        self._log.take()
        self._rows, self._refused_begins, self._wait_ms, self._hold_ms = {}, 0, 0.0, 0.0
        conflicts = retries = 0
        while True:
            batch = prepare()
            try:
                with translated(self.database):
                    _, tries = self._retry.run(self.database, lambda batch=batch: self._transact(batch))  # type: ignore[misc]
                retries += tries
                return batch, self._receipt(retries, conflicts)
            except LibraryChangedError:
                conflicts += 1
                if conflicts > MOST_CONFLICTS:
                    raise

    def _receipt(self, retries: int, conflicts: int) -> Receipt:
        log = self._log.take()
        transactions = log.begins - self._refused_begins
        return Receipt(
            write_locks=transactions + log.autocommit_writes,
            transactions=transactions,
            statements=log.statements,
            selects_in_transaction=log.selects_in_transaction,
            rows=dict(self._rows),
            wait_ms=self._wait_ms,
            hold_ms=self._hold_ms,
            retries=retries,
            conflicts=conflicts,
        )

    def _transact(self, batch: WriteBatch) -> None:
        self._rows = {}
        wanted = time.perf_counter()
        with self._gate.hold(limit_ms=self._locks.max_lock_wait_ms), self._transaction(wanted):
            try:
                self._write(batch)
            except sqlite3.IntegrityError as error:
                if error.sqlite_errorcode in _CHANGED:
                    raise LibraryChangedError(batch.path, str(error)) from error
                raise CommitRefusedError(batch.path, str(error)) from error

    @contextmanager
    def _transaction(self, wanted: float) -> Iterator[None]:
        try:
            self._connection.execute(sql.BEGIN)
        except sqlite3.OperationalError:
            self._refused_begins += 1
            self._wait_ms += (time.perf_counter() - wanted) * 1000
            raise
        begun = time.perf_counter()
        self._wait_ms += (begun - wanted) * 1000
        try:
            yield
            self._connection.execute(sql.COMMIT)
        except BaseException:
            # SQLite rolls back by itself on some errors (disk full), and then there is nothing left to roll back.
            if self._connection.in_transaction:
                self._connection.execute(sql.ROLLBACK)
            raise
        finally:
            self._hold_ms = max(self._hold_ms, (time.perf_counter() - begun) * 1000)

    def _write(self, batch: WriteBatch) -> None:
        self._write_file(batch)
        for rows in (batch.songs, batch.artists, batch.works, batch.albums):
            self._insert(rows)
        self._remove_passages(batch)
        self._unlink_passages(batch)
        for links in (
            batch.passages, batch.passage_songs, batch.song_artists, batch.song_works, batch.passage_albums,
            batch.provenance
        ):  # fmt: skip
            self._insert(links)
        self._write_peers(batch)
        if batch.failure is None:
            self._execute("import_failures", sql.DELETE_FAILURE, [batch.path])
        else:
            failure = batch.failure
            values = [failure.path, failure.phase, failure.code, failure.message, failure.failed_at]
            self._execute("import_failures", sql.INSERT_FAILURE, values)

    def _write_file(self, batch: WriteBatch) -> None:
        row = batch.file
        if row is None:
            return
        old = batch.expected.row if batch.expected else None
        was_so_already = old is not None and (old.status, old.hash) == (row.status, row.hash)
        # An older library may hold two complete copies; the guard is for a file that becomes complete.
        guard = ["" if was_so_already else row.status, row.hash, row.guid]
        if batch.expected is None:
            written = self._execute("files", sql.INSERT_FILE, [*sql.values_of([row]), *guard])
        else:
            as_read = [*sql.values_of([batch.expected.row]), batch.expected.passages]
            written = self._execute("files", sql.UPDATE_FILE, [*sql.file_update_values(row), *as_read, *guard])
        if written != 1:
            raise LibraryChangedError(batch.path, "its row, its passages, or another file with the same content,")

    def _remove_passages(self, batch: WriteBatch) -> None:
        guids = batch.removed_passages
        if not guids:
            return
        statement = sql.delete_passages(len(guids), batch.passage_references)
        if self._execute("passages", statement, guids) != len(guids):
            raise LibraryChangedError(batch.path, "what refers to its passages")

    def _unlink_passages(self, batch: WriteBatch) -> None:
        """Make way for the links of all passages.

        Of new ones, too: a program that deletes passages without foreign keys leaves orphaned links behind.
        """
        guids = [passage.guid for passage in batch.passages]
        for table in sql.LINK_TABLES if guids else ():
            self._execute(table, sql.delete_links(table, len(guids)), guids)

    def _write_peers(self, batch: WriteBatch) -> None:
        if batch.file is None:
            return
        for peer in batch.peers:
            read = peer.read
            as_read = [read.guid, read.hash, read.status, read.matching_hashes]
            if self._execute("files", sql.UPDATE_PEER, [peer.matching_hashes, batch.file.updated_at, *as_read]) != 1:
                raise LibraryChangedError(batch.path, "a file with the same content")

    def _insert(self, rows: Sequence[Any]) -> None:
        if not rows:
            return
        row_class = type(rows[0])
        most = self._connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(sql.columns_of(row_class))
        for start in range(0, len(rows), most):
            part = rows[start : start + most]
            statement = sql.insert_rows(row_class, len(part))  # type: ignore[arg-type] # mypy: a class has no hash
            self._execute(sql.table_of(row_class), statement, sql.values_of(part))

    def _execute(self, table: str, statement: str, values: Sequence[Any]) -> int:
        changed = self._connection.execute(statement, values).rowcount
        if changed > 0:
            self._rows[table] = self._rows.get(table, 0) + changed
        return changed
