"""`wkmp import`: run the import, show its progress, and say what it did."""

import logging
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

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
from wkmp_assets.cli.summary import ImportSummary, is_in_library, is_waiting
from wkmp_assets.db.kept_open import keep_open
from wkmp_assets.db.read.incomplete import IncompleteFile, read_incomplete
from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.db.read.outdated_flavors import read_outdated_flavors, read_without_loudness
from wkmp_assets.model.file_key import decode_key, encode_key, is_within
from wkmp_assets.model.lead_presets import LeadPreset
from wkmp_assets.model.outcomes import Failed
from wkmp_assets.orchestration.workers import open_workers
from wkmp_assets.report.partition_metadata import name_result
from wkmp_assets.report.text import (
    describe_passed_over,
    explain_ignored,
    explain_unreadable,
)
from wkmp_assets.runtime.loading import loading_modules
from wkmp_assets.runtime.run_control import RunControl
from wkmp_assets.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from wkmp_assets.cli.importer import LibraryImporter
    from wkmp_assets.model.batch import FileCommit
    from wkmp_assets.model.library_changes import LibraryChanges
    from wkmp_assets.orchestration.run_requests.ranges import FileRange
    from wkmp_assets.runtime.worker_pool import WorkerPool

_LOG = logging.getLogger(__name__)


@click.command("import", epilog="Example: wkmp import ~/Music")
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
    "--reflavor",
    is_flag=True,
    help="Import nothing; measure flavors of earlier versions again, from the PCM that is kept.",
)
@click.option(
    "--decode",
    is_flag=True,
    help="With --reflavor: also decode files without a loudness, which the kept PCM cannot give.",
)
@click.option(
    "--preset",
    type=click.Choice([one.value for one in LeadPreset]),
    help="Kind of music: sets how lead points are found. Default: the settings of the library.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and how long it would take. Write nothing.")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes. Default: CPU count + 1.")
def import_command(
    folder: Path,
    library: Path | None,
    database: Path | None,
    force: bool,
    complete: bool,
    retry_deferred: bool,
    reflavor: bool,
    decode: bool,
    preset: str | None,
    dry_run: bool,
    workers: int | None,
) -> None:
    """Import all new and changed audio files below FOLDER.

    You can stop it with Ctrl-C and run it again. A file is in the library wholly or not at all. Unchanged files are
    skipped. Exit status 0: all files are in the library; 1: some failed, or a folder cannot be read, or the import was
    stopped, or the library cannot be used; 2: the command or a setting is wrong.
    """
    if force and retry_deferred:
        raise click.UsageError("--force imports every file again, --retry-deferred imports none; give only one of them")
    if complete and retry_deferred:
        raise click.UsageError("--complete imports files, --retry-deferred imports none; give only one of them")
    if preset and retry_deferred:
        raise click.UsageError("--retry-deferred keeps the lead points; use --force to change them")
    if reflavor and (force or complete or retry_deferred or preset):
        raise click.UsageError("--reflavor imports nothing and changes only flavors; give it alone")
    if dry_run and (retry_deferred or reflavor):
        raise click.UsageError(
            "--dry-run is about new and changed files; give it without --retry-deferred or --reflavor"
        )
    if decode and not reflavor:
        raise click.UsageError("--decode goes with --reflavor; an import decodes what is new anyway")
    settings = find_settings(folder, library, database, workers)
    with exit_on_error():
        if dry_run:
            from wkmp_assets.cli.dry_run import print_import_preview  # loads what scans folders

            sys.exit(print_import_preview(folder, settings, force=force, complete=complete))
        choices = {"force": force, "complete": complete, "retry_deferred": retry_deferred, "reflavor": reflavor}
        try:
            sys.exit(_import(folder, settings, preset=preset, decode=decode, **choices))
        except KeyboardInterrupt:  # before the work began, or for the second time
            ERR.print(f"Stopped; go on with: wkmp import {quote_path(folder)}", soft_wrap=True)
            sys.exit(1)


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
    reflavor: bool,
    decode: bool,
    preset: str | None,
) -> int:
    # Dagster takes two seconds to load, and the workers start meanwhile.
    warnings.filterwarnings("ignore", module="dagster")
    with loading_modules():
        from wkmp_assets.cli.importer import LibraryImporter, open_instance
        from wkmp_assets.orchestration.retry_deferred import plan_retry

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
        elif reflavor:
            wanted = _find_outdated(settings, changes, summary, decode=decode)
            todo = f"{len(wanted)} with a flavor of an earlier version"
        else:
            half_made = {file.path for file in read_incomplete(settings.database_path)} if complete else set()
            again = tuple(path for path in changes.unchanged if force or path in half_made)
            wanted = changes.to_import + again
            summary.unchanged = len(changes.unchanged) - len(again)
            todo = f"{len(wanted)} to import, {summary.unchanged} unchanged"
        summary.not_looked_at, summary.passed_over = len(changes.unknown), changes.passed_over
        summary.passed_over_by_name, summary.ignored = describe_passed_over(changes), explain_ignored(changes)
        summary.unreadable = explain_unreadable(changes)
        if not wanted and not changes.unchanged:
            OUT.print(f"No audio files below {escape_text(folder)}.")
            if summary.passed_over or summary.passed_over_by_name:
                OUT.print(summary.render(time.monotonic() - started))
            return 1 if summary.has_failures else 0
        if wanted:
            importer.check_key()
            if not retry_deferred:
                workers.start()
        ranges = importer.plan(wanted)
        progress = ImportProgress(importer.estimate_work(ranges), ERR, lambda: workers.far_slots)
        control.on_work = progress.file_measured
        keys = frozenset(encode_key(path) for path in wanted)
        control.on_commit = lambda commit: _record_commit(commit, summary if commit.key in keys else None, progress)
        OUT.print(f"{todo}, in {escape_text(settings.library)}")
        if retry_deferred:
            runs = importer.retry(ranges)
        elif reflavor:
            runs = importer.reflavor(ranges, decode=decode)
        else:
            choices = {"force": force, "complete": complete, "preset": kind}
            runs = run_until_none_waits(importer, ranges, summary.waiting, choices)
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


