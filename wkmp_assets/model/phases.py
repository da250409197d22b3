"""The names and versions of the phases, and of the assets that are no phase."""

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
"""Not a phase: nothing is computed from it."""
REPORT = "library_report"
"""Not a phase: it concerns the whole library."""

PHASES = (SCAN, IDENTITY, TAGS, SEGMENTS, FINGERPRINTS, LOOKUPS, MATCHES, LEAD_POINTS, FLAVORS, ENTRY)
"""In the order in which they run."""

SCHEMA_VERSION = 2
"""The version of the values that the phases store."""

CODE_VERSIONS = {
    SCAN: "1",
    IDENTITY: "1",
    TAGS: "1",
    SEGMENTS: "1",
    FINGERPRINTS: "1",
    LOOKUPS: "1",
    MATCHES: "1",
    LEAD_POINTS: "1",
    FLAVORS: "2",
    ENTRY: "1",
    PICTURE: "1",
    REPORT: "1",
}
"""The version of the code that computes each asset.

Raise it when the code gives other values for the same file. Dagster then shows the partitions that the earlier code
made as stale. Whether stored values can still be read is another question, which `SCHEMA_VERSION` answers.
"""
