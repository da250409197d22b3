"""`wkmp export`: the passages of a library for other programs."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import click

from wkmp_assets.cli.options import (
    DATABASE,
    FOLDER,
    LIBRARY,
    exit_on_error,
    find_settings,
    warn_of_no_library,
    write_output,
)
from wkmp_assets.cli.similar import entries_of
from wkmp_assets.db.connection import copy_library
from wkmp_assets.db.read.listing import ListedPassage, read_passages
from wkmp_assets.errors import GoneLibraryError
from wkmp_assets.report.m3u8 import write_m3u8
from wkmp_assets.report.text import printable

_COLUMNS = [field.name for field in fields(ListedPassage)]


@click.command(epilog="Example: wkmp export --format csv --output passages.csv ~/Music")
@click.option(
    "--format", "kind", type=click.Choice(["json", "csv", "m3u8", "sqlite"]), required=True, help="What to write."
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: printed. `sqlite` needs it.")
@FOLDER
@LIBRARY
@DATABASE
def export(kind: str, output: Path | None, folder: Path, library: Path | None, database: Path | None) -> None:
    """Write the passages of the files in FOLDER as JSON, CSV or an M3U8 playlist, or the whole library as SQLite.

    The SQLite file is a copy as the library is at this moment, also during an import. A playlist leaves out missing
    files. Exit status 0: written; 1: the library cannot be read, or the file cannot be written; 2: OUTPUT
    of `sqlite` exists.
    """
    settings = find_settings(folder, library, database)
    with exit_on_error():
        if kind == "sqlite":
            _copy(settings.database_path, output)
            return
        found = read_passages(settings.database_path, settings.relative_folder(folder))
        if kind == "json":
            content = json.dumps({"schema": 1, "passages": [asdict(one) for one in found]}, indent=2).encode() + b"\n"
        elif kind == "csv":
            content = _csv(found)
        else:
            content = write_m3u8(entries_of([one for one in found if not one.is_missing], settings.library))
        write_output(content, output)
    warn_of_no_library(settings)


def _csv(found: Sequence[ListedPassage]) -> bytes:
    """Return one row for each passage, under the names of `ListedPassage`; RFC 4180, in UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    writer.writerows(asdict(one) for one in found)
    return text.getvalue().encode()


def _copy(database: Path, output: Path | None) -> None:
    if output is None:
        raise click.UsageError("--format sqlite needs --output FILE")
    if output.exists():
        raise click.UsageError(f"{printable(str(output))} exists; name a file that does not")
    if not copy_library(database, output.absolute()):
        raise GoneLibraryError(database)
