"""MusicBrainz identifiers (MBIDs): UUIDs that name recordings, artists, releases and works."""

import re

MBID_PATTERN = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""A regular expression for the whole identifier."""


def parse_mbid(text: str) -> str | None:
    """Return an MBID in lower case; None when the text is not an MBID."""
    return text.lower() if re.fullmatch(MBID_PATTERN, text) else None
