"""`wkmp identify`, `wkmp accept` and `wkmp reject`: a person's word about the song of a passage."""

import json
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from wkmp_assets.cli.options import (
    AS_JSON,
    DATABASE,
    LIBRARY,
    OPTIONAL_FOLDER,
    OUT,
    escape_text,
    exit_on_error,
)
from wkmp_assets.cli.target import explain_unknown_file, find_settings_of, path_in_library
from wkmp_assets.db.read.known_files import read_known_by_path
from wkmp_assets.db.read.listing import read_passages
from wkmp_assets.model.batch import Receipt
from wkmp_assets.model.hand_edits import SongEdit, Verdict
from wkmp_assets.model.mbid import parse_mbid
from wkmp_assets.report.text import counted, printable
from wkmp_assets.settings import Settings

NO_RECORDING = "none"
_NUMBER = click.option(
    "--passage", "number", type=click.IntRange(min=1), help="Which passage; needed where the file has several."
)


def _recording(_ctx: click.Context, _param: click.Parameter, text: str) -> str | None:
    if text == NO_RECORDING:
        return None
    mbid = parse_mbid(text)
    if mbid is None:
        raise click.BadParameter(f"{printable(text)} is neither the MBID of a recording nor `none`")
    return mbid


@click.command(epilog="Example: wkmp identify ~/Music/Bach/Air.flac --recording 4e0d8649-1f89-45d9-9c77-b4ac2f8c7b5c")
@click.argument("file", metavar="FILE")
@OPTIONAL_FOLDER
@LIBRARY
@DATABASE
@_NUMBER
@click.option(
    "--recording",
    "mbid",
    required=True,
    metavar="MBID|none",
    callback=_recording,
    help="The MusicBrainz id of the recording; `none` for a passage that is no song.",
)
@AS_JSON
def identify(
    file: str,
    folder: Path | None,
    library: Path | None,
    database: Path | None,
    number: int | None,
    mbid: str | None,
    as_json: bool,
) -> None:
    """Say which recording a passage of FILE is. No later import changes that.

    MusicBrainz' names are used if it answers; else the passage keeps its names. Exit status 0: written; 1: the library
    cannot be written; 2: there is no such file or passage.
    """
    settings = find_settings_of(file, folder, library, database)
    with exit_on_error():
        path = find_file(settings, file)
        if mbid is None:
            _say(settings, SongEdit(path, number, Verdict.IDENTIFY), "", as_json=as_json)
            return
        # It loads what asks services, which the other commands do without.
        from wkmp_assets.orchestration.named_recording import ask_for_recording

        found = ask_for_recording(settings, mbid, _album_of(settings, path))
        edit = SongEdit(path, number, Verdict.IDENTIFY, found.song, found.release, found.releases)
        _say(settings, edit, found.unnamed_because, as_json=as_json)


@click.command(epilog="Example: wkmp accept ~/Music/Bach/Air.flac")
@click.argument("file", metavar="FILE")
@OPTIONAL_FOLDER
@LIBRARY
@DATABASE
@_NUMBER
@AS_JSON
def accept(
    file: str, folder: Path | None, library: Path | None, database: Path | None, number: int | None, as_json: bool
) -> None:
    """Say that the Medium or Low match of a passage of FILE is right. No later import changes it.

    Exit status 0: written; 1: the library cannot be written; 2: there is no such file, passage or match.
    """
    _judge(file, folder, library, database, number, Verdict.ACCEPT, as_json=as_json)


@click.command(epilog="Example: wkmp reject ~/Music/Bach/Air.flac --passage 2")
@click.argument("file", metavar="FILE")
@OPTIONAL_FOLDER
@LIBRARY
@DATABASE
@_NUMBER
@AS_JSON
def reject(
    file: str, folder: Path | None, library: Path | None, database: Path | None, number: int | None, as_json: bool
) -> None:
    """Say that the Medium or Low match of a passage of FILE is wrong. It has no song then, whatever imports find.

    Exit status 0: written; 1: the library cannot be written; 2: there is no such file, passage or match.
    """
    _judge(file, folder, library, database, number, Verdict.REJECT, as_json=as_json)


def _judge(
    file: str,
    folder: Path | None,
    library: Path | None,
    database: Path | None,
    number: int | None,
    verdict: Verdict,
    *,
    as_json: bool,
) -> None:
    settings = find_settings_of(file, folder, library, database)
    with exit_on_error():
        _say(settings, SongEdit(find_file(settings, file), number, verdict), "", as_json=as_json)


def _album_of(settings: Settings, path: str) -> str | None:
    return next((one.album for one in read_passages(settings.database_path, path)), None)


def find_file(settings: Settings, text: str) -> str:
    """Return the path, below the library root, of the file that a person names.

    Raises
    ------
    click.UsageError
        The library does not have it.
    """
    asked = (text, settings.relative_folder(Path(text)))
    path = path_in_library(settings, text, read_known_by_path(settings.database_path, asked))
    if path is None:
        raise click.UsageError(explain_unknown_file(settings, text))
    return path


def _say(settings: Settings, edit: SongEdit, unnamed_because: str, *, as_json: bool) -> None:
    from wkmp_assets.db.hand_commit import commit_song_edit  # loads what writes

    run_id = str(uuid.uuid4())
    plan, receipt = commit_song_edit(settings.database_path, edit, datetime.now(UTC), run_id)
    after = plan.after
    if as_json:
        passage = {"path": edit.path, "number": plan.number, "passage": after.guid}
        named = {name: getattr(after, name) for name in ("title", "artist", "album", "recording_mbid")}
        said = {"run": run_id, "said": str(edit.verdict), "passage": passage | named, "receipt": asdict(receipt)}
        click.echo(json.dumps({"schema": 1, **said, "not_named_because": unnamed_because or None}, indent=2))
        return
    place = f"{edit.path}, passage {plan.number}"
    names = " - ".join(text for text in (after.title, after.artist) if text)
    song = f"recording {after.recording_mbid}{f' ({names})' if names else ''}" if after.recording_mbid else "no song"
    OUT.print(escape_text(f"{place}: {song}"), soft_wrap=True)
    if unnamed_because:
        OUT.print(escape_text(f"The names stay as they were. {unnamed_because}."), soft_wrap=True)
    print_receipt(run_id, receipt)


def print_receipt(run_id: str, receipt: Receipt) -> None:
    """Print what a command wrote."""
    rows = ", ".join(f"{count} in {table}" for table, count in receipt.rows.items() if count)
    locks = f"{counted(receipt.write_locks, 'write lock')} held for {receipt.hold_ms:.1f} ms"
    OUT.print(escape_text(f"Written in one transaction ({locks}; rows: {rows}). Run {run_id}."), soft_wrap=True)
