"""The names under which programs write MusicBrainz ids."""

from __future__ import annotations

from typing import NamedTuple

from wkmp_assets.audio.tag_readers.fields import TagFields
from wkmp_assets.audio.tag_readers.texts import free


class IdName(NamedTuple):
    """One name of one id. Case, blanks, punctuation, and in MP4 the `mean`, do not count."""

    field: str
    """Of `TagFields`."""
    name: str
    programs: str
    """Who writes it, and where."""


UFID = "ufid:musicbrainz.org"
"""Unique file identifiers of ID3 whose owner is MusicBrainz, however its address is written."""

ID_NAMES = (
    IdName("recording_ids", UFID, "Picard, beets, Mp3tag, Jaikoz, SongKong, Kid3: ID3"),
    IdName(
        "recording_ids",
        "MUSICBRAINZ_TRACKID",
        "Picard, beets, Mp3tag, foobar2000, GStreamer: Vorbis comments, APEv2; Strawberry, older Mp3tag: TXXX; "
        "FFmpeg out of any of these: TXXX, MP4, Matroska",
    ),
    IdName(
        "recording_ids",
        "MusicBrainz Track Id",
        "Picard, beets, Jaikoz, SongKong: MP4, and as MusicBrainz/Track Id ASF; FFmpeg, foobar2000: TXXX",
    ),
    IdName("recording_ids", "MusicBrainz Recording Id", "by hand, after MusicBrainz's word for it"),
    IdName("recording_ids", "mbrainz_track_id", "puddletag: TXXX, Vorbis comments, APEv2"),
    IdName("artist_ids", "MusicBrainz Artist Id", "Picard, beets, Jaikoz, SongKong: TXXX, MP4, ASF"),
    IdName("artist_ids", "MUSICBRAINZ_ARTISTID", "Picard, beets, Mp3tag, foobar2000, FFmpeg: Vorbis comments, APEv2"),
    IdName("artist_ids", "mbrainz_artist_id", "puddletag: TXXX, Vorbis comments, APEv2"),
    IdName("release_ids", "MusicBrainz Album Id", "Picard, beets, Jaikoz, SongKong, Lidarr: TXXX, MP4, ASF"),
    IdName("release_ids", "MUSICBRAINZ_ALBUMID", "Picard, beets, Mp3tag, foobar2000, FFmpeg: Vorbis comments, APEv2"),
    IdName("release_ids", "MusicBrainz Release Id", "by hand, after MusicBrainz's word for it"),
    IdName("release_ids", "mbrainz_album_id", "puddletag: TXXX, Vorbis comments, APEv2"),
    IdName("work_ids", "MusicBrainz Work Id", "Picard, beets, Jaikoz, SongKong: TXXX, MP4, ASF"),
    IdName("work_ids", "MUSICBRAINZ_WORKID", "Picard, beets, foobar2000, FFmpeg: Vorbis comments, APEv2"),
    IdName("work_ids", "MUSICBRAINZ_WORK_COMPOSITION_ID", "Jaikoz, SongKong, of the whole of a classical work"),
    IdName("release_artist_ids", "MusicBrainz Album Artist Id", "Picard, beets, Jaikoz, SongKong: TXXX, MP4, ASF"),
    IdName("release_artist_ids", "MUSICBRAINZ_ALBUMARTISTID", "Picard, beets, Mp3tag, foobar2000: Vorbis, APEv2"),
    IdName("release_group_ids", "MusicBrainz Release Group Id", "Picard, beets, Jaikoz, Lidarr: TXXX, MP4, ASF"),
    IdName("release_group_ids", "MUSICBRAINZ_RELEASEGROUPID", "Picard, beets, Mp3tag, foobar2000: Vorbis, APEv2"),
    IdName("release_track_ids", "MusicBrainz Release Track Id", "Picard, beets, Jaikoz, Lidarr: TXXX, MP4, ASF"),
    IdName("release_track_ids", "MUSICBRAINZ_RELEASETRACKID", "Picard, beets, Mp3tag, foobar2000: Vorbis, APEv2"),
)
"""`MusicBrainz Track Id` is the recording in Picard's mapping, and `MusicBrainz Release Track Id` is the track:
https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html. Also: https://github.com/beetbox/mediafile,
https://github.com/navidrome/navidrome/blob/master/resources/mappings.yaml, https://docs.mp3tag.de/mapping/,
https://docs.puddletag.net, jaudiotagger's `FieldKey`."""


def _keys(field: str) -> tuple[str, ...]:
    names = [row.name if row.name == UFID else free(row.name) for row in ID_NAMES if row.field == field]
    return tuple(dict.fromkeys(names))


ID_KEYS = TagFields._make(map(_keys, TagFields._fields))
"""For each field of ids its keys, best first; nothing for other fields."""
