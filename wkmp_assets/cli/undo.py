"""`wkmp undo`: give files back what they had before a run."""

import json
import sys
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table

from wkmp_assets.cli.options import (
    AS_JSON,
    DATABASE,
    LIBRARY,
    OPTIONAL_FOLDER,
    OUT,
    escape_text,
    exit_on_error,
    find_settings,
    print_about,
    print_json,
    print_table,
)
from wkmp_assets.cli.target import folder_of
from wkmp_assets.db.read.undo_runs import UndoableRun, read_undoable_runs
from wkmp_assets.report.text import counted, printable
from wkmp_assets.settings import Settings

MIN_PREFIX = 4
"""Characters of a run's id that name it."""


@click.command(epilog="Example: wkmp undo 3f2a9c1e ~/Music")
@click.argument("run", metavar="[RUN]", required=False)
@OPTIONAL_FOLDER
@LIBRARY
@DATABASE
@AS_JSON
def undo(run: str | None, folder: Path | None, library: Path | None, database: Path | None, as_json: bool) -> None:
    """Give the files that RUN changed their earlier passages, songs and names. Without RUN, list the runs.

    RUN is the id of a run, or its first characters. Files that were changed since are named and left. Exit status 0:
    all restored, or listed; 1: some were left, or the library cannot be written; 2: there is no such run.
    """
    if folder is None and run is not None and Path(run).is_dir():
        folder, run = Path(run), None
    settings = find_settings(folder_of("", folder), library, database)
    with exit_on_error():
        runs = read_undoable_runs(settings.database_path)
        if run is None:
            _list(runs, settings, as_json=as_json)
            return
        sys.exit(_undo(settings, _find(runs, run), as_json=as_json))


def _find(runs: Sequence[UndoableRun], text: str) -> UndoableRun:
    found = [one for one in runs if len(text) >= MIN_PREFIX and one.run_id.startswith(text.lower())]
    if len(found) != 1:
        problem = "is more than one run" if found else "is no run that can be undone"
        raise click.UsageError(f"{printable(text)} {problem}; to list them: wkmp undo FOLDER")
    return found[0]


def _list(runs: Sequence[UndoableRun], settings: Settings, *, as_json: bool) -> None:
    if as_json:
        print_json(settings, runs=[asdict(one) for one in runs])
        return
    if not runs:
        print_about(settings, "No run can be undone: none has changed files that were in the library before.")
        return
    table = Table(
        title=f"{counted(len(runs), 'run')} that can be undone", title_justify="left", box=None, pad_edge=False
    )
    for name in ("Run", "Did", "Last wrote (UTC)"):
        table.add_column(name, no_wrap=True)
    table.add_column("Files", justify="right")
    table.add_column("Such as", overflow="fold")
    for one in runs:
        table.add_row(*(escape_text(x) for x in (one.run_id, one.command, one.at, one.files, one.example)))
    print_table(table)
    days = settings.undo_days
    OUT.print(f"Runs are kept for {counted(days, 'day')}; then `wkmp tidy` forgets them." if days else "Runs are kept.")


def _undo(settings: Settings, run: UndoableRun, *, as_json: bool) -> int:
    from wkmp_assets.db.hand_commit import undo_run  # loads what writes

    new_run = str(uuid.uuid4())
    files = list(undo_run(settings.database_path, run.run_id, datetime.now(UTC), new_run))
    left = [one for one in files if one.receipt is None]
    if as_json:
        click.echo(json.dumps({"schema": 1, "run": new_run, "files": [asdict(one) for one in files]}, indent=2))
        return 1 if left else 0
    for one in left:
        OUT.print(escape_text(f"{one.path} stays: {one.left_because}"), soft_wrap=True)
    locks = max((one.receipt.write_locks for one in files if one.receipt), default=0)
    done = counted(len(files) - len(left), "file")
    OUT.print(f"Restored {done}, with at most {counted(locks, 'write lock')} each. Run {new_run}.", soft_wrap=True)
    return 1 if left else 0
