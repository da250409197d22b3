"""Whether the files of a run got into the library."""

import dagster as dg

from wkmp_assets.db.read.counts import StoredFailure, read_failures
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.checks.findings import plain
from wkmp_assets.orchestration.checks.scope import scope_of
from wkmp_assets.orchestration.resources import Library

_MOST_ROWS = 100


@dg.asset_check(asset=ENTRY)
def files_imported(context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    """No file of the run is among those that could not be imported; run alone, no file of the library.

    A bad file does not fail a run of many: this check does, and names it with its cause and the next step.
    """
    scope = scope_of(context, library)
    paths = {path for _, path in scope.paths()}
    failed = [failure for failure in read_failures(library.database) if failure.path in paths]
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_describe(failed, len(scope.keys)),
        metadata={"files": len(scope.keys), "failed": len(failed), "failures": _table(failed)},
    )


def _describe(failed: list[StoredFailure], files: int) -> str:
    if not failed:
        return f"all {files} files are in the library, or need not be"
    return f"{len(failed)} of {files} files could not be imported, first: {plain(failed[0].message)}"


def _table(failed: list[StoredFailure]) -> dg.TableMetadataValue:
    columns = ("path", "phase", "code", "message", "attempts")
    records = [
        dg.TableRecord({column: getattr(failure, column) for column in columns}) for failure in failed[:_MOST_ROWS]
    ]
    schema = dg.TableSchema([dg.TableColumn(column, "int" if column == "attempts" else "string") for column in columns])
    return dg.TableMetadataValue(records=records, schema=schema)
