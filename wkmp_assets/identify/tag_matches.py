"""Matches of a file's passages by its tags alone, without any network."""

from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.values import FileTags, PassageMatch, PassageSegments, Song, Span

TAG_SOURCE = "ID3"
"""WKMP's word for the tags of any container."""
TITLE_ONLY_SCORE = 0.65
"""Confidence of a passage that has a title or artist from tags but no recording, after the WKMP specification."""


def match_from_tags(tags: FileTags, segments: PassageSegments) -> tuple[PassageMatch, ...]:
    """Match the passages of one file by its tags.

    A recording MBID in the tags identifies the only passage of a file. In a file of several passages the tags do not
    tell which one they mean, so all get the artist and album, and none gets the title or the recording.

    Parameters
    ----------
    tags : FileTags
        Of the file.
    segments : PassageSegments
        Its passages.

    Returns
    -------
    tuple of PassageMatch
        One entry per passage, in order.
    """
    if len(segments.passages) == 1:
        return (_match_whole_file(tags, segments.passages[0]),)
    return tuple(_match_piece(tags, span) for span in segments.passages)


def _match_whole_file(tags: FileTags, span: Span) -> PassageMatch:
    if tags.recording_mbid is not None:
        level, score, source = MatchLevel.HIGH, 1.0, TAG_SOURCE
    elif tags.title or tags.artist:
        level, score, source = MatchLevel.LOW, TITLE_ONLY_SCORE, TAG_SOURCE
    else:
        return _match_piece(tags, span)
    return PassageMatch(span, level, score, source, tags.title, tags.artist, tags.album, _song(tags), tags.release)


def _match_piece(tags: FileTags, span: Span) -> PassageMatch:
    source = TAG_SOURCE if tags.artist or tags.album else None
    return PassageMatch(span, MatchLevel.NONE, 0.0, source, artist=tags.artist, album=tags.album, release=tags.release)


def _song(tags: FileTags) -> Song | None:
    if tags.recording_mbid is None:
        return None
    return Song(tags.recording_mbid, tags.title, tags.artist, tags.artists, tags.works)
