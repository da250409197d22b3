"""The type of each phase's value."""

from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.phases import (
    ENTRY,
    FINGERPRINTS,
    FLAVORS,
    IDENTITY,
    LEAD_POINTS,
    LOOKUPS,
    MATCHES,
    SCAN,
    SEGMENTS,
    TAGS,
)
from wkmp_assets.model.values import (
    FileIdentity,
    FileTags,
    Fingerprints,
    Flavors,
    LeadPoints,
    PassageSegments,
    RecordingLookups,
    SongMatches,
)

PHASE_VALUES: dict[str, type] = {
    SCAN: LibraryChanges,
    IDENTITY: FileIdentity,
    TAGS: FileTags,
    SEGMENTS: PassageSegments,
    FINGERPRINTS: Fingerprints,
    LOOKUPS: RecordingLookups,
    MATCHES: SongMatches,
    LEAD_POINTS: LeadPoints,
    FLAVORS: Flavors,
    ENTRY: FileEntry,
}
"""In the order in which they run. The phase store keeps all but the last, which is committed to the library."""
