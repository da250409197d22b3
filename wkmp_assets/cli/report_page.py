"""`wkmp report`: one HTML page on a library."""

import os
import warnings
from pathlib import Path

import click

from wkmp_assets.cli.options import (
    DATABASE,
    FOLDER,
    LIBRARY,
    exit_on_error,
    find_settings,
    warn_of_no_library,
)
from wkmp_assets.runtime.loading import loading_modules
from wkmp_assets.runtime.served_page import find_page


@click.command(epilog="Example: wkmp report ~/Music")
@FOLDER
@LIBRARY
@DATABASE
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: in the state folder.")
def report(folder: Path, library: Path | None, database: Path | None, output: Path | None) -> None:
    """Write a report on the library of FOLDER as one HTML page, which opens in any browser without a network.

    Exit status 0: written; 1: the library or the history cannot be read, or the page cannot be written.
    """
    settings = find_settings(folder, library, database)
    # Dagster keeps the receipts. It takes two seconds to load, so only the commands that need it do.
    warnings.filterwarnings("ignore", module="dagster")
    with loading_modules():
        from wkmp_assets.cli.importer import open_instance
        from wkmp_assets.orchestration.write_report import write_report

    path = (output or settings.report_path).absolute()
    with exit_on_error(), open_instance() as instance:
        write_report(settings, instance, path)
    click.echo(os.fsencode(path))
    warn_of_no_library(settings)
    if address := find_page(settings.browse_path):
        click.echo(f"To look and listen: {address}", err=True)
