"""Phases 7 and 10: the entry of a file, which its IO manager commits in one transaction."""

import dagster as dg

from wkmp_assets.model.file_entry import FileEntry, assemble_entry
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcomes
from wkmp_assets.model.phases import ENTRY
from wkmp_assets.model.values import (
    FileIdentity,
    FileTags,
    Fingerprints,
    Flavors,
    LeadPoints,
    PassageSegments,
    SongMatches,
)


@dg.asset(name=ENTRY, group_name="import", io_manager_key="library_db", kinds={"sqlite"})
def library_entry(
    context: dg.AssetExecutionContext,
    file_identity: Outcomes[FileIdentity],
    file_tags: Outcomes[FileTags],
    passage_segments: Outcomes[PassageSegments],
    fingerprints: Outcomes[Fingerprints],
    song_matches: Outcomes[SongMatches],
    lead_points: Outcomes[LeadPoints],
    flavors: Outcomes[Flavors],
) -> Outcomes[FileEntry]:
    """The file in the library `wkmp.db`, with its passages, songs, artists, albums and works, wholly or not at all.

    The player reads it there. The metadata shows what was found, and the receipt of the file's one transaction as
    SQLite reported it: locks, statements, rows, times. A file that cannot be imported leaves one row in
    `import_failures` instead, and the check `files_imported` fails. Stale when an earlier phase of the file changes.
    """
    phases = (file_tags, passage_segments, fingerprints, song_matches, lead_points, flavors)
    return {
        key: assemble_entry(key, decode_key(key), file_identity[key], [phase[key] for phase in phases])
        for key in sorted(context.partition_keys)
    }
