"""`wkmp tidy`: forget old runs."""

import warnings
from datetime import UTC, datetime
from pathlib import Path

import click

from wkmp_assets.cli.options import DATABASE, FOLDER, LIBRARY, OUT, escape_text, exit_on_error, find_settings
from wkmp_assets.runtime.loading import loading_modules
from wkmp_assets.settings import name_source


@click.command(epilog="Example: wkmp tidy ~/Music")
@FOLDER
@LIBRARY
@DATABASE
def tidy(folder: Path, library: Path | None, database: Path | None) -> None:
    """Remove the runs of the library of FOLDER that are older than WKMP_HISTORY_DAYS from Dagster's history.

    What was found last of each file stays, with the receipt of its import. What the library keeps for `wkmp undo` goes
    after WKMP_UNDO_DAYS. Exit status 0: done; 1: the history or the library cannot be written.
    """
    settings = find_settings(folder, library, database)
    if not settings.history_days:
        kept_for_ever = f"{escape_text(name_source('history_days'))} is 0, so the history is kept for ever."
        OUT.print(f"No run is removed: {kept_for_ever}", soft_wrap=True)
    # Dagster takes two seconds to load, so only the commands that need it do.
    warnings.filterwarnings("ignore", module="dagster")
    with loading_modules():
        from wkmp_assets.cli.importer import open_instance
        from wkmp_assets.orchestration.tidy import tidy as remove_old_runs

    with exit_on_error(), open_instance() as instance:
        OUT.print(str(remove_old_runs(settings, instance, datetime.now(UTC))))
