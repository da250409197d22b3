"""The check that what the last scan found is in the library."""

from collections.abc import Sequence

import dagster as dg

from wkmp_assets.db.read.counts import read_failures
from wkmp_assets.db.read.known_files import read_known_by_path
from wkmp_assets.errors import AudioFileError
from wkmp_assets.files.changes import is_unchanged
from wkmp_assets.files.identity import look_at
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.outcomes import Result
from wkmp_assets.model.phases import REPORT, SCAN
from wkmp_assets.orchestration.checks.findings import escape_markdown
from wkmp_assets.orchestration.checks.results import warn_unless
from wkmp_assets.orchestration.dagster_values import to_table
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.report.text import counted, explain_unreadable

_REMEDY = "Import them with `wkmp import`, or switch `new_files_sensor` on."


@dg.asset_check(asset=REPORT)
def scanned_files_imported(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """Every file that the last scan found is in the library, or recorded as failed, and it could read every folder.

    It tells how fresh `library_entry` is. A time limit would not: a collection to which nobody adds music is fresh. The
    report is written when imports have ended, so the check does not judge half of an import.
    """
    stored = library.phases.read_stored(SCAN, SCAN)
    if not isinstance(stored, Result):
        return warn_unless(True, "nothing to judge: the music folder was never scanned", {"waiting": 0})
    waiting = _waiting(library, [*stored.value.new, *stored.value.changed])
    table = {"files": to_table(("file",), [{"file": path} for path in waiting])} if waiting else {}
    said = "every file that the last scan found is in the library, or recorded as failed"
    if waiting:
        first = escape_markdown(waiting[0])
        said = f"{counted(len(waiting), 'file')} of the last scan not imported. First: {first}. {_REMEDY}"
    unreadable = stored.value.unreadable
    if unreadable:
        cannot = f"The last scan could not read everything: {escape_markdown(explain_unreadable(stored.value))}."
        said = f"{said} {cannot}" if waiting else cannot
    return warn_unless(
        not (waiting or unreadable), said, {"waiting": len(waiting), "unreadable": len(unreadable), **table}
    )


def _waiting(library: Library, paths: Sequence[str]) -> list[str]:
    """Return which of some files are on disk, but not as they are in the library, and have not failed."""
    failed = {failure.path for failure in read_failures(library.database)}
    known = read_known_by_path(library.database, paths)
    return [path for path in paths if path not in failed and _waits(library, path, known.get(path))]


def _waits(library: Library, path: str, known: KnownFile | None) -> bool:
    try:
        return not library.is_ignored(path) and not is_unchanged(known, look_at(library.root, path))
    except AudioFileError:  # it is gone since, or cannot be read, which the next import says
        return False
