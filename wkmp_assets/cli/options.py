"""What all `wkmp` commands share: arguments, settings, output and errors."""

import json
import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from wkmp_assets.db.read.found_library import check_found_library
from wkmp_assets.errors import EditRefusedError, SettingsError, WkmpError
from wkmp_assets.report.text import printable
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.state_files import SHARED
from wkmp_assets.settings import Settings, find_dagster_home, find_folder, find_library, load_settings

_LOG = logging.getLogger(__name__)

OUT = Console(highlight=False, emoji=False)
ERR = Console(stderr=True, highlight=False, emoji=False)
"""Without emoji, because a file may be called `:cat:.mp3`."""

_UNBROKEN_WIDTH = 10_000
MAX_FITTED = 1_000
"""Rows of a table that is fitted to the width of the terminal."""

_FOLDER_PATH = click.Path(exists=True, file_okay=False, readable=True, path_type=Path)


def _folder_or_default(_ctx: click.Context, _param: click.Parameter, folder: Path | None) -> Path:
    try:
        return folder or find_folder()
    except SettingsError as error:
        raise click.UsageError(printable(str(error))) from error


FOLDER = click.argument("folder", type=_FOLDER_PATH, required=False, callback=_folder_or_default)
"""May be left out within a library, and where WKMP_LIBRARY_ROOT names one."""
OPTIONAL_FOLDER = click.argument("folder", type=_FOLDER_PATH, required=False)
"""For commands that name a file, which tells its library."""
LIBRARY = click.option(
    "--library",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Library root, when FOLDER is only a part of it. Default: WKMP_LIBRARY_ROOT if FOLDER lies in it, else the "
    "nearest folder above FOLDER that holds a wkmp.db, else FOLDER itself.",
)
DATABASE = click.option(
    "--database", type=click.Path(dir_okay=False, path_type=Path), help="Default: wkmp.db in the library."
)

AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for programs; docs/guide/library.md describes its fields."
)

AS_JSON_FOR_CI = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for programs; docs/guide/ci.md describes its fields."
)


def find_settings(folder: Path, library: Path | None, database: Path | None, workers: int | None = None) -> Settings:
    """Return the settings of the library that a folder belongs to.

    Raises
    ------
    click.UsageError
        A setting is wrong; the message names it.
    """
    given = {"database": database, "workers": workers}
    try:
        find_dagster_home()
        root = find_library(folder, library)
        settings = load_settings(
            library_root=root, **{name: value for name, value in given.items() if value is not None}
        )
        settings.check_places()
    except SettingsError as error:
        raise click.UsageError(printable(str(error))) from error
    with exit_on_error():
        check_found_library(settings.database_path, settings.trusted)
    _LOG.info("library %s, database %s, state in %s", settings.library, settings.database_path, settings.state_dir)
    return settings


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print an error of ours as one paragraph without a traceback, and exit: 2 for a wrong setting or input, else 1."""
    try:
        yield
    except WkmpError as error:
        _LOG.debug("the command ends with an error", exc_info=True)
        ERR.print(f"[bold red]Error:[/] {escape_text(error)}")
        sys.exit(2 if isinstance(error, SettingsError | EditRefusedError) else 1)


def explain_no_library(settings: Settings) -> str:
    """Return what to say, and to do, where there is no library yet."""
    database = f" --database {quote_path(settings.database)}" if settings.database else ""
    making = f"wkmp import {quote_path(settings.library)}{database}"
    return f"No library yet at {escape_text(settings.database_path)}; make one with: {making}"


def print_about(settings: Settings, said: str) -> None:
    """Print what there is to say about a library, or that there is none yet."""
    OUT.print(said if settings.database_path.exists() else explain_no_library(settings), soft_wrap=True)


def warn_of_no_library(settings: Settings) -> None:
    """Say on the error output that there is no library yet, beside an output that is empty because of that."""
    if not settings.database_path.exists():
        ERR.print(explain_no_library(settings), soft_wrap=True)


def print_json(settings: Settings, **found: object) -> None:
    """Print what a library holds as JSON of the schema 1; where there is no library yet, say so beside it."""
    click.echo(json.dumps({"schema": 1, **found}, indent=2))
    warn_of_no_library(settings)


def write_output(content: bytes, path: Path | None) -> None:
    """Write a file, whole or not at all, or print it.

    Raises
    ------
    StateDiskError
        The file cannot be written.
    """
    if path is None:
        click.echo(content, nl=False)
    else:
        write_atomically(path.absolute(), content, SHARED)


def escape_text(what: object) -> str:
    """Return text for a terminal: escape sequences and markup in it are shown as characters."""
    return escape(printable(str(what)))


def quote_path(folder: Path) -> str:
    """Return a folder as a person types it into a shell, quoted where needed."""
    return escape_text(shlex.quote(str(folder)))


def print_table(table: Table) -> None:
    """Print a table. Where it is long, or goes to a program or a file, each row is one line with its whole path."""
    if table.row_count > MAX_FITTED and not OUT.quiet:
        for line in _plain_lines(table):
            click.echo(line)
        return
    if OUT.is_terminal or OUT.quiet:
        OUT.print(table)
        return
    wide = Console(highlight=False, emoji=False, width=_UNBROKEN_WIDTH, force_terminal=False)
    with wide.capture() as captured:
        wide.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def _plain_lines(table: Table) -> Iterator[str]:
    """Yield the lines of a table without styles: Rich takes two minutes for 100,000 rows."""
    columns = [[*map(_plain, column.cells)] for column in table.columns]
    if table.show_header:
        columns = [[_plain(column.header), *cells] for column, cells in zip(table.columns, columns, strict=True)]
    widths = [max(map(_width, cells)) for cells in columns]
    is_right = [column.justify == "right" for column in table.columns]
    if table.title:
        yield _plain(table.title)
    for row in zip(*columns, strict=True):
        cells = zip(row, widths, is_right, strict=True)
        padded = [_pad(text, width, right) for text, width, right in cells]
        yield "  ".join(padded).rstrip()


def _plain(cell: object) -> str:
    text = str(cell)
    return Text.from_markup(text, emoji=False).plain if "[" in text or "\\" in text else text


def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def _pad(text: str, width: int, is_right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if is_right else text + space
