"""`wkmp failures`: the files that could not be imported."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click

from wkmp_assets.cli.failure_table import render_failures
from wkmp_assets.cli.options import (
    AS_JSON_FOR_CI,
    DATABASE,
    FOLDER,
    LIBRARY,
    exit_on_error,
    find_settings,
    print_about,
    print_json,
    print_table,
)
from wkmp_assets.db.read.counts import StoredFailure, read_failures
from wkmp_assets.report.text import counted


@click.command(epilog="Example: wkmp failures ~/Music")
@FOLDER
@LIBRARY
@DATABASE
@AS_JSON_FOR_CI
def failures(folder: Path, library: Path | None, database: Path | None, as_json: bool) -> None:
    """List the files that could not be imported, with cause and next step.

    Exit status 0: there are none; 1: there are some, or the library cannot be read.
    """
    settings = find_settings(folder, library, database)
    with exit_on_error():
        stored = read_failures(settings.database_path)
    if as_json:
        print_json(settings, failures=[asdict(failure) for failure in stored])
    elif stored:
        _print_table(stored)
    else:
        print_about(settings, "Nothing failed.")
    if stored:
        sys.exit(1)


def _print_table(stored: Sequence[StoredFailure]) -> None:
    rows = [(failure.path, replace(failure, message=_with_attempts(failure))) for failure in stored]
    print_table(render_failures(rows, max_rows=len(rows)))


def _with_attempts(failure: StoredFailure) -> str:
    return f"{failure.message} [{counted(failure.attempts, 'attempt')}, last {failure.failed_at} UTC]"
