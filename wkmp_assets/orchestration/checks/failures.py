"""The check that every file got into the library."""

from collections import Counter
from collections.abc import Mapping, Sequence

import dagster as dg

from wkmp_assets.db.read.counts import StoredFailure, read_failures
from wkmp_assets.db.read.known_files import read_known_by_path
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.model.statuses import FINISHED, FileStatus
from wkmp_assets.orchestration.checks.findings import escape_markdown
from wkmp_assets.orchestration.checks.scope import find_scope
from wkmp_assets.orchestration.dagster_values import to_table
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.report.text import counted

_COLUMNS = ("path", "phase", "code", "message", "attempts")


@dg.asset_check(asset=ENTRY)
def files_imported(context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """No file of the library is recorded as failed.

    A file that cannot be imported does not stop the others, so a run of many files succeeds without it. This check
    then fails and names the file, with the cause and the next step. It keeps failing after runs of other files, until
    the file is repaired or removed.
    """
    scope = find_scope(context, library)
    paths = {path for _, path in scope.paths()}
    failed = read_failures(library.database)
    known = read_known_by_path(library.database, sorted(paths)) if not failed else {}
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_describe(failed, Counter(file.status for file in known.values()), len(scope.keys)),
        metadata={
            "files": len(scope.keys),
            "failed": len(failed),
            "failures": to_table(_COLUMNS, [vars(failure) for failure in failed]),
        },
    )


def _describe(failed: Sequence[StoredFailure], statuses: Mapping[str, int], file_count: int) -> str:
    if failed:
        return f"{counted(len(failed), 'file')} could not be imported. First: {escape_markdown(failed[0].message)}"
    imported = sum(statuses.get(status, 0) for status in FINISHED)
    parts = [
        (statuses.get(FileStatus.DUPLICATE_HASH, 0), "duplicate", "duplicates"),
        (statuses.get(FileStatus.NO_AUDIO, 0), "without audio", "without audio"),
        (file_count - imported, "moved, deleted or in another run", "moved, deleted or in another run"),
    ]
    listed = ", ".join(counted(number, one, many) for number, one, many in parts if number)
    return f"{imported} of {file_count} files imported{f' ({listed})' if listed else ''}"
