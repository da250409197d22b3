"""`wkmp picture`: one file as a PNG."""

import os
from pathlib import Path

import click

from wkmp_assets.cli.options import (
    LIBRARY,
    exit_on_error,
    find_settings,
)
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.outcomes import Result, Skipped, join
from wkmp_assets.model.phases import LEAD_POINTS, MATCHES, PICTURE, SEGMENTS
from wkmp_assets.orchestration.pictures import draw_file
from wkmp_assets.report.text import (
    printable,
)
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.runtime.state_files import SHARED


@click.command(epilog="Example: wkmp picture ~/Music/Bach/Air.flac")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@LIBRARY
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: in the state folder.")
@click.option("--level-only", is_flag=True, help="Leave out the spectrogram and the chromagram: faster.")
def picture(file: Path, library: Path | None, output: Path | None, level_only: bool) -> None:
    """Draw FILE as a PNG: its level, passages, silences, lead points and names, as the import found them.

    Below are a mel spectrogram with the beats and a chromagram with the key, while the decoded sound is kept. librosa
    draws them, and its first use takes most of a minute. Exit status 0: drawn; 1: FILE is not imported or is a copy, or
    the picture cannot be written.
    """
    settings = find_settings(file.parent, library, None)
    key = encode_key(settings.relative_folder(file))
    store = PhaseStore(settings.phase_dir)
    outcomes = [store.read_stored(phase, key) for phase in (SEGMENTS, MATCHES, LEAD_POINTS)]
    found = join(PICTURE, key, outcomes)
    if not isinstance(found, Result):
        # A copy is the only skip that is stored.
        reason = f"it has the {found.detail}; draw that file" if isinstance(found, Skipped) else found.message
        raise click.ClickException(f"there is no picture of {printable(str(file))}: {printable(reason)}")
    path = (output or settings.picture_path(key)).absolute()
    with exit_on_error():
        drawn = draw_file(settings, key, found.content_hash, *found.value, has_sound=not level_only)
        write_atomically(path, drawn, SHARED)
    click.echo(os.fsencode(path))
