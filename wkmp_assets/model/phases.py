"""The phases' names and the type of value each one stores. Named nowhere else."""

from wkmp_assets.model.values import (
    FileEntry,
    FileIdentity,
    FileTags,
    Fingerprints,
    Flavors,
    LeadPoints,
    LibraryChanges,
    PassageSegments,
    RecordingLookups,
    SongMatches,
)

SCAN = "library_scan"
IDENTITY = "file_identity"
TAGS = "file_tags"
SEGMENTS = "passage_segments"
FINGERPRINTS = "fingerprints"
LOOKUPS = "recording_lookups"
MATCHES = "song_matches"
LEAD_POINTS = "lead_points"
FLAVORS = "flavors"
ENTRY = "library_entry"
PICTURE = "file_picture"
"""No phase: nothing is computed from it."""
REPORT = "library_report"
"""No phase: it is about the whole library."""

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
"""In the order they run. All are kept in the phase store but the last, which is the commit."""
