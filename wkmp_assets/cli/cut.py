"""`wkmp split` and `wkmp join`: a person's boundaries of the passages of a file."""

import json
import os
import re
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import click

from wkmp_assets.cli.by_hand import find_file, print_receipt
from wkmp_assets.cli.options import (
    AS_JSON,
    DATABASE,
    LIBRARY,
    OPTIONAL_FOLDER,
    OUT,
    escape_text,
    exit_on_error,
)
from wkmp_assets.cli.target import find_settings_of
from wkmp_assets.db.read.file_details import read_file_details
from wkmp_assets.db.read.listing import ListedPassage, read_passages
from wkmp_assets.errors import EditRefusedError
from wkmp_assets.model.hand_edits import Cut
from wkmp_assets.model.ticks import TICKS_PER_SECOND, to_seconds
from wkmp_assets.report.text import clock, printable
from wkmp_assets.settings import Settings

MIN_PIECE_TICKS = TICKS_PER_SECOND // 2
"""Shorter passages are slips of the hand."""
_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)")


def parse_time(text: str) -> int | None:
    """Return a time such as `83.5`, `1:23.5` or `1:02:03` in ticks; None for other text."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    total_s = int(hours or 0) * 3600 + int(minutes or 0) * 60
    return total_s * TICKS_PER_SECOND + round(float(seconds) * TICKS_PER_SECOND)


@click.command(epilog="Example: wkmp split ~/Music/Live.flac 4:31.5 9:02")
@click.argument("file", metavar="FILE")
@click.argument("places", metavar="AT... [FOLDER]", nargs=-1, required=True)
@LIBRARY
@DATABASE
@AS_JSON
def split(file: str, places: Sequence[str], library: Path | None, database: Path | None, as_json: bool) -> None:
    """Cut the passages of FILE at the times AT. No later import changes the file's passages.

    A time is seconds, mm:ss or h:mm:ss from the start of the file, with decimals. The longest part of a passage keeps
    its song. Exit status 0: written; 1: the file or the library cannot be used; 2: there is no such file or place.
    """
    folder = None
    if parse_time(places[-1]) is None and os.path.isdir(places[-1]):  # noqa: PTH112 - the text may be any
        folder, places = Path(places[-1]), places[:-1]
    times = [_time(text) for text in places]
    if not times:
        raise click.UsageError("Missing argument 'AT': where to cut, such as 4:31.5")
    settings = find_settings_of(file, folder, library, database)
    with exit_on_error():
        path = find_file(settings, file)
        passages = read_passages(settings.database_path, path)
        _write(settings, path, passages, plan_splits(path, passages, times), as_json=as_json)


@click.command(epilog="Example: wkmp join ~/Music/Live.flac 3 4")
@click.argument("file", metavar="FILE")
@click.argument("first", metavar="N", type=click.IntRange(min=1))
@click.argument("second", metavar="M", type=click.IntRange(min=1))
@OPTIONAL_FOLDER
@LIBRARY
@DATABASE
@AS_JSON
def join(
    file: str,
    first: int,
    second: int,
    folder: Path | None,
    library: Path | None,
    database: Path | None,
    as_json: bool,
) -> None:
    """Join the neighbouring passages N and M of FILE. No later import changes the file's passages.

    The longer one gives the song. Exit status 0: written; 1: the file or the library cannot be used; 2: there is no
    such file, or the passages are not neighbours.
    """
    settings = find_settings_of(file, folder, library, database)
    with exit_on_error():
        path = find_file(settings, file)
        passages = read_passages(settings.database_path, path)
        _write(settings, path, passages, [plan_join(path, passages, first, second)], as_json=as_json)


def _time(text: str) -> int:
    ticks = parse_time(text)
    if ticks is None:
        raise click.UsageError(f"{printable(text)} is no time; write seconds, mm:ss or h:mm:ss, such as 4:31.5")
    return ticks


def plan_splits(path: str, passages: Sequence[ListedPassage], times: Sequence[int]) -> list[Cut]:
    """Return the cuts of a file's passages at some times, unit=ticks.

    Raises
    ------
    EditRefusedError
        A time lies in no passage, or so close to a boundary or another time that no passage is left between them.
    """
    places: dict[int, list[int]] = {}
    for at in sorted(set(times)):
        inside = [one.number for one in passages if one.start_ticks < at < one.end_ticks]
        if len(inside) != 1:
            where = "in no passage" if not inside else f"in passages {' and '.join(map(str, inside))}, which overlap"
            raise EditRefusedError(path, f"{clock(to_seconds(at))} lies {where}; its passages: {_describe(passages)}")
        places.setdefault(inside[0], []).append(at)
    cuts = []
    for number, inner in places.items():
        one = passages[number - 1]
        edges = [one.start_ticks, *inner, one.end_ticks]
        bounds = tuple(pairwise(edges))
        if min(end - start for start, end in bounds) < MIN_PIECE_TICKS:
            raise EditRefusedError(path, f"a part of passage {number} would be shorter than half a second")
        cuts.append(Cut((number,), bounds))
    return cuts


def plan_join(path: str, passages: Sequence[ListedPassage], first: int, second: int) -> Cut:
    """Return the cut that joins two passages.

    Raises
    ------
    EditRefusedError
        They are not neighbours, or the file lacks one of them.
    """
    low, high = sorted((first, second))
    if high > len(passages):
        raise EditRefusedError(path, f"it has no passage {high}; its passages: {_describe(passages)}")
    if high - low != 1:
        raise EditRefusedError(
            path, f"passages {low} and {high} are not neighbours; its passages: {_describe(passages)}"
        )
    both = passages[low - 1 : high]
    start, end = min(one.start_ticks for one in both), max(one.end_ticks for one in both)
    return Cut((low, high), ((start, end),))


def _describe(passages: Sequence[ListedPassage]) -> str:
    places = (f"{one.number} from {clock(one.start_s)} to {clock(one.end_s)}" for one in passages)
    return ", ".join(places) or "none"


def _write(
    settings: Settings, path: str, passages: Sequence[ListedPassage], cuts: Sequence[Cut], *, as_json: bool
) -> None:
    # They load the decoders and what writes, which the other commands do without.
    from wkmp_assets.db.hand_commit import commit_cut_edit
    from wkmp_assets.orchestration.cut_measures import measure_cuts

    file = read_file_details(settings.database_path, path)
    assert file is not None, "its passages were just read"  # noqa: S101 - for the type checker
    before = [(one.start_ticks, one.end_ticks) for one in passages]
    edit = measure_cuts(settings, path, file.content_hash or "", before, cuts)
    run_id = str(uuid.uuid4())
    plan, receipt = commit_cut_edit(settings.database_path, edit, datetime.now(UTC), run_id)
    now = read_passages(settings.database_path, path)
    if as_json:
        said = {"run": run_id, "passages": [asdict(one) for one in now], "receipt": asdict(receipt)}
        click.echo(json.dumps({"schema": 1, **said}, indent=2))
        return
    new = {row.guid for row in plan.after}
    for one in now:
        if one.passage in new:
            place = f"{clock(one.start_s)} to {clock(one.end_s)}"
            OUT.print(escape_text(f"{path}, passage {one.number}: {place}, {one.name}"), soft_wrap=True)
    print_receipt(run_id, receipt)