def _find_outdated(
    settings: Settings, changes: "LibraryChanges", summary: ImportSummary, *, decode: bool
) -> tuple[str, ...]:
    """Return the files whose flavor, or with `decode` whose loudness, is of an earlier version."""
    outdated = read_outdated_flavors(settings.database_path)
    unheard = read_without_loudness(settings.database_path)
    if decode:
        outdated |= unheard.keys()
    else:
        summary.without_loudness = sum(unheard.get(path, 0) for path in changes.unchanged)
    return tuple(path for path in changes.unchanged if path in outdated)


def run_until_none_waits(
    importer: "LibraryImporter", ranges: "Sequence[FileRange]", waiting: "Collection[str]", choices: dict[str, Any]
) -> "Iterator[FileRange]":
    """Import the ranges, then only the files that waited for a better copy in a later range.

    One of them may then wait for another one, when the best of three has failed. So this ends when none waits any more.

    Parameters
    ----------
    importer : LibraryImporter
        Of the library.
    ranges : sequence of FileRange
        What it planned.
    waiting : collection of str
        Partition keys that wait, by the commits so far (`ImportSummary.waiting`). It is read after the last range.
    choices : dict of str to Any
        Keyword arguments of `LibraryImporter.run`.
    """
    yield from importer.run(ranges, **choices)
    before: frozenset[str] = frozenset()
    while waiting and before != frozenset(waiting):
        before = frozenset(waiting)
        again = importer.plan([decode_key(key) for key in sorted(before)], only=True)
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
    if isinstance(commit.outcome, Failed):
        _LOG.info("failed: %s", commit.outcome.message)
    else:
        _LOG.debug("%s: %s", decode_key(commit.key), name_result(commit))
    if summary is not None:  # None for a file that lies in the range and was not asked for
        summary.add(commit)
    if not is_waiting(commit):  # it comes a second time
        progress.file_done(commit.key, is_in_library=is_in_library(commit))
