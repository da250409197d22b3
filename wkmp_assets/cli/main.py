"""The `wkmp` command: import a folder, show what its library holds, list what failed.

Exit status 0: nothing failed; 1: a file or the run failed; 2: the command line or a setting is wrong.
"""

import json
import os
import shlex
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from wkmp_assets.cli.accepted_key import accept_key_command
from wkmp_assets.cli.duplicates import duplicates
from wkmp_assets.cli.file_warnings import list_warnings
from wkmp_assets.cli.missing import missing, prune
from wkmp_assets.cli.options import (
    DATABASE,
    ERR,
    FOLDER,
    LIBRARY,
    OUT,
    escape_text,
    exit_on_error,
    find_settings,
    quote_path,
)
from wkmp_assets.cli.progress import ImportProgress
from wkmp_assets.cli.signals import run_until_stopped
from wkmp_assets.cli.summary import ImportSummary, is_in_library, is_waiting, render_failures
from wkmp_assets.db.kept_open import keep_open
from wkmp_assets.db.read.counts import describe_library, read_counts, read_deferred, read_failures
from wkmp_assets.db.read.images import read_cover_paths
from wkmp_assets.db.read.incomplete import IncompleteFile, read_incomplete
from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.model.file_key import decode_key, encode_key, is_within
from wkmp_assets.model.lead_presets import LeadPreset
from wkmp_assets.model.outcomes import Failed, Result, Skipped, join
from wkmp_assets.model.phases import LEAD_POINTS, MATCHES, PICTURE, SCAN, SEGMENTS
from wkmp_assets.orchestration.retry_deferred import plan_retry
from wkmp_assets.orchestration.workers import open_workers
from wkmp_assets.report.file_picture import draw_picture
from wkmp_assets.report.text import (
    describe_passed_over,
    describe_warnings,
    explain_ignored,
    explain_incomplete,
    explain_no_song,
    name_status,
    printable,
)
from wkmp_assets.runtime.atomic_files import write_atomically
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wkmp_assets.cli.importer import LibraryImporter
    from wkmp_assets.model.batch import FileCommit
    from wkmp_assets.model.values import LibraryChanges
    from wkmp_assets.orchestration.run_requests.ranges import FileRange
    from wkmp_assets.runtime.worker_pool import WorkerPool


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wkmp-assets")
def main() -> None:
    """Import music into a WKMP library, one transaction per file."""


@main.command("import")
@FOLDER
@LIBRARY
@DATABASE
@click.option("--force", is_flag=True, help="Import files again that are in the library already.")
@click.option("--complete", is_flag=True, help="Also complete the files that WKMP marked complete but left half-made.")
@click.option(
    "--retry-deferred",
    is_flag=True,
    help="Import nothing; ask AcoustID, MusicBrainz and AcousticBrainz again where they gave no answer.",
)
@click.option(
    "--preset",
    type=click.Choice([one.value for one in LeadPreset]),
    help="Kind of music: sets how lead points are found. Default: the settings of the library.",
)
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes. Default: CPU count + 1.")
def import_command(
    folder: Path,
    library: Path | None,
    database: Path | None,
    force: bool,
    complete: bool,
    retry_deferred: bool,
    preset: str | None,
    workers: int | None,
) -> None:
    """Import all new and changed audio files below FOLDER.

    You can stop it with Ctrl-C and run it again. A file is in the library wholly or not at all. Unchanged files are
    skipped.
    """
    if force and retry_deferred:
        raise click.UsageError("--force imports every file again, --retry-deferred imports none; give only one of them")
    if complete and retry_deferred:
        raise click.UsageError("--complete imports files, --retry-deferred imports none; give only one of them")
    if preset and retry_deferred:
        raise click.UsageError("--retry-deferred keeps the lead points; use --force to change them")
    settings = find_settings(folder, library, database, workers)
    with exit_on_error():
        choices = {"force": force, "complete": complete, "retry_deferred": retry_deferred}
        sys.exit(_import(folder, settings, preset=preset, **choices))


