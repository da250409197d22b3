"""`wkmp show`: all that the library knows about one file."""

import json
from collections.abc import Iterator
from dataclasses import asdict
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
    print_table,
)
from wkmp_assets.cli.target import explain_unknown_file, find_settings_of
from wkmp_assets.db.read.file_details import FileDetails, PassageDetails, read_file_details
from wkmp_assets.model.match_levels import level_of
from wkmp_assets.report.flavor_words import MEASURED_KEY, describe_flavor
from wkmp_assets.report.text import clock, name_status

_KIND_OF_NAME = {"title": "title", "artist": "artist", "album": "album", "mbid": "song"}


@click.command(epilog="Example: wkmp show ~/Music/Bach/Air.flac")
@click.argument("file", metavar="FILE")
@OPTIONAL_FOLDER
@LIBRARY
@DATABASE
@AS_JSON
def show(file: str, folder: Path | None, library: Path | None, database: Path | None, as_json: bool) -> None:
    """Show what the library knows about FILE: passages, songs, tags, flavor, and why it was identified so.

    FILE is a file on disk, or a path below the root of the library. Exit status 0: shown; 1: the library does not have
    it.
    """
    settings = find_settings_of(file, folder, library, database)
    with exit_on_error():
        paths = (file, settings.relative_folder(Path(file)))
        found = next((one for path in paths if (one := read_file_details(settings.database_path, path))), None)
    if found is None:
        raise click.ClickException(explain_unknown_file(settings, file))
    if as_json:
        click.echo(json.dumps({"schema": 1, "file": asdict(found)}, indent=2))
        return
    print_table(_describe_file(found))
    for passage in found.passages:
        OUT.print()
        print_table(_describe_passage(passage))


def _describe_file(file: FileDetails) -> Table:
    table = _sheet(file.path)
    table.add_row("State", escape_text(name_status(file.status or "unknown")))
    sound = [file.format, f"{file.sample_rate} Hz" if file.sample_rate else None]
    sound.append(f"{file.channels} channels" if file.channels else None)
    table.add_row("Sound", escape_text(", ".join(one for one in sound if one) or "unknown"))
    if file.length_s is not None:
        table.add_row("Length", clock(file.length_s, 0))
    for kind, message in file.warnings:
        table.add_row("Doubtful", escape_text(f"{kind}: {message}"))
    return table


def _describe_passage(passage: PassageDetails) -> Table:
    listed = passage.listed
    table = _sheet(f"Passage {listed.number} of {listed.passages}: {listed.name}")
    table.add_row("Plays", f"{clock(listed.start_s)} to {clock(listed.end_s)}")
    if listed.lead_in_s is not None and listed.lead_out_s is not None:
        table.add_row("Leads", f"in until {clock(listed.lead_in_s)}, out from {clock(listed.lead_out_s)}")
    rows = [
        ("Album", listed.album or ", ".join(passage.albums)),
        ("Song", listed.recording_mbid or "not identified"),
        ("Artists", ", ".join(passage.artists)),
        ("Works", ", ".join(passage.works)),
        ("Sure", "" if listed.confidence is None else f"{listed.confidence:.2f} ({level_of(listed.confidence)})"),
        ("Named by", ", ".join(f"{_KIND_OF_NAME[name]}: {source}" for name, source in passage.named_by.items())),
        *(("Because", why) for why in _reasons(passage)),
        ("Measured", _pairs(passage.additional.get(MEASURED_KEY))),
        ("Tags", _pairs(passage.additional.get("file_tags"))),
        ("Sounds", _sound(passage)),
    ]
    for name, value in rows:
        if value:
            table.add_row(name, escape_text(value))
    return table


def _reasons(passage: PassageDetails) -> Iterator[str]:
    """Yield what each source said that named the passage, and what a lookup found."""
    for one in passage.evidence:
        sure = "" if one.confidence is None else f" ({one.confidence:.2f})"
        candidates = one.said.get("candidates")
        if isinstance(candidates, list):
            names = [f"{c.get('title')} - {c.get('artist')} {c.get('confidence') or 0:.2f}" for c in candidates[:3]]
            yield f"{one.source}{sure}: " + ("; ".join(names) or str(one.said.get("detail") or one.said.get("outcome")))
        else:
            said = ", ".join(str(value) for value in one.said.values() if value)
            yield f"{one.source}{sure}: {said}"


def _pairs(found: object) -> str:
    if not isinstance(found, dict):
        return ""
    return ", ".join(f"{name} {value}" for name, value in found.items() if value not in (None, "", []))


def _sound(passage: PassageDetails) -> str:
    measured = passage.additional.get(MEASURED_KEY)
    return ", ".join(map(str, describe_flavor(passage.flavor, measured if isinstance(measured, dict) else {})))


def _sheet(title: str) -> Table:
    table = Table(title=escape_text(title), title_justify="left", show_header=False, box=None, pad_edge=False,
                  padding=(0, 2, 0, 0))  # fmt: skip
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table
