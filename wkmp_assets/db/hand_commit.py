"""Write what a person puts right: read, plan, write in one transaction, as an import does for a file."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from wkmp_assets.db.commit import MAX_CONFLICTS
from wkmp_assets.db.connection import open_reader, snapshot, translate_errors
from wkmp_assets.db.plan.cut_edit import CutPlan, entry_for_cut, plan_cut_edit
from wkmp_assets.db.plan.song_edit import SongEditPlan, entry_for_edit, plan_song_edit
from wkmp_assets.db.read.file_rows import read_file_rows
from wkmp_assets.db.read.file_state import read_state
from wkmp_assets.db.read.library_settings import read_library_settings
from wkmp_assets.db.write.tally import Tally
from wkmp_assets.db.write.writer import LibraryWriter
from wkmp_assets.errors import EditRefusedError, LibraryChangedError
from wkmp_assets.model.batch import Receipt, WriteBatch
from wkmp_assets.model.hand_edits import CutEdit, SongEdit
from wkmp_assets.model.timestamps import Stamp

Plan = TypeVar("Plan")


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
        rows = read_file_rows(reader, edit.path)
        if rows is None:
            raise EditRefusedError(edit.path, "the library does not have it")
        return plan_song_edit(edit, rows, read_state(reader, entry_for_edit(edit, rows), ()), stamp)

    return _commit(database, plan, lambda planned: planned.batch)


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
        rows = read_file_rows(reader, edit.path)
        if rows is None:
            raise EditRefusedError(edit.path, "the library does not have it")
        return plan_cut_edit(edit, rows, read_state(reader, entry_for_cut(rows), ()), stamp)

    return _commit(database, plan, lambda planned: planned.batch)


def _commit(
    database: Path, plan: Callable[[sqlite3.Connection], Plan], batch_of: Callable[[Plan], WriteBatch]
) -> tuple[Plan, Receipt]:
    """Read, plan, write; again when the library changed between reading and writing."""
    tally = Tally()
    with (
        LibraryWriter(database, read_library_settings(database).locks) as writer,
        open_reader(database) as reader,
    ):
        assert reader is not None, "the writer has opened it"  # noqa: S101 - for the type checker
        while True:
            with translate_errors(database), snapshot(reader):
                planned = plan(reader)
            try:
                return planned, writer.write(batch_of(planned), tally)
            except LibraryChangedError:
                if tally.conflicts > MAX_CONFLICTS:
                    raise
