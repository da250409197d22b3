"""`wkmp status`: what a library holds."""

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
from rich.table import Table

from wkmp_assets.cli.options import (
    AS_JSON_FOR_CI,
    DATABASE,
    FOLDER,
    LIBRARY,
    OUT,
    escape_text,
    exit_on_error,
    explain_no_library,
    find_settings,
    quote_path,
)
from wkmp_assets.db.read.counts import describe_library, read_counts, read_deferred, read_failures
from wkmp_assets.db.read.images import read_cover_paths
from wkmp_assets.db.read.incomplete import read_incomplete
from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.report.text import (
    describe_passed_over,
    describe_warnings,
    explain_incomplete,
    explain_no_song,
    explain_unreadable,
    name_status,
)
from wkmp_assets.runtime.last_scan import read_last_scan


@click.command(epilog="Example: wkmp status ~/Music")
@FOLDER
@LIBRARY
@DATABASE
@AS_JSON_FOR_CI
def status(folder: Path, library: Path | None, database: Path | None, as_json: bool) -> None:
    """Show what the library of FOLDER holds. Exit status 0: shown, or there is none yet; 1: it cannot be read."""
    settings = find_settings(folder, library, database)
    with exit_on_error():
        database = settings.database_path
        report, deferred = read_counts(database), read_deferred(database)
        incomplete, scan = read_incomplete(database), read_last_scan(settings.phase_dir)
        covers = read_cover_paths(database)
        gone = sum(not os.path.exists(path) for path in covers)  # noqa: PTH110 - not one of thousands may raise
        if as_json:
            failed, missing = read_failures(database), read_missing(database)
            found = describe_library(database, report, failed, deferred, missing, incomplete, scan)
            found |= {"covers": len(covers), "covers_gone": gone}
            click.echo(json.dumps(found, indent=2))
            return
    if report is None:
        OUT.print(explain_no_library(settings), soft_wrap=True)
        return
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_row("Library", escape_text(settings.database_path))
    counts = ", ".join(f"{count} {name_status(status)}" for status, count in report.files_by_status.items())
    table.add_row("Files", escape_text(counts) or "none")
    for name, count in report.rows.items():
        table.add_row(name.capitalize(), str(count))
    if report.without_song:
        table.add_row("No song", escape_text(explain_no_song(report.without_song, report.rows["passages"])))
    table.add_row("Failed", f"{report.failures} (see: wkmp failures {quote_path(folder)})" if report.failures else "0")
    if report.warnings.files:
        kinds = escape_text(describe_warnings(report.warnings.files, report.warnings.by_kind))
        table.add_row("Warnings", f"{kinds} (see: wkmp warnings {quote_path(folder)})")
    table.add_row("Missing", f"{report.missing} (see: wkmp missing {quote_path(folder)})" if report.missing else "0")
    if deferred_files := {*deferred.lookups, *deferred.classes}:
        asks = f"wkmp import {quote_path(folder)} --retry-deferred"
        table.add_row("Deferred", f"{len(deferred_files)} files have deferred lookups (to ask again: {asks})")
    for name, said in _lines_of_scan(scan):
        table.add_row(name, escape_text(said))
    if covers:
        table.add_row("Covers", f"{len(covers)}{_explain_gone(gone, folder)}")
    if incomplete:
        table.add_row("Incomplete", escape_text(explain_incomplete(incomplete, shlex.quote(str(folder)))))
    OUT.print(table)


def _lines_of_scan(scan: LibraryChanges | None) -> Iterator[tuple[str, str]]:
    if scan is not None and (passed_over := describe_passed_over(scan)):
        yield "Passed over", passed_over
    if scan is not None and scan.unreadable:
        yield "Unreadable", explain_unreadable(scan)


def _explain_gone(covers: int, folder: Path) -> str:
    if not covers:
        return ""
    are, them = ("is", "it") if covers == 1 else ("are", "them")
    return f" ({covers} {are} gone from disk; to make {them} again: wkmp import {quote_path(folder)} --force)"
