"""`wkmp similar` and `wkmp playlist`: passages that sound like one that a person names."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from wkmp_assets.cli.library_flavors import LibraryFlavors, hear_passages, rank_similar
from wkmp_assets.cli.options import (
    AS_JSON,
    DATABASE,
    LIBRARY,
    OPTIONAL_FOLDER,
    OUT,
    escape_text,
    exit_on_error,
    print_table,
    write_output,
)
from wkmp_assets.cli.target import PASSAGE, find_passage, find_settings_of
from wkmp_assets.db.read.listing import ListedPassage, read_missing_passages
from wkmp_assets.model.likeness import Heard, SimilarPassage, choose_playlist
from wkmp_assets.report.m3u8 import PlaylistEntry, write_m3u8
from wkmp_assets.report.text import clock, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wkmp_assets.settings import Settings

MAX_SHOWN = 10
MAX_SHARED = 3


@click.command(epilog="Example: wkmp similar ~/Music/Bach/Air.flac")
@click.argument("like", metavar="FILE|SONG")
@OPTIONAL_FOLDER
@LIBRARY
@DATABASE
@PASSAGE
@click.option("--limit", type=click.IntRange(min=1), default=MAX_SHOWN, show_default=True, help="Show so many at most.")
@AS_JSON
def similar(
    like: str,
    folder: Path | None,
    library: Path | None,
    database: Path | None,
    number: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the passages that sound most like FILE or SONG, the nearest first, with what they share.

    SONG is the MBID of a recording, or words of a title. Exit status 0: listed; 1: there is no such passage, or it has
    no flavor.
    """
    settings = find_settings_of(like, folder, library, database)
    with exit_on_error():
        liked = find_passage(settings, like, number)
        seed = _hear(settings, liked)
        found = list(islice(rank_similar(settings.database_path, settings.flavor_cache_path, seed), limit))
    if as_json:
        similar_ones = [
            {"distance": round(one.distance, 6), "shared": [list(pair) for pair in one.shared], **asdict(one.listed)}
            for one in found
        ]
        click.echo(json.dumps({"schema": 1, "like": asdict(liked), "similar": similar_ones}, indent=2))
    elif found:
        print_table(_table(liked, found))
    else:
        OUT.print("The library has no other passage with a flavor.")


@click.command(epilog="Example: wkmp playlist --like ~/Music/Bach/Air.flac --minutes 90 --smooth --output evening.m3u8")
@click.option("--like", required=True, metavar="FILE|SONG", help="The passage to begin with.")
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=60, show_default=True, help="How long it lasts."
)
@click.option("--smooth", "is_smooth", is_flag=True, help="Let each passage be followed by the nearest of the others.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: printed.")
@OPTIONAL_FOLDER
@LIBRARY
@DATABASE
@PASSAGE
def playlist(
    like: str,
    minutes: float,
    is_smooth: bool,
    output: Path | None,
    folder: Path | None,
    library: Path | None,
    database: Path | None,
    number: int | None,
) -> None:
    """Write an M3U8 playlist of passages that sound like FILE or SONG, each song once, with starts and ends.

    VLC plays each passage alone; other players play the whole files. Missing files are left out. Exit status 0:
    written; 1: there is no such passage, or it has no flavor.
    """
    from wkmp_assets.model.flavor_table import smooth  # with NumPy, which commands that use this module need not

    settings = find_settings_of(like, folder, library, database)
    with exit_on_error():
        liked = find_passage(settings, like, number)
        seed = _hear(settings, liked)
        listed = {liked.passage: liked}

        def ranked() -> Iterator[Heard]:
            flavors = LibraryFlavors(settings.database_path, settings.flavor_cache_path)
            for _, passage, one in flavors.rank(seed, but=read_missing_passages(settings.database_path)):
                listed[passage.passage] = passage
                yield one

        chosen = [one for one in choose_playlist(seed, ranked(), minutes * 60) if not listed[one.passage].is_missing]
        ordered = smooth(chosen) if is_smooth else chosen
        write_output(write_m3u8(entries_of([listed[one.passage] for one in ordered], settings.library)), output)


def _hear(settings: Settings, like: ListedPassage) -> Heard:
    """Return what is heard of the passage that a person names."""
    heard = hear_passages(settings.database_path, [like])
    if not heard:
        raise click.ClickException(
            f"{printable(like.path)} has no flavor to compare. An import measures it: wkmp import FOLDER --force"
        )
    return heard[like.passage]


def entries_of(passages: Sequence[ListedPassage], root: Path) -> list[PlaylistEntry]:
    """Return the entries of a playlist."""
    return [PlaylistEntry(root / one.path, one.name, one.start_s, one.end_s) for one in passages]


def _table(like: ListedPassage, found: Sequence[SimilarPassage[ListedPassage]]) -> Table:
    table = Table(title=f"Like {escape_text(like.name)}", title_justify="left", box=None, pad_edge=False)
    table.add_column("Distance", justify="right", no_wrap=True)
    for name in ("Title", "Artist"):
        table.add_column(name, overflow="fold")
    table.add_column("Length", justify="right", no_wrap=True)
    table.add_column("Shares", overflow="fold")
    table.add_column("File", overflow="fold")
    for similar_one in found:
        one = similar_one.listed
        said = ", ".join(value for _, value in similar_one.shared[:MAX_SHARED])
        texts = (one.title or "", one.artist or "", clock(one.length_s, 0), said, one.path)
        table.add_row(f"{similar_one.distance:.4f}", *(escape_text(text) for text in texts))
    return table
