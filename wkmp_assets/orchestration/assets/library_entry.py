"""Phases 7 and 10: the entry of a file, which its IO manager commits in one transaction."""

from dataclasses import replace

import dagster as dg

from wkmp_assets.audio.covers.placing import place_covers
from wkmp_assets.db.read.known_files import read_known_by_path
from wkmp_assets.errors import IMPORT_WITH_FORCE
from wkmp_assets.model.file_entry import FileEntry, assemble_entry
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.outcomes import Failed, Outcome, Outcomes, Result
from wkmp_assets.model.phases import ENTRY, IDENTITY
from wkmp_assets.model.values import (
    FileIdentity,
    FileTags,
    Fingerprints,
    Flavors,
    LeadPoints,
    PassageSegments,
    SongMatches,
)
from wkmp_assets.orchestration.instance.dagster_api import executes_asset
from wkmp_assets.orchestration.resources import Library


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
    library: dg.ResourceParam[Library],
) -> Outcomes[FileEntry]:
    """The file in the library `wkmp.db`, wholly or not at all: passages, songs, artists, albums, works, covers.

    The player reads it there. The metadata shows what was found, and the receipt of the file's one transaction as
    SQLite reported it: locks, statements, rows, times. A file that cannot be imported leaves one row in
    `import_failures` instead, and the check `files_imported` fails. Stale when an earlier phase of the file changes.
    """
    identities = file_identity if executes_asset(context, IDENTITY) else _require_present(library, file_identity)
    phases = (file_tags, passage_segments, fingerprints, song_matches, lead_points, flavors)
    entries = {
        key: assemble_entry(key, decode_key(key), identities[key], [phase[key] for phase in phases])
        for key in sorted(context.partition_keys)
    }
    return {
        key: replace(entry, value=place_covers(entry.value, library.covers)) if isinstance(entry, Result) else entry
        for key, entry in entries.items()
    }


def _require_present(library: Library, identities: Outcomes[FileIdentity]) -> dict[str, Outcome[FileIdentity]]:
    """Return stored identities, `Failed` for files whose content in the library another import has replaced since."""
    known = read_known_by_path(library.database, [decode_key(key) for key in identities])

    def require(key: str, outcome: Outcome[FileIdentity]) -> Outcome[FileIdentity]:
        if not isinstance(outcome, Result) or _is_present(outcome.value, known.get(decode_key(key))):
            return outcome
        message = f"{key}: the library has other content of the file than its phases; {IMPORT_WITH_FORCE}"
        return Failed(ENTRY, "STALE_PHASE_VALUE", message)

    return {key: require(key, outcome) for key, outcome in identities.items()}


def _is_present(identity: FileIdentity, known: KnownFile | None) -> bool:
    """Tell whether the library has of a file what it had when the file was identified, or its content already."""
    return known is None or known.content_hash in {identity.content_hash, identity.replaces}