@main.command()
@FOLDER
@LIBRARY
@DATABASE
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs; docs/guide/ci.md describes its fields.")
def status(folder: Path, library: Path | None, database: Path | None, as_json: bool) -> None:
    """Show what the library of FOLDER holds."""
    settings = find_settings(folder, library, database)
    with exit_on_error():
        database = settings.database_path
        report, deferred = read_counts(database), read_deferred(database)
        incomplete, scan = read_incomplete(database), _read_last_scan(settings)
        covers = read_cover_paths(database)
        gone = sum(not os.path.exists(path) for path in covers)  # noqa: PTH110 - not one of thousands may raise
        if as_json:
            failed, missing = read_failures(database), read_missing(database)
            found = describe_library(database, report, failed, deferred, missing, incomplete, scan)
            found |= {"covers": len(covers), "covers_gone": gone}
            click.echo(json.dumps(found, indent=2))
            return
    if report is None:
        database_path = escape_text(settings.database_path)
        OUT.print(f"No library yet at {database_path}; make one with: wkmp import {quote_path(folder)}")
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
    if scan is not None and (passed_over := describe_passed_over(scan)):
        table.add_row("Passed over", escape_text(passed_over))
    if covers:
        table.add_row("Covers", f"{len(covers)}{_explain_gone(gone, folder)}")
    if incomplete:
        table.add_row("Incomplete", escape_text(explain_incomplete(incomplete, shlex.quote(str(folder)))))
    OUT.print(table)


def _read_last_scan(settings: Settings) -> "LibraryChanges | None":
    """Return what the last `library_scan` found; None before the first."""
    stored = PhaseStore(settings.phase_dir).read_stored(SCAN, SCAN)
    return stored.value if isinstance(stored, Result) else None


def _explain_gone(covers: int, folder: Path) -> str:
    if not covers:
        return ""
    are, them = ("is", "it") if covers == 1 else ("are", "them")
    return f" ({covers} {are} gone from disk; to make {them} again: wkmp import {quote_path(folder)} --force)"


@main.command()
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
    OUT.print(render_failures(rows, max_rows=len(rows)))
    sys.exit(1)


@main.command()
@FOLDER
@LIBRARY
@DATABASE
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: in the state folder.")
def report(folder: Path, library: Path | None, database: Path | None, output: Path | None) -> None:
    """Write a report on the library of FOLDER as one HTML page, which opens in any browser without a network."""
    settings = find_settings(folder, library, database)
    # Dagster keeps the receipts. It takes two seconds to load, so only the commands that need it do.
    warnings.filterwarnings("ignore", module="dagster")
    from wkmp_assets.cli.importer import open_instance
    from wkmp_assets.orchestration.write_report import write_report

    path = (output or settings.report_path).absolute()
    with exit_on_error(), open_instance() as instance:
        write_report(settings, instance, path)
    click.echo(os.fsencode(path))


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@LIBRARY
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: in the state folder.")
def picture(file: Path, library: Path | None, output: Path | None) -> None:
    """Draw FILE as a PNG: its level, passages, silences, lead points and names, as the import found them."""
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
        write_atomically(path, draw_picture(decode_key(key), *found.value))
    click.echo(os.fsencode(path))


def _import(folder: Path, settings: Settings, *, preset: str | None, **choices: bool) -> int:
    started = time.monotonic()
    control = RunControl()
    workers = open_workers(settings, control)
    try:
        if not settings.database_path.exists():
            workers.start()  # a first import has files to measure; the workers start while Dagster loads
        return _import_with(workers, control, started, folder, settings, preset=preset, **choices)
    finally:
        workers.shut_down()


