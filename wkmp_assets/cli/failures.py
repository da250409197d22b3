"""`wkmp failures`: the files that could not be imported."""

import sys
from pathlib import Path

import click

from wkmp_assets.cli.options import (
    DATABASE,
    FOLDER,
    LIBRARY,
    OUT,
    exit_on_error,
    find_settings,
    print_table,
)
from wkmp_assets.cli.summary import render_failures
from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.model.outcomes import Failed


@click.command(epilog="Example: wkmp failures ~/Music")
@FOLDER
@LIBRARY
@DATABASE
def failures(folder: Path, library: Path | None, database: Path | None) -> None:
    """List the files that could not be imported, with cause and next step. Exit status 1 if there are any."""
    settings = find_settings(folder, library, database)
    with exit_on_error():
        stored = read_failures(settings.database_path)
    if not stored:
        OUT.print("Nothing failed.")
        return
    rows = [
        (
            failure.path,
            Failed(
                failure.phase,
                failure.code,
                f"{failure.message} [{failure.attempts} attempt{'s' * (failure.attempts > 1)}, "
                f"last {failure.failed_at} UTC]",
            ),
        )
        for failure in stored
    ]
    print_table(render_failures(rows, max_rows=len(rows)))
    sys.exit(1)
