"""The one asset that is not partitioned: it makes the partitions."""

import dagster as dg
from pydantic import Field

from wkmp_assets.db.reader import known_files
from wkmp_assets.library.file_key import encode_key
from wkmp_assets.library.scan import scan_folder
from wkmp_assets.model.phases import SCAN
from wkmp_assets.model.values import LibraryChanges
from wkmp_assets.outcomes import Outcomes, Result
from wkmp_assets.partitions import partitions_name
from wkmp_assets.resources import Library


class ScanConfig(dg.Config):
    """Where to look."""

    folder: str = Field(
        default="",
        description="Look only in this folder, given from the library's root on, as in Artist/Album; empty: all.",
    )


@dg.asset(name=SCAN, group_name="scan", io_manager_key="phase_store", kinds={"filesystem"})
def library_scan(
    context: dg.AssetExecutionContext, config: ScanConfig, library: dg.ResourceParam[Library]
) -> Outcomes[LibraryChanges]:
    """The audio files of the music folder: each is a partition of the other assets from now on.

    Start here when new music is not listed yet. Finds audio files by name, registers a partition for each, and compares
    them with the library: new, changed, unchanged, missing. Opens no file and writes nothing to the library. Stale
    whenever files were added, changed or removed.
    """
    changes, report = scan_folder(library.root, config.folder, known_files(library.database))
    keys = [encode_key(path) for path in (*changes.new, *changes.changed, *changes.unchanged)]
    context.instance.add_dynamic_partitions(partitions_name(library.settings), sorted(keys))
    context.add_output_metadata(
        {
            "files": len(keys),
            "new": len(changes.new),
            "changed": len(changes.changed),
            "unchanged": len(changes.unchanged),
            "missing": len(changes.missing),
            "missing_files": dg.MetadataValue.json(list(changes.missing[:100])),
            "passed_over": len(changes.passed_over),
            "what_was_passed_over": dg.MetadataValue.json(list(changes.passed_over[:100])),
            "unreadable_folders": dg.MetadataValue.json(report.unreadable_folders[:100]),
            "ignored_by_extension": dg.MetadataValue.json(report.ignored_by_extension),
        }
    )
    return {SCAN: Result(changes, content_hash="")}
