"""Add what the import found to `passages.additional_metadata`, beside what people and other programs keep there."""

import json
from typing import Any

from wkmp_assets.model.field_values import fields_of
from wkmp_assets.model.file_entry import FileEntry, PassageEntry
from wkmp_assets.model.json_text import parse_object
from wkmp_assets.model.values import FileTags, SoundMeasures

MEASURES_KEY = "measured"
"""The import's keys. All others belong to people."""
TAGS_KEY = "file_tags"
SOURCES_KEY = "tag_sources"

_OF_ONE_RECORDING = frozenset(
    {"track_count", "track_side", "isrcs", "bpm", "key", "artist_mbids", "work_mbids", "release_track_mbid"}
)
"""Tags that mean one passage only, like a title."""


def add_measures(stored: str | None, measures: SoundMeasures) -> str | None:
    """Return the column with a passage's known measures. Text that is not a JSON object stays unchanged."""
    known = {name: value for name, value in fields_of(measures).items() if value is not None}
    return _add(stored, MEASURES_KEY, known)


def add_tags(stored: str | None, entry: FileEntry, passage: PassageEntry) -> str | None:
    """Return the column with what the file's tags say of a passage and where, instead of what they said before.

    In a file of several passages, tags of one recording are kept where the tags name the passage. A file without any
    such tag changes nothing, because a copy that lost its tags says nothing. Text that is not a JSON object stays
    unchanged.
    """
    tags = entry.tags
    if tags is None:
        return stored
    is_named = len(entry.passages) == 1 or _names(tags, passage)
    said = {
        name: value
        for name, value in fields_of(tags.details).items()
        if value not in (None, ()) and (is_named or name not in _OF_ONE_RECORDING)
    }
    stored = _add(stored, TAGS_KEY, said) if said else stored
    return _add(stored, SOURCES_KEY, _fields_by_kind(tags.field_sources)) if tags.field_sources else stored


def _fields_by_kind(field_sources: dict[str, str]) -> dict[str, list[str]]:
    by_kind: dict[str, list[str]] = {}
    for name, kind in field_sources.items():
        by_kind.setdefault(kind, []).append(name)
    return by_kind


def _names(tags: FileTags, passage: PassageEntry) -> bool:
    match = passage.match
    if tags.recording_mbid is not None and match.song is not None:
        return match.song.recording_mbid == tags.recording_mbid
    return tags.title is not None and match.title == tags.title


def _add(stored: str | None, key: str, found: dict[str, Any]) -> str | None:
    kept = parse_object(stored)
    return stored if kept is None else json.dumps({**kept, key: found})
