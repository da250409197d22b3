"""`wkmp missing` and `wkmp prune`: the files of a library that are no longer on disk."""

import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

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
    print_about,
    print_json,
    print_table,
    quote_path,
)
from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.model.file_key import is_within
from wkmp_assets.report.text import counted, printable
from wkmp_assets.runtime.loading import loading_modules
from wkmp_assets.settings import Settings

if TYPE_CHECKING:
    from wkmp_assets.db.read.removal import Removable
    from wkmp_assets.orchestration.prune import PrunePlan

_MAX_SHOWN = 50


@click.command(epilog="Example: wkmp missing ~/Music")
@FOLDER
@LIBRARY
@DATABASE
@AS_JSON_FOR_CI
def missing(folder: Path, library: Path | None, database: Path | None, as_json: bool) -> None:
    """List the files in the library of FOLDER that were not on disk at the last scan.

    Exit status 0: listed, whether or not there are any; 1: the library cannot be read.
    """
    settings = find_settings(folder, library, database)
    with exit_on_error():
        within = settings.relative_folder(folder)
        marked = [one for one in read_missing(settings.database_path) if is_within(one.path, within)]
        files = [] if as_json or not marked else _read_removable(settings, [one.path for one in marked])
    if as_json:
        print_json(settings, missing=[asdict(one) for one in marked])
        return
    if not files:
        print_about(settings, "Nothing is missing.")
        return
    print_table(_table(f"{len(files)} missing", files, max_rows=len(files)))
    OUT.print(f"An entry comes back by itself when its file does. To remove these: wkmp prune {quote_path(folder)}")


@click.command(epilog="Example: wkmp prune ~/Music")
@FOLDER
@LIBRARY
@DATABASE
@click.option(
    "--yes", is_flag=True, help="Remove without asking. Without --yes and without a terminal, nothing is removed."
)
@click.option(
    "--with-history",
    is_flag=True,
    help="Also remove files that play history, queue or timeslots refer to, with those rows.",
)
@click.option(
    "--emptied",
    is_flag=True,
    help="Also remove files whose folder exists but is empty, like the mount point of an unplugged disk.",
)
@click.option(
    "--unreadable",
    is_flag=True,
    help="Remove although some folders cannot be read. A missing file may have been moved into one.",
)
@click.option("--dry-run", is_flag=True, help="Only list what would be removed. Write nothing, and do not ask.")
def prune(folder: Path, library: Path | None, database: Path | None, yes: bool, dry_run: bool, **also: bool) -> None:
    """Remove files that are no longer on disk from the library of FOLDER, after listing them.

    Songs, artists, albums and works stay, with their probabilities, cooldowns and lyrics. Exit status 0: done, nothing
    to do, or declined; 1: failed, or refused because the music folder is empty or unreadable or files wait for import.
    """
    settings = find_settings(folder, library, database)
    # Dagster takes two seconds to load, so only the commands that need it do.
    warnings.filterwarnings("ignore", module="dagster")
    from wkmp_assets.orchestration.prune import PruneOptions, plan_prune

    with exit_on_error():
        within = settings.relative_folder(folder)
        plan = plan_prune(settings, within, PruneOptions(**also))
        _print_plan(settings, plan)
        if dry_run:
            OUT.print("Nothing was removed.")
            return
        if not yes and not (plan.removable and _is_confirmed(len(plan.removable))):
            if plan.removable:
                OUT.print("Nothing was removed. Use --yes to remove without being asked.")
            return
        sys.exit(_remove(settings, plan, with_history=also["with_history"]))


def _is_confirmed(files: int) -> bool:
    return sys.stdin.isatty() and click.confirm(f"Remove {counted(files, 'file')} from the library?")


def _print_plan(settings: Settings, plan: "PrunePlan") -> None:
    groups = (
        (plan.removable, "to be removed"),
        (plan.referenced, "kept, because something refers to them (--with-history removes both)"),
        (plan.emptied, "kept, because their folder is empty: is a disk not mounted? (--emptied removes them)"),
        (plan.hidden, "kept, because they may be in a folder that cannot be read (--unreadable removes them)"),
    )
    for files, title in groups:
        if files:
            print_table(_table(f"{len(files)} {title}", files))
    if not any(files for files, _ in groups):
        print_about(settings, "Nothing is missing.")
    elif plan.removable:
        OUT.print(f"To be removed: {escape(_describe_removal(plan.removable))}. Songs, artists, albums and works stay.")
    for part in plan.scan.unreadable:
        OUT.print(f"Cannot read {printable(part)}: the library keeps the files it has there.", markup=False)


def _read_removable(settings: Settings, paths: Sequence[str]) -> "list[Removable]":
    from wkmp_assets.db.read.removal import read_removable  # so that an empty list loads no rows

    return read_removable(settings.database_path, paths)


def _describe_removal(files: "Sequence[Removable]") -> str:
    referring: Counter[str] = Counter()
    for file in files:
        referring.update(file.references)
    passages, edited = sum(len(file.passages) for file in files), sum(file.edited for file in files)
    by_hand = f" ({edited} edited by hand)" if edited else ""
    parts = [
        counted(len(files), "file"),
        counted(passages, "passage") + by_hand,
        counted(sum(file.links for file in files), "link"),
        *[counted(rows, f"row of {table}", f"rows of {table}") for table, rows in referring.items()],
    ]
    return ", ".join(parts)


def _table(title: str, files: "Sequence[Removable]", max_rows: int = _MAX_SHOWN) -> Table:
    more = f" (the first {max_rows})" if len(files) > max_rows else ""
    table = Table(title=escape(title + more), title_justify="left", box=None, pad_edge=False)
    table.add_column("File", overflow="fold")
    table.add_column("Missing since")
    table.add_column("Passages", justify="right")
    table.add_column("Referred to by", overflow="fold")
    for one in files[:max_rows]:
        named = ", ".join(f"{count} {table_name}" for table_name, count in one.references.items())
        since = one.missing_since or "now"
        table.add_row(escape(printable(one.file.path)), since, str(len(one.passages)), escape(named) or "nothing")
    return table


def _remove(settings: Settings, plan: "PrunePlan", *, with_history: bool) -> int:
    with loading_modules():
        from wkmp_assets.cli.importer import open_instance
        from wkmp_assets.orchestration.prune import PruneResult, clean_up, remove_files

    pruned: list[PruneResult] = []
    with open_instance() as instance:
        try:
            for one in remove_files(settings, plan, datetime.now(UTC), with_history=with_history):
                pruned.append(one)
                if one.reason:
                    OUT.print(f"{printable(one.file.file.path)} stays: {one.reason}", markup=False)
        finally:
            receipts = [one.receipt for one in pruned if one.receipt]
            if plan.removable:
                locks = max((receipt.write_locks for receipt in receipts), default=0)
                OUT.print(
                    f"Removed {counted(len(receipts), 'file')}, with at most {counted(locks, 'write lock')} each."
                )
        dropped = clean_up(settings, instance, plan, pruned)
    if dropped.partition_count:
        OUT.print(
            f"Dropped {dropped.partition_count} partitions and {dropped.value_count} stored values of missing files."
        )
    if dropped.cover_count:
        OUT.print(f"Deleted {counted(dropped.cover_count, 'cover')} that nothing uses.")
    if dropped.is_postponed:
        OUT.print("A run waits or is under way. The next prune drops the partitions of the removed files.")
    return 1 if any(one.reason for one in pruned) else 0
