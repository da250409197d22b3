"""`wkmp ui`: Dagster's web UI and daemon for a library."""

import os
import sys
from pathlib import Path

import click

from wkmp_assets.cli.options import DATABASE, FOLDER, LIBRARY, OUT, exit_on_error, find_settings, quote_path
from wkmp_assets.settings import prepare_dagster_home, use_library

DEFAULT_PORT = 3000


@click.command(epilog="Example: wkmp ui ~/Music")
@FOLDER
@LIBRARY
@DATABASE
@click.option("--port", type=click.IntRange(1, 65_535), default=DEFAULT_PORT, show_default=True, help="Of the web UI.")
def ui(folder: Path, library: Path | None, database: Path | None, port: int) -> None:
    """Open the web UI for the library of FOLDER, on this machine only, and import what appears in it.

    It runs `dagster dev`, until Ctrl-C. Exit status 0: ended; 1: it cannot run; 2: a setting is wrong.
    """
    settings = find_settings(folder, library, database)
    use_library(settings.library, settings.database_path if database else None)
    with exit_on_error():
        prepare_dagster_home()
    OUT.print(f"http://127.0.0.1:{port} shows the library of {quote_path(settings.library)}; Ctrl-C ends it")
    command = [sys.executable, "-m", "dagster", "dev", "--module-name", "wkmp_assets.definitions"]
    os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", str(port)])  # noqa: S606 - no shell is wanted
