"""`wkmp warnings`: the files that an import knows to be doubtful."""

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
    exit_on_error,
    find_settings,
    print_about,
    print_json,
    print_table,
)
from wkmp_assets.db.read.file_warnings import ListedWarning, read_warnings
from wkmp_assets.model.file_key import is_within
from wkmp_assets.model.file_warnings import WarningKind
from wkmp_assets.report.text import counted, printable

_KINDS = {kind.replace(" ", "-"): str(kind) for kind in WarningKind}
"""Name in a shell -> kind."""


@click.command("warnings", epilog="Example: wkmp warnings --kind cut-short ~/Music")
@FOLDER
@LIBRARY
@DATABASE
@click.option("--kind", "kinds", type=click.Choice(list(_KINDS)), multiple=True, help="Only this kind; repeatable.")
@AS_JSON_FOR_CI
def list_warnings(
    folder: Path, library: Path | None, database: Path | None, kinds: Sequence[str], as_json: bool
) -> None:
    """List the files that are doubtful: cut short, damaged, clipped and so on.

    The files are in the library. Exit status 0: listed, whether or not there are any; 1: the library cannot be read.
    """
    settings = find_settings(folder, library, database)
    wanted = {_KINDS[kind] for kind in kinds}
    with exit_on_error():
        within = settings.relative_folder(folder)
        found = [one for one in read_warnings(settings.database_path) if is_within(one.path, within)]
    found = [one for one in found if not wanted or one.kind in wanted]
    if as_json:
        print_json(settings, warnings=[asdict(one) for one in found])
    elif found:
        print_table(_table(found))
    else:
        print_about(settings, "No warnings.")


def _table(found: Sequence[ListedWarning]) -> Table:
    title = f"{counted(len(found), 'warning')} about {counted(len({one.path for one in found}), 'file')}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("File", overflow="fold")
    table.add_column("Kind", no_wrap=True)
    table.add_column("What is doubtful", overflow="fold")
    for one in found:
        table.add_row(escape(printable(one.path)), escape(printable(one.kind)), escape(printable(one.message)))
    return table
