"""Find the passage that a person names: by its file, its recording, or words of its title."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import click

from wkmp_assets.db.read.listing import ListedPassage, read_file_passages, read_recording
from wkmp_assets.db.read.search import search_passages
from wkmp_assets.errors import SettingsError
from wkmp_assets.model.file_key import is_utf8
from wkmp_assets.model.mbid import parse_mbid
from wkmp_assets.report.text import counted, printable
from wkmp_assets.settings import Settings, find_folder

PASSAGE = click.option(
    "--passage", "number", type=click.IntRange(min=1), help="Which passage of a file with several. Default: the first."
)


def folder_of(text: str, folder: Path | None) -> Path:
    """Return the folder that a person named, else the folder of the file, else the default.

    Raises
    ------
    click.UsageError
        There is none of them.
    """
    if folder is not None:
        return folder
    if os.path.exists(text):  # noqa: PTH110 - the text may be any
        path = Path(text)
        return path if path.is_dir() else path.parent
    try:
        return find_folder()
    except SettingsError as error:
        raise click.UsageError(printable(str(error))) from error


def path_in_library(settings: Settings, text: str, known: Collection[str]) -> str | None:
    """Return the path, below the library's root, of the file that a text names; None when the library has none."""
    return next((path for path in _paths_named(settings, text) if path in known), None)


def _paths_named(settings: Settings, text: str) -> tuple[str, str]:
    """Return the paths below the root that a text may mean: itself, and where it leads from the working folder."""
    return text, settings.relative_folder(Path(text))


def find_passage(settings: Settings, text: str, number: int | None) -> ListedPassage:
    """Return the passage that a file, a recording's MBID or words name.

    Raises
    ------
    click.ClickException
        The library has none. The message says what was tried.
    """
    database = settings.database_path
    for path in _paths_named(settings, text):
        if is_utf8(path) and (of_file := read_file_passages(database, path)):
            return _of_file(of_file, number)
    recording = parse_mbid(text)
    found = read_recording(database, recording) if recording else search_passages(database, text, limit=1).best
    if not found:
        raise click.ClickException(
            f"the library has no file, recording or title {printable(text)}. To look for it: wkmp search WORDS"
        )
    return found[0]


def _of_file(passages: Sequence[ListedPassage], number: int | None) -> ListedPassage:
    wanted = number or 1
    found = next((one for one in passages if one.number == wanted), None)
    if found is None:
        raise click.UsageError(f"--passage {wanted}: the file has {counted(len(passages), 'passage')}")
    return found