def _import_with(
    workers: "WorkerPool",
    control: RunControl,
    started: float,
    folder: Path,
    settings: Settings,
    *,
    force: bool,
    complete: bool,
    retry_deferred: bool,
    preset: str | None,
) -> int:
    # Dagster takes two seconds to load: `wkmp status` should not wait for it.
    warnings.filterwarnings("ignore", module="dagster")
    from wkmp_assets.cli.importer import LibraryImporter, open_instance

    kind = LeadPreset(preset) if preset else None
    summary = ImportSummary()
    with (
        open_instance() as instance,
        keep_open(settings.database_path),
    ):
        importer = LibraryImporter(settings, instance, control, workers)
        importer.check_settings()
        changes = importer.scan(settings.relative_folder(folder))
        if retry_deferred:
            on_disk = {*changes.unchanged, *changes.to_import}
            retry = plan_retry(settings)
            wanted = tuple(path for path in retry.paths if path in on_disk)
            todo = f"{len(wanted)} to look up again"
            summary.not_asked = str(retry)
        else:
            half_made = {file.path for file in read_incomplete(settings.database_path)} if complete else set()
            again = tuple(path for path in changes.unchanged if force or path in half_made)
            wanted = changes.to_import + again
            summary.unchanged = len(changes.unchanged) - len(again)
            todo = f"{len(wanted)} to import, {summary.unchanged} unchanged"
        summary.not_looked_at, summary.passed_over = len(changes.unknown), changes.passed_over
        summary.passed_over_by_name, summary.ignored = describe_passed_over(changes), explain_ignored(changes)
        if not wanted and not changes.unchanged:
            OUT.print(f"No audio files below {escape_text(folder)}.")
            if summary.passed_over or summary.passed_over_by_name:
                OUT.print(summary.render(time.monotonic() - started))
            return 0
        if wanted:
            importer.check_key()
            if not retry_deferred:
                workers.start()
        ranges = importer.plan(wanted)
        progress = ImportProgress(importer.estimate_work(ranges), ERR)
        control.on_work = progress.file_measured
        keys = frozenset(encode_key(path) for path in wanted)
        control.on_commit = lambda commit: _record_commit(commit, summary if commit.key in keys else None, progress)
        OUT.print(f"{todo}, in {escape_text(settings.library)}")
        runs = (
            importer.retry(ranges)
            if retry_deferred
            else _run_twice(importer, ranges, summary, {"force": force, "complete": complete, "preset": kind})
        )
        with progress.shown():
            run_until_stopped(lambda: list(runs), lambda: _stop(control))
        # The import may have found some of the missing files under new names.
        still = {file.path for file in read_missing(settings.database_path)}
        summary.missing = len(still.intersection(changes.missing))
        summary.incomplete = _find_incomplete(folder, settings, changes)
        summary.not_begun = len(keys) - sum(summary.results.values()) - len(summary.waiting)
    OUT.print(summary.render(time.monotonic() - started))
    if control.is_stopping:
        safe = f"{summary.safe} of {len(keys)} files are safely in the library"
        OUT.print(f"\nStopped. {safe}; go on with: wkmp import {quote_path(folder)}")
    return 1 if summary.has_failures or control.is_stopping else 0


def _run_twice(
    importer: "LibraryImporter", ranges: "Sequence[FileRange]", summary: ImportSummary, choices: dict[str, Any]
) -> "Iterator[FileRange]":
    """Import the ranges, then the files that waited for a better copy in a later range."""
    yield from importer.run(ranges, **choices)
    again = importer.plan([decode_key(key) for key in sorted(summary.waiting)])
    yield from importer.run(again, **choices)


def _find_incomplete(folder: Path, settings: Settings, changes: "LibraryChanges") -> list[IncompleteFile]:
    """Return the files below a folder that WKMP left half-made."""
    within, on_disk = settings.relative_folder(folder), {*changes.unchanged, *changes.to_import}
    found = [file for file in read_incomplete(settings.database_path) if is_within(file.path, within)]
    unseen = "the scan did not find it"
    return [
        file if file.cannot_because or file.path in on_disk else replace(file, cannot_because=unseen) for file in found
    ]


def _stop(control: RunControl) -> None:
    ERR.print("Stopping: what is finished goes into the library (Ctrl-C again ends at once) ...")
    control.request_stop()


def _record_commit(commit: "FileCommit", summary: ImportSummary | None, progress: ImportProgress) -> None:
    if summary is not None:  # None for a file that lies in the range and was not asked for
        summary.add(commit)
    if not is_waiting(commit):  # it comes a second time
        progress.file_done(commit.key, is_in_library=is_in_library(commit))


main.add_command(missing)
main.add_command(prune)
main.add_command(list_warnings)
main.add_command(duplicates)
main.add_command(accept_key_command)


if __name__ == "__main__":
    main()
