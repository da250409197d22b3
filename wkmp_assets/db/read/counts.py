"""Count the rows of a library, and read its failures and deferred lookups."""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.file_warnings import WarningCounts, count_warnings
from wkmp_assets.db.read.incomplete import IncompleteFile
from wkmp_assets.db.read.missing import MissingFile, read_missing
from wkmp_assets.db.read.select import column_list, has_table
from wkmp_assets.db.tables import CLASSES_SOURCE, LOOKUP_SOURCE
from wkmp_assets.model.library_changes import LibraryChanges, PassedOver
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.statuses import FileStatus

_COUNTED = ("passages", "songs", "artists", "albums", "works")


@dataclass(frozen=True)
class LibraryCounts:
    """Counts of one library."""

    files_by_status: dict[str, int]
    rows: dict[str, int]
    """Table -> number of rows, for tables that an import fills."""
    failures: int
    missing: int = 0
    """Number of files that are not on disk."""
    without_song: int = 0
    """Number of passages that are linked to no song."""
    warnings: WarningCounts = field(default_factory=WarningCounts)


@dataclass(frozen=True)
class StoredFailure:
    """One file that could not be imported."""

    path: str
    phase: str
    code: str
    message: str
    attempts: int
    failed_at: str


def read_counts(database: Path) -> LibraryCounts | None:
    """Count what a library holds; None when there is no library yet."""
    with open_reader(database) as connection:
        if connection is None:
            return None
        statuses: dict[str, int] = {}
        if has_table(connection, "files"):
            query = f"""
                SELECT coalesce(status, '{FileStatus.PENDING}') AS status, count(*) AS files
                FROM (SELECT {column_list(connection, "files", ["status"])} FROM files)
                GROUP BY 1 ORDER BY 2 DESC, 1"""  # noqa: S608 - literals only
            for row in connection.execute(query):
                status = row["status"] or FileStatus.PENDING
                statuses[status] = statuses.get(status, 0) + row["files"]
        rows = {table: _count_rows(connection, table) for table in _COUNTED}
        failures = _count_rows(connection, "import_failures")
        without_song = _count_without_song(connection)
        warnings = count_warnings(connection)
    return LibraryCounts(statuses, rows, failures, len(read_missing(database)), without_song, warnings)


def _count_without_song(connection: sqlite3.Connection) -> int:
    if not has_table(connection, "passages") or not has_table(connection, "passage_songs"):
        return _count_rows(connection, "passages")
    query = (
        "SELECT count(*) FROM passages AS p WHERE NOT EXISTS (SELECT 1 FROM passage_songs WHERE passage_id = p.guid)"
    )
    (count,) = connection.execute(query).fetchone()
    return int(count)


def _count_rows(connection: sqlite3.Connection, table: str) -> int:
    if not has_table(connection, table):
        return 0
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - literals only
    return int(count)


def read_failures(database: Path) -> list[StoredFailure]:
    """Read the files that could not be imported, by path."""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "import_failures"):
            return []
        rows = connection.execute("SELECT * FROM import_failures ORDER BY path")
        return [StoredFailure(**dict(row)) for row in rows]


@dataclass(frozen=True)
class Deferred:
    """Files with a passage that waits for a service, as sorted paths."""

    lookups: Sequence[str] = ()
    """Files with a passage whose recording is not known yet."""
    classes: Sequence[str] = ()
    """Files with a known recording for which AcousticBrainz gave no answer. A file may be in both lists."""
    recording: str | None = None
    """MusicBrainz id of a recording that waits for its classes."""


def read_deferred(database: Path) -> Deferred:
    """Read what waits for a service; nothing when there is no library yet."""
    query = """
        SELECT v.source_type, f.path, max(p.recording_mbid) AS recording FROM import_provenance AS v
        JOIN passages AS p ON p.guid = v.passage_id
        JOIN files AS f ON f.guid = p.file_id
        WHERE v.source_type IN (?, ?)
          AND json_extract(iif(json_valid(v.data_extracted), v.data_extracted, '{}'), '$.outcome') = ?
        GROUP BY v.source_type, f.path ORDER BY f.path
    """
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "import_provenance"):
            return Deferred()
        rows = connection.execute(query, (LOOKUP_SOURCE, CLASSES_SOURCE, LookupOutcome.DEFERRED)).fetchall()
    classes = [row for row in rows if row["source_type"] == CLASSES_SOURCE]
    return Deferred(
        [row["path"] for row in rows if row["source_type"] == LOOKUP_SOURCE],
        [row["path"] for row in classes],
        next((row["recording"] for row in classes), None),
    )


def describe_library(
    database: Path,
    report: LibraryCounts | None,
    failures: Sequence[StoredFailure],
    deferred: Deferred,
    missing: Sequence[MissingFile],
    incomplete: Sequence[IncompleteFile] = (),
    scan: LibraryChanges | None = None,
) -> dict[str, object]:
    """Describe a library as plain values for JSON. docs/guide/ci.md documents the keys; none is ever removed."""
    return {
        "schema": 1,
        "database": str(database),
        "exists": report is not None,
        "files": {} if report is None else report.files_by_status,
        "rows": {} if report is None else report.rows,
        "without_song": 0 if report is None else report.without_song,
        "with_warnings": 0 if report is None else report.warnings.files,
        "warnings": {} if report is None else report.warnings.by_kind,
        "failures": [asdict(failure) for failure in failures],
        "deferred": list(deferred.lookups),
        "without_classes": list(deferred.classes),
        "missing": [asdict(file) for file in missing],
        "incomplete": [asdict(file) for file in incomplete],
        "passed_over": [_describe_pattern(one) for one in scan.patterns] if scan else [],
        "unread_formats": dict(scan.unread_formats) if scan else {},
        "ignored": list(scan.ignored) if scan else [],
        "unreadable": list(scan.unreadable) if scan else [],
    }


def _describe_pattern(one: PassedOver) -> dict[str, object]:
    return {"pattern": one.pattern, "source": one.source, "folders": one.folder_count, "files": one.file_count}


@dataclass(frozen=True)
class LeadPointCounts:
    """Lead points of all passages."""

    measured: int = 0
    """Passages with both points."""
    zero: int = 0
    """Of these, passages with both points at their own edge."""
    unknown: int = 0

    @property
    def share_zero(self) -> float:
        """0..1; 0 when nothing was measured."""
        return self.zero / self.measured if self.measured else 0.0


def count_lead_points(database: Path) -> LeadPointCounts:
    """Count the lead points of a library; all 0 when there is none yet."""
    query = """
        SELECT count(*) AS passages, count(lead_in_start_ticks + lead_out_start_ticks) AS measured,
               count(CASE WHEN lead_in_start_ticks = start_time_ticks AND lead_out_start_ticks = end_time_ticks
                     THEN 1 END) AS zero
        FROM passages"""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "passages"):
            return LeadPointCounts()
        row = connection.execute(query).fetchone()
    return LeadPointCounts(row["measured"], row["zero"], row["passages"] - row["measured"])
