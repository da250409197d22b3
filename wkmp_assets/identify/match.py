"""The recording of every passage, from the tags and from the lookups."""

from collections.abc import Mapping
from dataclasses import replace

from wkmp_assets.identify.joining import join_passages
from wkmp_assets.identify.releases import choose_release
from wkmp_assets.identify.tag_matches import MUSICBRAINZ_SOURCE, match_from_tags, tags_of_passages
from wkmp_assets.model.boundary_evidence import BoundarySource
from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.match_levels import MatchLevel, level_of
from wkmp_assets.model.values import (
    FileTags,
    PassageLookup,
    PassageMatch,
    PassageSegments,
    RecordingLookups,
    Release,
    SongMatches,
)

ACOUSTID_SOURCE = "AcoustID"

_SHEETS = frozenset(BoundarySource) - {BoundarySource.ONE_PIECE, BoundarySource.SILENCE}


def match_passages(
    tags: FileTags, segments: PassageSegments, lookups: RecordingLookups, folder_holds: Mapping[str, int]
) -> SongMatches:
    """Match the passages of one file.

    Parameters
    ----------
    tags : FileTags
        Of the file; they alone count where no service was asked or none knows the passage.
    segments : PassageSegments
        Its passages.
    lookups : RecordingLookups
        One per passage.
    folder_holds : Mapping of str to int
        The result of `find_folder_releases` for the file's folder.

    Returns
    -------
    SongMatches
        One entry per passage, in order; fewer than `segments` has where neighbours are joined. Passages that a sheet
        or chapters separate are never joined.
    """
    by_tags = match_from_tags(tags, segments)
    albums = [said.tags.album for said in tags_of_passages(tags, segments)]
    matches = [
        _match(match, lookup, choose_release(lookup.releases, album, folder_holds))
        for match, lookup, album in zip(by_tags, lookups.passages, albums, strict=True)
    ]
    if segments.decided_by not in _SHEETS:
        matches = list(join_passages(matches, segments.audio.sample_rate_hz))
    return SongMatches(tuple(matches), joined_from=segments.passages, warnings=lookups.warnings)


def _match(by_tags: PassageMatch, lookup: PassageLookup, release: Release | None) -> PassageMatch:
    match = replace(by_tags, lookup=None if lookup.outcome is LookupOutcome.SKIPPED else lookup)
    if not lookup.candidates:
        return match
    best = lookup.candidates[0]
    if by_tags.song is not None:
        # The tags name the recording: their texts win, and MusicBrainz adds the missing ones.
        return replace(
            match,
            song=best.song,
            title=match.title or best.song.title,
            artist=match.artist or best.song.artist_name,
            album=match.album or (release.title if release else None),
            release=match.release or release,
        )
    level = level_of(best.confidence)
    if level is MatchLevel.NONE:
        return match
    return replace(
        match,
        level=level,
        score=best.confidence,
        source=MUSICBRAINZ_SOURCE if lookup.outcome is LookupOutcome.MATCH else ACOUSTID_SOURCE,
        title=best.song.title or match.title,
        artist=best.song.artist_name or match.artist,
        album=release.title if release else match.album,
        song=best.song,
        release=release or match.release,
    )
