"""Write what a person puts right: read, plan, write in one transaction, as an import does for a file."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from wkmp_assets.db.checked_rows import CheckedConnection
from wkmp_assets.db.commit import MAX_CONFLICTS
from wkmp_assets.db.connection import open_reader, snapshot, translate_errors
from wkmp_assets.db.plan.cut_edit import CutPlan, entry_without_passages, plan_cut_edit
from wkmp_assets.db.plan.song_edit import SongEditPlan, entry_for_edit, plan_song_edit
from wkmp_assets.db.plan.undo import plan_restore, read_remembered, remember
from wkmp_assets.db.read.file_rows import read_file_rows
from wkmp_assets.db.read.file_state import read_state
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.db.read.select import digest_text, read_passages_text
from wkmp_assets.db.read.undo_runs import RememberedFile, has_older, read_remembered_files
from wkmp_assets.db.tables import UNDO
from wkmp_assets.db.write.tally import Tally
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import AudioFileError, EditRefusedError, LibraryChangedError
from wkmp_assets.model.batch import ForgetBatch, Receipt, WriteBatch
from wkmp_assets.model.hand_edits import CutEdit, SongEdit
from wkmp_assets.model.rows import FileRows
from wkmp_assets.model.timestamps import Stamp

Plan = TypeVar("Plan")
UNDO_COMMAND = "undo"


def commit_song_edit(database: Path, edit: SongEdit, now: datetime, run_id: str) -> tuple[SongEditPlan, Receipt]:
    """Write a person's word about the song of one passage.

    Parameters
    ----------
    database : Path
        The library.
    edit : SongEdit
        The word.
    now : datetime
        With its time zone.
    run_id : str
        Under which it can be undone.

    Raises
    ------
    EditRefusedError
        The library has no such file or passage, or no match to accept or reject. Nothing was written.
    LibraryChangedError, LibraryLockedError, LibraryDiskError, UnwritableLibraryError
        Nothing was written.
    """
    stamp = Stamp(now, run_id)

    def plan(reader: sqlite3.Connection) -> SongEditPlan:
        rows = _read_rows(reader, edit.path)
        planned = plan_song_edit(edit, rows, read_state(reader, entry_for_edit(edit, rows), ()), stamp)
        return replace(planned, batch=remember(planned.batch, rows, edit.verdict, stamp))

    with _opened(database) as library:
        return _commit(*library, edit.path, plan, lambda planned: planned.batch)


def commit_cut_edit(database: Path, edit: CutEdit, now: datetime, run_id: str) -> tuple[CutPlan, Receipt]:
    """Write new boundaries for passages of one file; the parameters are those of `commit_song_edit`.

    Raises
    ------
    EditRefusedError
        The library no longer holds what was measured, or the passages cannot be cut. Nothing was written.
    LibraryChangedError, LibraryLockedError, LibraryDiskError, UnwritableLibraryError
        Nothing was written.
    """
    stamp = Stamp(now, run_id)

    def plan(reader: sqlite3.Connection) -> CutPlan:
        rows = _read_rows(reader, edit.path)
        planned = plan_cut_edit(edit, rows, read_state(reader, entry_without_passages(rows), ()), stamp)
        command = "join" if any(len(cut.numbers) > 1 for cut in edit.cuts) else "split"
        return replace(planned, batch=remember(planned.batch, rows, command, stamp))

    with _opened(database) as library:
        return _commit(*library, edit.path, plan, lambda planned: planned.batch)


@dataclass(frozen=True)
class Restored:
    """What became of one file of a run that is undone."""

    path: str
    receipt: Receipt | None
    """None when the file was left as it is."""
    left_because: str = ""


def undo_run(database: Path, run_id: str, now: datetime, new_run_id: str) -> Iterator[Restored]:
    """Give the files of a run the rows that they had before it, each in one transaction, and yield what became of each.

    A file whose passages have changed since that run is left as it is.

    Parameters
    ----------
    database : Path
        The library.
    run_id : str
        The run to undo.
    now : datetime
        With its time zone.
    new_run_id : str
        Under which the undoing can be undone.

    Raises
    ------
    LibraryLockedError, LibraryDiskError, UnwritableLibraryError
        The files that were yielded are restored, and the others are not.
    """
    stamp = Stamp(now, new_run_id)
    with _opened(database) as (writer, reader):
        with translate_errors(database), snapshot(reader):
            files = read_remembered_files(reader, run_id)
        for file in files:
            try:
                plan = partial(_plan_undo, file=file, stamp=stamp)
                _, receipt = _commit(writer, reader, file.path, plan, lambda batch: batch)
                yield Restored(file.path, receipt)
            except EditRefusedError as error:
                yield Restored(file.path, None, error.problem)
            except AudioFileError as error:
                yield Restored(file.path, None, error.cause)
            except LibraryChangedError:
                yield Restored(file.path, None, "somebody uses a passage that would go, or a row that it needs is gone")


def _plan_undo(reader: sqlite3.Connection, *, file: RememberedFile, stamp: Stamp) -> WriteBatch:
    try:
        before = read_remembered(file.before)
    except ValueError as error:
        raise EditRefusedError(file.path, "what was kept of it is damaged") from error
    rows = read_file_rows(reader, file.path)
    if rows is None or rows.file.guid != file.guid:
        raise EditRefusedError(file.path, "it was moved or removed since")
    if digest_text(read_passages_text(reader, file.guid)) != file.after or rows.file.status != before.file.status:
        raise EditRefusedError(file.path, "it was changed since")
    batch = plan_restore(before, rows, read_state(reader, entry_without_passages(rows), ()), stamp)
    return remember(batch, rows, UNDO_COMMAND, stamp)


def forget_runs(database: Path, before: datetime) -> int:
    """Remove what was kept to undo runs that are older than a time, and return how many rows that were.

    Without such rows nothing is opened for writing.
    """
    batch = ForgetBatch(Stamp(before, "").text)
    if not has_older(database, batch.before):
        return 0
    with _opened(database) as (writer, _):
        return writer.write(batch).rows.get(UNDO, 0)


def _read_rows(reader: sqlite3.Connection, path: str) -> FileRows:
    rows = read_file_rows(reader, path)
    if rows is None:
        raise EditRefusedError(path, "the library does not have it")
    return rows


@contextmanager
def _opened(database: Path) -> Iterator[tuple[LibraryWriter, CheckedConnection]]:
    with (
        LibraryWriter(database, read_library_settings(database).locks) as writer,
        open_reader(database) as reader,
    ):
        assert reader is not None, "the writer has opened it"  # noqa: S101 - for the type checker
        yield writer, reader


def _commit(
    writer: LibraryWriter,
    reader: CheckedConnection,
    path: str,
    plan: Callable[[sqlite3.Connection], Plan],
    batch_of: Callable[[Plan], WriteBatch],
) -> tuple[Plan, Receipt]:
    """Read, plan, write; again when the library changed between reading and writing."""
    tally = Tally()
    while True:
        with translate_errors(writer.database), snapshot(reader), reader.reading_for(path):
            planned = plan(reader)
        try:
            return planned, writer.write(batch_of(planned), tally)
        except LibraryChangedError as error:
            if tally.conflicts > MAX_CONFLICTS:
                raise reader.explain(error) from error
