"""Matches of a file's passages by its tags and sheets alone, without any network."""

from dataclasses import dataclass, replace

from wkmp_assets.model.boundary_evidence import BoundarySource, SheetTrack
from wkmp_assets.model.match_levels import MatchLevel
from wkmp_assets.model.values import FileTags, PassageMatch, PassageSegments, PathNames, Release, Song, Span

TAG_SOURCE = "ID3"
"""WKMP's word for the tags of any container."""
CUE_SOURCE = "CUE"
CHAPTER_SOURCE = "Chapters"
MUSICBRAINZ_SOURCE = "MusicBrainz"
_SOURCES = {BoundarySource.CHAPTERS: CHAPTER_SOURCE, BoundarySource.RELEASE: MUSICBRAINZ_SOURCE}
TITLE_ONLY_SCORE = 0.65
"""Confidence of a passage that has a title or artist from tags but no recording, after the WKMP specification."""


@dataclass(frozen=True)
class PassageTags:
    """What the tags and the sheet of a file say about one of its passages."""

    tags: FileTags
    """The file's tags, with the track's texts where a sheet has them."""
    is_named: bool
    """Whether title and recording mean this passage; else only artist and album do."""
    source: str = TAG_SOURCE
    track: SheetTrack | None = None


def tags_of_passages(tags: FileTags, segments: PassageSegments) -> tuple[PassageTags, ...]:
    """Tell for each passage what the tags of its file say about it.

    The track of a sheet names its passage. The file's own tags name its only passage, or the main one beside a hidden
    track; where a sheet holds no more than that passage, it adds what the tags lack. Of all other passages they tell
    artist and album.

    Parameters
    ----------
    tags : FileTags
        Of the file.
    segments : PassageSegments
        Its passages.

    Returns
    -------
    tuple of PassageTags
        One entry per passage, in order.
    """
    source = _SOURCES.get(segments.decided_by, CUE_SOURCE)
    tracks: tuple[SheetTrack | None, ...] = segments.tracks or (None,) * len(segments.passages)
    main = segments.main_passage
    if main is None and len(segments.passages) == 1:
        main = 0 if tracks[0] is None else None
    return tuple(_tags_of(tags, track, source, is_main=index == main) for index, track in enumerate(tracks))


def _tags_of(tags: FileTags, track: SheetTrack | None, source: str, *, is_main: bool) -> PassageTags:
    if track is None:
        return PassageTags(tags, is_main)
    if is_main:
        filled = replace(
            tags,
            title=tags.title or track.title,
            artist=tags.artist or track.artist,
            album=tags.album or track.album,
            recording_mbid=tags.recording_mbid or track.recording_mbid,
            release=tags.release or _release(tags, track),
        )
        is_from_tags = bool(tags.title or tags.recording_mbid or not track.title)
        return PassageTags(filled, is_named=True, source=TAG_SOURCE if is_from_tags else source, track=track)
    named = replace(
        tags,
        title=track.title,
        artist=track.artist or tags.artist,
        album=tags.album or track.album,
        track_number=track.number,
        recording_mbid=track.recording_mbid,
        artists=tags.artists if track.artist in {None, tags.artist} else (),
        works=(),
        release=tags.release or _release(tags, track),
        names=PathNames(folders=tags.names.folders),
    )
    is_named = bool(track.title or track.recording_mbid)
    return PassageTags(named, is_named, source if is_named else TAG_SOURCE, track)


def _release(tags: FileTags, track: SheetTrack) -> Release | None:
    album = tags.album or track.album
    return Release(track.release_mbid, album) if track.release_mbid and album else None


def match_from_tags(tags: FileTags, segments: PassageSegments) -> tuple[PassageMatch, ...]:
    """Match the passages of one file by its tags and its sheet.

    A recording MBID identifies the passage that it means with certainty; a title alone makes a low match.

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

    See Also
    --------
    tags_of_passages
    """
    said = tags_of_passages(tags, segments)
    return tuple(_match(one, span) for one, span in zip(said, segments.passages, strict=True))


def _match(said: PassageTags, span: Span) -> PassageMatch:
    tags = said.tags
    if said.is_named and tags.recording_mbid is not None:
        level, score = MatchLevel.HIGH, 1.0
    elif said.is_named and (tags.title or tags.artist):
        level, score = MatchLevel.LOW, TITLE_ONLY_SCORE
    else:
        source = said.source if tags.artist or tags.album else None
        album, release = tags.album, tags.release
        return PassageMatch(
            span, MatchLevel.NONE, 0.0, source, artist=tags.artist, album=album, release=release, track=said.track
        )
    return PassageMatch(
        span,
        level,
        score,
        said.source,
        tags.title,
        tags.artist,
        tags.album,
        _song(tags),
        tags.release,
        track=said.track,
    )


def _song(tags: FileTags) -> Song | None:
    if tags.recording_mbid is None:
        return None
    return Song(tags.recording_mbid, tags.title, tags.artist, tags.artists, tags.works)
