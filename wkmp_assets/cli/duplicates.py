"""`wkmp duplicates`: files with the same bytes, and which of them is the original."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from wkmp_assets.cli.options import (
    AS_JSON_FOR_CI,
    DATABASE,
    FOLDER,
    LIBRARY,
    OUT,
    exit_on_error,
    find_settings,
    print_about,
    print_json,
    print_table,
)
from wkmp_assets.db.read.duplicates import CopyGroup, read_duplicates
from wkmp_assets.model.file_key import is_within
from wkmp_assets.report.text import counted, printable


@click.command(epilog="Example: wkmp duplicates ~/Music")
@FOLDER
@LIBRARY
@DATABASE
@AS_JSON_FOR_CI
def duplicates(folder: Path, library: Path | None, database: Path | None, as_json: bool) -> None:
    """List the files with the same bytes, and why one is the original.

    A group is listed when one of its files is in FOLDER. Exit status 0: listed, whether or not there are any; 1: the
    library cannot be read.
    """
    settings = find_settings(folder, library, database)
    with exit_on_error():
        within = settings.relative_folder(folder)
        groups = [group for group in read_duplicates(settings.database_path) if _is_in(group, within)]
    if as_json:
        print_json(settings, groups=[asdict(group) for group in groups])
    elif groups:
        print_table(_table(groups))
        OUT.print("To make a copy the original, pass over the original in .wkmpignore, and import again.")
    else:
        print_about(settings, "No duplicates.")


def _is_in(group: CopyGroup, folder: str) -> bool:
    return any(is_within(path, folder) for path in (group.original, *(copy.path for copy in group.copies)))


def _table(groups: Sequence[CopyGroup]) -> Table:
    copies = sum(len(group.copies) for group in groups)
    title = f"{counted(len(groups), 'original')} with {counted(copies, 'copy', 'copies')}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("File", overflow="fold")
    table.add_column("Is")
    table.add_column("Why", overflow="fold")
    for group in groups:
        table.add_row(escape(printable(group.original)), _name("original", is_missing=group.is_missing), "")
        for copy in group.copies:
            is_ = _name("copy", is_missing=copy.is_missing)
            table.add_row(escape(f"  {printable(copy.path)}"), is_, escape(printable(copy.why)))
    return table


def _name(what: str, *, is_missing: bool) -> str:
    return f"{what}, missing" if is_missing else what
