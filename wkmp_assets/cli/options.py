"""What the commands of `wkmp` have in common: where they print, which folder they are about, how they fail."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from wkmp_assets.errors import SettingsError, WkmpError
from wkmp_assets.report.text import printable
from wkmp_assets.settings import Settings, find_dagster_home, find_library, load_settings

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)

FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, readable=True, path_type=Path))
LIBRARY = click.option(
    "--library",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Library root, when FOLDER is only a part of it. Default: WKMP_LIBRARY_ROOT if FOLDER lies in it, else the "
    "nearest folder above FOLDER that holds a wkmp.db, else FOLDER itself.",
)
DATABASE = click.option(
    "--database", type=click.Path(dir_okay=False, path_type=Path), help="Default: wkmp.db in the library."
)


def settings_of(folder: Path, library: Path | None, database: Path | None, workers: int | None = None) -> Settings:
    """Return the settings of the library that a folder belongs to.

    Raises
    ------
    click.UsageError
        They are not usable as given.
    """
    given = {"database": database, "workers": workers}
    try:
        find_dagster_home()
        root = find_library(folder, library)
        return load_settings(library_root=root, **{name: value for name, value in given.items() if value is not None})
    except SettingsError as error:
        raise click.UsageError(printable(str(error))) from error


@contextmanager
def errors_as_exit_status() -> Iterator[None]:
    """Say what is wrong in one paragraph; our own errors need no traceback."""
    try:
        yield
    except WkmpError as error:
        ERR.print(f"[bold red]Error:[/] {shown(error)}")
        sys.exit(1)


def shown(what: object) -> str:
    """Return text as it is, for a terminal: no name of a file is an escape sequence, or markup of ours."""
    return escape(printable(str(what)))


def typed(folder: Path) -> str:
    """Return a folder as it is typed into a shell."""
    return shown(shlex.quote(str(folder)))
