"""`wkmp checks`: judge the whole library."""

import sys
import warnings
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from wkmp_assets.cli.options import (
    AS_JSON_FOR_CI,
    DATABASE,
    FOLDER,
    LIBRARY,
    OUT,
    exit_on_error,
    find_settings,
    print_json,
    print_table,
    warn_of_no_library,
)
from wkmp_assets.report.check_results import to_junit
from wkmp_assets.report.text import printable
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.loading import loading_modules
from wkmp_assets.runtime.state_files import SHARED


@click.command(epilog="Example: wkmp checks ~/Music --junit checks.xml")
@FOLDER
@LIBRARY
@DATABASE
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Also write the results as JUnit's XML.")
@AS_JSON_FOR_CI
def checks(folder: Path, library: Path | None, database: Path | None, junit: Path | None, as_json: bool) -> None:
    """Run all checks over the whole library of FOLDER, and say what they found. It imports and changes nothing.

    Exit status 0: none failed, though some may warn; 1: a check failed, or there is no library that can be read.
    """
    settings = find_settings(folder, library, database)
    if not settings.database_path.exists():  # checks that have nothing to judge pass
        warn_of_no_library(settings)
        sys.exit(1)
    # Dagster takes two seconds to load, so only the commands that need it do.
    warnings.filterwarnings("ignore", module="dagster")
    with loading_modules():
        from wkmp_assets.cli.importer import open_instance
        from wkmp_assets.orchestration.run_checks import run_checks

    with exit_on_error(), open_instance() as instance:
        outcomes = run_checks(settings, instance)
        if junit is not None:
            write_atomically(junit.absolute(), to_junit(outcomes), SHARED)
    if as_json:
        found = [asdict(one) | {"result": one.result} for one in outcomes]
        print_json(settings, checks=found)
    else:
        table = Table("Result", "Asset", "Check", "Finding")
        for one in outcomes:
            table.add_row(one.result, one.asset, one.check, escape(printable(one.finding)))
        print_table(table)
        OUT.print(f"{sum(one.passed for one in outcomes)} of {len(outcomes)} checks passed.")
    if any(one.result == "failed" for one in outcomes):
        sys.exit(1)
