"""Commit the files of one run, or remove a file: read, plan, write. BEGIN and COMMIT are in `write/writer.py`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from wkmp_assets.db.checked_rows import CheckedConnection
from wkmp_assets.db.connection import open_reader, snapshot, translate_errors
from wkmp_assets.db.plan.file_plan import candidate_file_guids, plan_failure, plan_file
from wkmp_assets.db.plan.removal import plan_removal
from wkmp_assets.db.plan.undo import remember
from wkmp_assets.db.read.file_rows import read_file_rows
from wkmp_assets.db.read.file_state import read_state
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.db.read.removal import read_removable
from wkmp_assets.db.write.hold_limit import MAX_COMPUTE_MS
from wkmp_assets.db.write.tally import Tally
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import AudioFileError, LibraryChangedError, OddValueError
from wkmp_assets.model.batch import FileCommit, Receipt
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_key import encode_key, storable_path
from wkmp_assets.model.outcomes import Failed, Outcome, Result, Skipped, SkipReason
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import FileIdentity, FileState

IMPORT_COMMAND = "import"
MAX_CONFLICTS = 8
"""How often a file is read and planned again. A player or another import does not change it more often in a row."""


class FileCommitter:
    """Commits entries to one library. A context manager: it opens the library when there is something to write.

    Parameters
    ----------
    database : Path
        The library; created when the first file is written.
    run_id : str
        Import session of the rows.
    now : callable
        Returns the current time, with its time zone.
    max_compute_ms : float, > 0
        How long the statements of one file's transaction may compute. A file that needs more fails alone.
    """

    def __init__(
        self,
        database: Path,
        *,
        run_id: str,
        now: Callable[[], datetime],
        max_compute_ms: float = MAX_COMPUTE_MS,
    ) -> None:
        self._database = database
        self._run_id = run_id
        self._now = now
        self._max_compute_ms = max_compute_ms
        self._open = ExitStack()
        self._library: tuple[LibraryWriter, CheckedConnection] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def commit_all(self, entries: Mapping[str, Outcome[FileEntry]]) -> Iterator[FileCommit]:
        """Commit one entry after another, and yield the result of each.

        Originals come before their duplicates. A file that got new content comes before the file that now is the
        original of its old content.
        """
        replaced = {identity.replaces for identity in map(_identity, entries.values()) if identity}

        def order(key: str) -> tuple[bool, bool, str]:
            identity = _identity(entries[key])
            if identity is None:
                return False, False, key
            return identity.state is FileState.DUPLICATE, identity.content_hash in replaced, key

        for key in sorted(entries, key=order):
            yield self._commit(key, _as_its_original(entries[key], entries))

    def _commit(self, key: str, outcome: Outcome[FileEntry]) -> FileCommit:
        if isinstance(outcome, Result):
            try:
                return self._commit_entry(key, outcome)
            except AudioFileError as error:
                outcome = Failed(ENTRY, error.code, str(error))
        if isinstance(outcome, Failed):
            return self._commit_failure(key, outcome)
        return FileCommit(key, outcome)

    def _commit_entry(self, key: str, outcome: Result[FileEntry]) -> FileCommit:
        """Read, plan, write; again when the library changed between reading and writing."""
        writer, reader = self._open_library()
        entry, tally = outcome.value, Tally()
        while True:
            with translate_errors(self._database), snapshot(reader), reader.reading_for(entry.path):
                state = read_state(reader, entry, candidate_file_guids(entry))
                rows = read_file_rows(reader, state.owner.path) if state.owner and state.passages else None
            stamp = self._stamp()
            batch = plan_file(entry, state, stamp)
            if batch.passages or batch.removed_passages:
                batch = remember(batch, rows, IMPORT_COMMAND, stamp)
            try:
                return FileCommit(key, outcome, writer.write(batch, tally), batch)
            except LibraryChangedError as error:
                will_recur = reader.is_as_read()  # planned again from the same library, it fails again
                if will_recur or tally.conflicts > MAX_CONFLICTS:
                    reason = reader.explain(error)
                    if will_recur and reason is error:
                        cause = (
                            f"rows of the library contradict each other, of this file or what it plays: {error.what}"
                        )
                        reason = OddValueError(error.path, cause)
                    raise reason from error

    def _commit_failure(self, key: str, failed: Failed) -> FileCommit:
        writer, _ = self._open_library()
        batch = plan_failure(storable_path(key), failed, self._stamp())
        return FileCommit(key, failed, writer.write(batch), batch)

    def _open_library(self) -> tuple[LibraryWriter, CheckedConnection]:
        if self._library is None:
            locks = read_library_settings(self._database).locks
            writer = self._open.enter_context(LibraryWriter(self._database, locks, self._max_compute_ms))
            reader = self._open.enter_context(open_reader(self._database))
            assert reader is not None, "the writer has created the database"  # noqa: S101 - for the type checker
            self._library = writer, reader
        return self._library

    def _stamp(self) -> Stamp:
        return Stamp(self._now(), self._run_id)


def _as_its_original(outcome: Outcome[FileEntry], entries: Mapping[str, Outcome[FileEntry]]) -> Outcome[FileEntry]:
    """Skip a duplicate whose original was interrupted in this run, because neither of them has failed."""
    identity = _identity(outcome)
    if identity is None or identity.state is not FileState.DUPLICATE or identity.duplicate_of is None:
        return outcome
    original = entries.get(encode_key(identity.duplicate_of))
    return original if original == Skipped(SkipReason.INTERRUPTED) else outcome


def _identity(outcome: Outcome[FileEntry]) -> FileIdentity | None:
    return outcome.value.identity if isinstance(outcome, Result) else None


def remove_file(writer: LibraryWriter, path: str, time: str, *, with_references: bool) -> Receipt:
    """Remove one file from the library: read, plan, write; again when the library changed in between.

    Parameters
    ----------
    writer : LibraryWriter
        Of the library.
    path : str
        Where the library has the file.
    time : str
        UTC, `YYYY-MM-DD HH:MM:SS`: stamped on the rows of its copies.
    with_references : bool
        Whether rows of other programs that refer to it go as well.

    Raises
    ------
    LibraryChangedError
        The library no longer has the file, or rows of other programs refer to it and must stay, or it changed at every
        try. Nothing was removed.
    """
    tally = Tally()
    while True:
        found = read_removable(writer.database, [path])
        if not found:
            raise LibraryChangedError(path, "its row")
        if found[0].references and not with_references:
            raise LibraryChangedError(path, "what refers to it")
        try:
            return writer.write(plan_removal(found[0], time, with_references=with_references), tally)
        except LibraryChangedError:
            if tally.conflicts > MAX_CONFLICTS:
                raise
