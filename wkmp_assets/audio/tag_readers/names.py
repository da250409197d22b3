"""The names of the fields in each family of containers, after Picard's mapping.

A name that a container does not define itself counts in all of them: a Vorbis comment, an APEv2 key, a `TXXX` frame, a
freeform atom of MP4, an extended attribute of ASF, a simple tag of Matroska.

See Also
--------
https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html
https://www.matroska.org/technical/tagging.html
https://taglib.org/api/p_propertymapping.html
"""

from __future__ import annotations

from wkmp_assets.audio.tag_readers.fields import TagFields
from wkmp_assets.audio.tag_readers.ids import ID_KEYS
from wkmp_assets.audio.tag_readers.texts import free

FREE = TagFields(
    title=("title", "com.apple.quicktime.title", "com.apple.quicktime.displayname"),
    artist=("artist", "author", "com.apple.quicktime.artist", "com.apple.quicktime.author"),
    album=("album", "com.apple.quicktime.album"),
    track=("track number", "track"),
    date=("date", "year", "release date", "recorded date", "com.apple.quicktime.year"),
    artist_names=("artists",),
    work_titles=("work",),
    album_artist=("album artist", "band"),
    album_artist_names=("album artists",),
    genre=("genre", "com.apple.quicktime.genre"),
    disc=("disc number", "disc", "disk number", "disk"),
    track_total=("total tracks", "track total", "trackc"),
    disc_total=("total discs", "disc total", "discc"),
    composer=("composer",),
    compilation=("compilation", "itunes compilation", "is compilation", "tcmp"),
    isrc=("isrc", "tsrc"),
    bpm=("bpm", "tbpm", "tempo"),
    key=("key", "initial key", "tkey", "key signature"),
    original_date=("original date", "original year", "original release date", "orig year", "tdor", "tory"),
)
"""`trackc` and `discc` are foobar2000's; `tempo` and `key signature` are those of CAF. FFmpeg gives frames of ID3, and
the keys of QuickTime, under their own names."""


def _with_free(names: TagFields) -> TagFields:
    """Add the free names, and those of the ids, after the container's own."""
    return TagFields._make(
        tuple(dict.fromkeys((*own, *map(free, chosen), *ids)))
        for own, chosen, ids in zip(names, FREE, ID_KEYS, strict=True)
    )


GENERAL = _with_free(TagFields())
"""Vorbis comments, and what FFmpeg says."""
APE = _with_free(TagFields(track=(free("track"),), disc=(free("disc"),), date=(free("year"),)))
ID3 = _with_free(
    TagFields(
        title=("tit2",),
        artist=("tpe1",),
        album=("talb",),
        track=("trck",),
        date=("tdrc", "tyer", "tdrl"),
        album_artist=("tpe2",),
        genre=("tcon",),
        disc=("tpos",),
        composer=("tcom",),
        compilation=("tcmp",),
        isrc=("tsrc",),
        bpm=("tbpm",),
        key=("tkey",),
        original_date=("tdor", "tory"),
    )
)
MP4 = _with_free(
    TagFields(
        title=("©nam",),
        artist=("©art",),
        album=("©alb",),
        track=("trkn",),
        date=("©day",),
        work_titles=("©wrk",),
        album_artist=("aart",),
        genre=("©gen",),
        disc=("disk",),
        composer=("©wrt",),
        compilation=("cpil",),
        bpm=("tmpo",),
    )
)
ASF = _with_free(
    TagFields(
        title=("title",),
        artist=("author",),
        album=("wm/albumtitle",),
        track=("wm/tracknumber", "wm/track"),
        date=("wm/year",),
        artist_names=("wm/artists",),
        work_titles=("wm/work",),
        album_artist=("wm/albumartist",),
        album_artist_names=("wm/albumartists",),
        genre=("wm/genre",),
        disc=("wm/partofset",),
        composer=("wm/composer",),
        compilation=("wm/iscompilation",),
        isrc=("wm/isrc",),
        bpm=("wm/beatsperminute",),
        key=("wm/initialkey",),
        original_date=("wm/originalreleasetime", "wm/originalreleaseyear"),
    )
)
RIFF = TagFields(
    title=("inam", "titl"),
    artist=("iart",),
    album=("iprd",),
    track=("itrk", "iprt"),
    date=("icrd", "year"),
    album_artist=("iaar",),
    genre=("ignr", "gnre"),
    composer=("imus",),
    bpm=("ibpm",),
)
"""`ISRC` names the source of a recording there and `IKEY` keywords."""
AIFF = TagFields(title=("name",), artist=("auth",))
BROADCAST = TagFields(title=("description",), date=("origination date",))
"""The broadcast extension of WAV files."""
THREEGPP = TagFields(
    title=("titl",), artist=("perf", "auth"), album=("albm",), date=("yrrc",), genre=("gnre",), composer=("auth",)
)
LYRICS3 = TagFields(title=("ett",), artist=("ear",), album=("eal",))
MATROSKA = _with_free(
    TagFields(
        title=("track/title", free("title"), "segment/title", "track/name"),
        artist=("track/artist", "track/lead_performer"),
        album=("album/title", free("album"), "edition/title"),
        track=("track/part_number", free("track number"), free("track"), free("part number")),
        date=("album/date_released", "album/date_recorded", free("date released"), free("date recorded")),
        album_artist=("album/artist", "edition/artist"),
        disc=("part/part_number", "album/part_number"),
        track_total=("album/total_parts",),
        disc_total=("edition/total_parts",),
    )
)
"""The names with a slash begin with the level of the tag's target."""
