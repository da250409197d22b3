"""Find the passage that a person names: by its file, its recording, or words of its title."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import click

from wkmp_assets.cli.options import exit_on_error, find_settings
from wkmp_assets.db.read.listing import ListedPassage, read_file_passages, read_recording
from wkmp_assets.db.read.search import search_passages
from wkmp_assets.errors import GoneLibraryError, SettingsError
from wkmp_assets.model.file_key import is_utf8
from wkmp_assets.model.mbid import parse_mbid
from wkmp_assets.report.text import counted, printable
from wkmp_assets.settings import Settings, find_folder

PASSAGE = click.option(
    "--passage", "number", type=click.IntRange(min=1), help="Which passage of a file with several. Default: the first."
)


def find_settings_of(text: str, folder: Path | None, library: Path | None, database: Path | None) -> Settings:
    """Return the settings of the library that has what a text names: a file, or words.

    Raises
    ------
    click.UsageError
        No library can be told from it, or a setting is wrong.
    """
    settings = find_settings(folder_of(text, folder or library), library, database)
    with exit_on_error():
        if not settings.database_path.exists():
            raise GoneLibraryError(settings.database_path)
    return settings


def folder_of(text: str, folder: Path | None) -> Path:
    """Return the folder that a person named, else the folder of the file, else the default.

    A file may be gone and still in the library, so its folder counts as well.

    Raises
    ------
    click.UsageError
        There is none of them.
    """
    if folder is not None:
        return folder
    if os.path.isdir(text):  # noqa: PTH112 - the text may be any
        return Path(text)
    above = os.path.dirname(text)  # noqa: PTH120 - the text may be any
    if os.path.exists(text) or (os.path.isabs(text) and os.path.isdir(above)):  # noqa: PTH110, PTH112, PTH117
        return Path(above)
    try:
        return find_folder()
    except SettingsError as error:
        if above and os.path.isdir(above):  # noqa: PTH112 - the text may be any
            return Path(above)
        missing = f"there is no file {printable(text)}; to look for it in a library, " if text else ""
        raise click.UsageError(f"{missing}{printable(str(error))}") from error


def explain_unknown_file(settings: Settings, text: str) -> str:
    """Return what to say of a file that a person names and the library does not have."""
    unknown = f"the library does not have {printable(text)}"
    if os.path.exists(settings.library / text) or os.path.exists(text):  # noqa: PTH110 - the text may be any
        return f"{unknown}. To import it: wkmp import FOLDER"
    return f"{unknown}, and there is no such file on disk"


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
