"""The asset that registers the partitions; it has none itself."""

from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from wkmp_assets.db.missing_files import mark_missing
from wkmp_assets.db.read.known_files import read_known_files
from wkmp_assets.db.read.missing import read_missing
from wkmp_assets.files.scan import check_not_emptied
from wkmp_assets.model.file_key import encode_key
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Outcomes, Result
from wkmp_assets.model.phases import SCAN
from wkmp_assets.orchestration.better_copies import note_equal_sizes
from wkmp_assets.orchestration.dagster_values import to_table
from wkmp_assets.orchestration.gone_files import drop_gone
from wkmp_assets.orchestration.music_objects import scan_library
from wkmp_assets.orchestration.partitions import partitions_name
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.report.text import describe_passed_over, printable

_MAX_LISTED = 100


class ScanConfig(dg.Config):
    """Which folder to scan."""

    folder: str = Field(
        default="",
        description="Scan only this folder, relative to the music folder, for example Artist/Album. Empty: scan all.",
    )


@dg.asset(name=SCAN, group_name="scan", io_manager_key="phase_store", kinds={"file"})
def library_scan(
    context: dg.AssetExecutionContext, config: ScanConfig, library: dg.ResourceParam[Library]
) -> Outcomes[LibraryChanges]:
    """The audio files of the music folder, each registered as a partition of the other assets.

    Materialize it first when new music is not listed yet. It finds audio files by name and counts which are new,
    changed, unchanged or missing in the library. It opens no file. Missing files, and files that are found again, are
    marked in the library in one transaction. Snapshots, recycle bins and other names that a pattern matches are passed
    over and counted. The partitions of moved and deleted files are dropped, unless a run names
    them. Stale when files are added, changed or removed.
    """
    known = read_known_files(library.database)
    changes, report = scan_library(library.settings, config.folder, known, library.ignore_rules)
    name = partitions_name(library.settings)
    if not changes.folder:
        check_not_emptied(library.root, changes, len(context.instance.get_dynamic_partitions(name)))
    note_equal_sizes(library.settings, changes, report)
    keys = [encode_key(path) for path in (*changes.new, *changes.changed, *changes.unchanged)]
    context.instance.add_dynamic_partitions(name, sorted(keys))
    gone = drop_gone(library.settings, context.instance, changes)
    gone.log(context.log)
    marks = mark_missing(library.database, changes, datetime.now(UTC))
    said = describe_passed_over(changes)
    if said:
        context.log.info("passed over: %s", said)
    for folder in changes.unreadable:
        context.log.warning(
            "%s cannot be read: its files stay in the library; check its permissions", library.root / folder
        )
    missing = [{"file": file.path, "missing_since": file.missing_since} for file in read_missing(library.database)]
    context.add_output_metadata(
        {
            "files": len(keys),
            "new": len(changes.new),
            "changed": len(changes.changed),
            "unchanged": len(changes.unchanged),
            "missing": len(changes.missing),
            "newly_missing": len(marks.changes.missing),
            "found_again": len(marks.changes.found),
            "partitions_dropped": len(gone.dropped),
            "partitions_kept_for_runs": len(gone.kept),
            "write_locks": marks.receipt.write_locks if marks.receipt else 0,
            "missing_files": to_table(("file", "missing_since"), missing),
            "not_looked_at": len(changes.unknown),
            "ignored_in_library": len(changes.ignored),
            "passed_over": len(changes.passed_over),
            "passed_over_by_pattern": said or "nothing",
            "patterns": to_table(
                ("pattern", "written_in", "folders", "files"),
                [
                    {
                        "pattern": printable(one.pattern),
                        "written_in": printable(one.source) or "built in",
                        "folders": one.folder_count,
                        "files": one.file_count,
                    }
                    for one in changes.patterns[:_MAX_LISTED]
                ],
            ),
            "what_was_passed_over": dg.MetadataValue.json(list(changes.passed_over[:_MAX_LISTED])),
            "unreadable_folders": dg.MetadataValue.json(list(changes.unreadable[:_MAX_LISTED])),
            "ignored_by_extension": dg.MetadataValue.json(report.ignored_by_extension),
        }
    )
    return {SCAN: Result(changes, content_hash="")}
