"""`wkmp list` and `wkmp search`: the passages of a library."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from wkmp_assets.cli.options import (
    AS_JSON,
    DATABASE,
    FOLDER,
    LIBRARY,
    OUT,
    escape_text,
    exit_on_error,
    find_settings,
    print_about,
    print_json,
    print_table,
)
from wkmp_assets.db.read.listing import ListedPassage, read_passages
from wkmp_assets.db.read.search import search_passages
from wkmp_assets.report.text import clock, counted
from wkmp_assets.settings import Settings

MAX_FOUND = 50


@click.command("list", epilog="Example: wkmp list ~/Music/Bach")
@FOLDER
@LIBRARY
@DATABASE
@AS_JSON
def list_passages(folder: Path, library: Path | None, database: Path | None, as_json: bool) -> None:
    """List the passages of the files in FOLDER: names, length and place in the file.

    Exit status 0: listed, whether or not there are any; 1: the library cannot be read.
    """
    settings = find_settings(folder, library, database)
    with exit_on_error():
        found = read_passages(settings.database_path, settings.relative_folder(folder))
    _print(settings, found, as_json=as_json, nothing="No passages. To import the music: wkmp import FOLDER")


@click.command(epilog='Example: wkmp search "bach air" ~/Music')
@click.argument("words", nargs=1)
@FOLDER
@LIBRARY
@DATABASE
@click.option("--limit", type=click.IntRange(min=1), default=MAX_FOUND, show_default=True, help="Show so many at most.")
@AS_JSON
def search(words: str, folder: Path, library: Path | None, database: Path | None, limit: int, as_json: bool) -> None:
    """Find passages by WORDS of title, artist, album or file name. Put several words in quotes.

    Case and accents do not count, and a word also finds longer ones that begin with it. Exit status 0: found; 1:
    nothing found.
    """
    settings = find_settings(folder, library, database)
    with exit_on_error():
        found = search_passages(settings.database_path, words, settings.relative_folder(folder), limit)
    _print(settings, found.best, as_json=as_json, nothing="Nothing found.")
    if found.count > limit and not as_json:
        OUT.print(f"{found.count - limit} more; to see them: --limit {found.count}")
    sys.exit(0 if found.count else 1)


def _print(settings: Settings, found: Sequence[ListedPassage], *, as_json: bool, nothing: str) -> None:
    if as_json:
        print_json(settings, passages=[asdict(one) for one in found])
    elif found:
        print_table(_table(found))
    else:
        print_about(settings, nothing)


def _table(found: Sequence[ListedPassage]) -> Table:
    title = f"{counted(len(found), 'passage')} of {counted(len({one.path for one in found}), 'file')}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("Title", "Artist", "Album"):
        table.add_column(name, overflow="fold")
    table.add_column("Length", justify="right", no_wrap=True)
    table.add_column("File", overflow="fold")
    for one in found:
        at = f" at {clock(one.start_s, 0)}" if one.passages > 1 else ""
        gone = " (missing)" if one.is_missing else ""
        names = (escape_text(name or "") for name in (one.title, one.artist, one.album))
        table.add_row(*names, clock(one.length_s, 0), escape_text(one.path) + escape(at + gone))
    return table
