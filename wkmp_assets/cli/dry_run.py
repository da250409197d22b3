"""`wkmp import --dry-run`: what an import would do."""

from collections.abc import Sequence
from pathlib import Path

from wkmp_assets.cli.options import OUT, escape_text
from wkmp_assets.orchestration.preview import preview_import
from wkmp_assets.report.text import clock, counted, describe_passed_over, explain_unreadable
from wkmp_assets.settings import Settings

MAX_LISTED = 20


def print_import_preview(folder: Path, settings: Settings, *, force: bool, complete: bool) -> int:
    """Print what an import of a folder would do, and return the exit status 0."""
    preview = preview_import(settings, settings.relative_folder(folder), force=force, complete=complete)
    _list("imported", preview.imported)
    _list("moved in the library", [f"{before} -> {now}" for before, now in preview.moved])
    _list("marked as missing", preview.newly_missing)
    OUT.print(f"{preview.unchanged} unchanged.")
    passed_over = describe_passed_over(preview.scan)
    if passed_over:
        OUT.print(escape_text(f"Passed over: {passed_over}."), soft_wrap=True)
    if preview.scan.unreadable:
        OUT.print(escape_text(f"{explain_unreadable(preview.scan)}."), soft_wrap=True)
    if preview.imported:
        OUT.print(f"It would take about {clock(preview.seconds, 0)}, by the formats and sizes of the files.")
    OUT.print("Nothing was written.")
    return 0


def _list(what: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    OUT.print(f"{counted(len(lines), 'file')} would be {what}:")
    for line in lines[:MAX_LISTED]:
        OUT.print(escape_text(f"  {line}"), soft_wrap=True)
    if len(lines) > MAX_LISTED:
        OUT.print(f"  and {len(lines) - MAX_LISTED} more")
