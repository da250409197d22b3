"""The baseline: the same rows, written the way the replaced system wrote them. For comparison only.

One lock per file for hash, metadata, record transaction, final status and session row, one per passage for AcoustID's
answer and lead points, one per song for flavor. Where the replaced system was worse than that, this one is not:

- rows it never wrote (artists, works, albums, all links, provenance) go into its record transaction, so they cost no
  locks;
- it reads what the batch writer reads before its transaction, and titles after it, which is less than it used to;
- the record transaction begins by writing, so that it cannot fail with BUSY_SNAPSHOT;
- a song that another file brought is not an error.

Only new files with content of their own: no duplicates, no re-import.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from wkmp_assets.db.connection import snapshot
from wkmp_assets.db.plan import ids
from wkmp_assets.db.plan.file_plan import plan_file
from wkmp_assets.db.read.file_state import LibraryState, read_state
from wkmp_assets.db.schema import ensure_schema
from wkmp_assets.db.write.statement_log import StatementLog
from wkmp_assets.model.batch import WriteBatch
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.rows import PassageRow
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets_tests.tools.benchmarks import unbatched_statements as old
from wkmp_assets_tests.tools.benchmarks.unbatched_statements import Statement
from wkmp_assets_tests.tools.benchmarks.writer_figures import FileFigures

BUSY_TIMEOUT_S = 0.25
RETRY_BUDGET_MS = 5000.0
PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON")
"""All that the replaced system set; SQLite makes its checkpoints inside COMMIT."""


class GivenUpError(Exception):
    """An operation met a lock and was given up."""


def create_library(database: Path) -> None:
    """Create a library that the replaced system could have written to."""
    with closing(_open(database)) as connection:
        ensure_schema(connection)
        for statement in old.TABLES:
            connection.execute(statement)


def _open(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


class UnbatchedWriter:
    """Writes new files to one library. A context manager.

    Parameters
    ----------
    database : Path
        Made by `create_library`.
    stamp : Stamp
        Time and run of all rows.
    total : int
        Files of the run, for the session row.
    """

    def __init__(self, database: Path, stamp: Stamp, total: int) -> None:
        self._database = database
        self._stamp = stamp
        self._total = total
        self._written = 0
        self._taken: float | None = None
        self._figures = FileFigures()
        self._log = StatementLog()

    def __enter__(self) -> Self:
        self.connection = _open(self._database)
        self.connection.create_function("held", 1, self._note_lock)
        self._log.watch(self.connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def scan(self, entries: Iterable[FileEntry]) -> FileFigures:
        """Write the row of every file of the run, in one transaction."""
        rows = [plan_file(entry, LibraryState(), self._stamp).file for entry in entries]
        with self._measured():
            self._locked(lambda: self._transact([old.scan(row) for row in rows if row is not None]), is_retried=True)
        return self._figures

    def write(self, entry: FileEntry, reader: sqlite3.Connection) -> FileFigures:
        """Write what the phases found out about one file; it stays incomplete when an operation is given up.

        Parameters
        ----------
        entry : FileEntry
            The same entry that the batch writer gets.
        reader : sqlite3.Connection
            For what is read before any write.
        """
        with snapshot(reader):
            state = read_state(reader, entry, [next(ids.file_ids(entry.path, entry.identity.content_hash))])
        batch = plan_file(entry, state, self._stamp)
        with self._measured():
            self._write_phases(entry, batch)
        return self._figures

    @contextmanager
    def _measured(self) -> Iterator[None]:
        self._log.take()
        self._figures = FileFigures()
        try:
            yield
            self._figures.is_complete = True
        except GivenUpError:
            pass
        log, figures = self._log.take(), self._figures
        figures.locks = log.begins + log.autocommit_writes - figures.refused
        figures.reads_in_transaction = log.selects_in_transaction
        figures.writes = log.statements - log.selects_in_transaction + log.autocommit_writes - figures.refused

    def _write_phases(self, entry: FileEntry, batch: WriteBatch) -> None:
        """Every operation of DOMAIN.md 7.1 in its order, with a retry where the table has one."""
        file = batch.file
        if file is None:
            raise ValueError(f"{entry.path}: not a new file with content of its own")
        self._alone(old.set_hash(file), is_retried=False)
        self._alone(old.set_metadata(file), is_retried=False)
        self._cache_answers(entry)
        self._locked(lambda: self._record(batch), is_retried=True)
        self._read_titles(batch.passages)
        for statement in chain(map(old.set_lead_points, batch.passages), map(old.set_flavor, batch.songs)):
            self._alone(statement, is_retried=True)
        self._alone(old.finalise(file), is_retried=False)
        self._written += 1
        session = old.save_session(self._stamp.run_id, self._stamp.text, self._written, self._total)
        self._alone(session, is_retried=True)

    def _cache_answers(self, entry: FileEntry) -> None:
        """An answer that could not be cached was tolerated."""
        for passage in entry.passages:
            song, fingerprint = passage.match.song, passage.fingerprint
            if song is not None and fingerprint is not None:
                digest = hashlib.sha256(fingerprint.fingerprint.encode()).hexdigest()
                try:
                    self._alone(old.cache_answer(digest, song.recording_mbid), is_retried=False)
                except GivenUpError:
                    continue

    def _record(self, batch: WriteBatch) -> None:
        extra = map(old.insert_never_written, old.never_written(batch))
        self._transact([*map(old.insert_song, batch.songs), old.insert_passages(batch.passages), *extra])

    def _read_titles(self, passages: Sequence[PassageRow]) -> None:
        for passage in passages:
            if passage.song_id is not None:
                self.connection.execute(old.READ_TITLE, [passage.song_id]).fetchone()

    def _transact(self, statements: Iterable[Statement]) -> None:
        """Deferred, as the replaced system's: the lock is taken by the first write."""
        self.connection.execute("BEGIN")
        for statement, values in statements:
            self.connection.execute(statement, values)
        self.connection.execute("COMMIT")

    def _alone(self, statement: Statement, *, is_retried: bool) -> None:
        """Execute a statement that commits by itself."""
        self._locked(lambda: self.connection.execute(*statement), is_retried=is_retried)

    def _locked(self, operation: Callable[[], object], *, is_retried: bool) -> None:
        """Run what takes the write lock once. The replaced system recognised a lock by the error's text."""
        wanted, delay_ms = time.perf_counter(), 10.0
        while True:
            self._taken = None
            try:
                operation()
            except sqlite3.OperationalError as error:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                if "database is locked" not in str(error):
                    raise
                self._figures.refused += 1
                waited_ms = (time.perf_counter() - wanted) * 1000
                if not is_retried or waited_ms >= RETRY_BUDGET_MS:
                    self._figures.failed_operations += 1
                    self._figures.waits_ms.append(waited_ms)
                    raise GivenUpError from error
                self._figures.retries += 1
                time.sleep(delay_ms / 1000)
                delay_ms = min(2 * delay_ms, 1000.0)
            else:
                break
        ended = time.perf_counter()
        if self._taken is None:
            raise AssertionError("a write took no lock")
        self._figures.waits_ms.append((self._taken - wanted) * 1000)
        self._figures.holds_ms.append((ended - self._taken) * 1000)

    def _note_lock(self, value: str | float | None) -> str | float | None:
        """Be `held(value)` of the statements."""
        if self._taken is None:
            self._taken = time.perf_counter()
        return value
