"""Commit the files of one run, each in a transaction of its own. Dagster-free."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from wkmp_assets.db.connection import open_reader, snapshot, translated
from wkmp_assets.db.plan.file_plan import candidate_file_guids, plan_failure, plan_file
from wkmp_assets.db.read.file_state import read_state
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import AudioFileError
from wkmp_assets.model.batch import FileCommit, WriteBatch
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_key import storable_path
from wkmp_assets.model.outcomes import Failed, Outcome, Result
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import FileIdentity, FileState


class FileCommitter:
    """Writes entries to one library; opens it only when there is something to write. A context manager.

    Parameters
    ----------
    database : Path
        The library; created on the first write.
    run_id : str
        Written to the rows as their import session.
    now : callable
        Returns the current time, aware.
    """

    def __init__(self, database: Path, *, run_id: str, now: Callable[[], datetime]) -> None:
        self._database = database
        self._run_id = run_id
        self._now = now
        self._open = ExitStack()
        self._writer: LibraryWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def commit_all(self, entries: Mapping[str, Outcome[FileEntry]]) -> Iterator[FileCommit]:
        """Commit one entry after the other and yield what happened to each.

        Originals before their duplicates, and what is no original any more before the file that now is one.
        """
        replaced = {identity.replaces for identity in map(_identity, entries.values()) if identity}

        def order(key: str) -> tuple[bool, bool, str]:
            identity = _identity(entries[key])
            if identity is None:
                return False, False, key
            return identity.state is FileState.DUPLICATE, identity.content_hash in replaced, key

        for key in sorted(entries, key=order):
            yield self._commit(key, entries[key])

    def _commit(self, key: str, outcome: Outcome[FileEntry]) -> FileCommit:
        if isinstance(outcome, Result):
            try:
                return self._write(key, outcome, self._planner(outcome.value))
            except AudioFileError as error:
                outcome = Failed(ENTRY, error.code, str(error))
        if isinstance(outcome, Failed):
            failed, path = outcome, storable_path(key)
            return self._write(key, failed, lambda: plan_failure(path, failed, self._stamp()))
        return FileCommit(key, outcome)

    def _write(self, key: str, outcome: Outcome[FileEntry], prepare: Callable[[], WriteBatch]) -> FileCommit:
        writer = self._open_writer()
        batch, receipt = writer.commit(prepare)
        return FileCommit(key, outcome, receipt, batch)

    def _open_writer(self) -> LibraryWriter:
        if self._writer is None:
            locks = read_library_settings(self._database).locks
            self._writer = self._open.enter_context(LibraryWriter(self._database, locks))
            self._reader = self._open.enter_context(open_reader(self._database))
        return self._writer

    def _planner(self, entry: FileEntry) -> Callable[[], WriteBatch]:
        """Return what reads the library as it is now and makes the rows; called again after a conflict."""

        def prepare() -> WriteBatch:
            self._open_writer()
            assert self._reader is not None, "the writer has created the database"  # noqa: S101 - for the type checker
            with translated(self._database), snapshot(self._reader):
                state = read_state(self._reader, entry, candidate_file_guids(entry))
            return plan_file(entry, state, self._stamp())

        return prepare

    def _stamp(self) -> Stamp:
        return Stamp(self._now(), self._run_id)


def _identity(outcome: Outcome[FileEntry]) -> FileIdentity | None:
    return outcome.value.identity if isinstance(outcome, Result) else None
