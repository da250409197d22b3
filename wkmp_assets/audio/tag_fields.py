"""The texts of a file's tags, under the same names for all containers.

There is one table per family of containers, after Picard's mapping
(https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html).

See Also
--------
wkmp_assets.audio.tags : what the texts mean.
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import mutagen
from mutagen.apev2 import APETextValue, APEv2
from mutagen.asf import ASFTags
from mutagen.asf._attrs import ASFBaseAttribute, ASFByteArrayAttribute  # noqa: PLC2701 - it exports neither
from mutagen.id3 import ID3, TCON, UFID, ID3NoHeaderError, TextFrame
from mutagen.mp4 import MP4Tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LEAKED_BY_MUTAGEN = (
    mutagen.MutagenError,
    OSError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What mutagen raises on damaged files: its own errors, and those that bad lengths, texts, and compressed or nested
data provoke inside it."""
MAX_VALUES = 200
"""Of one entry: far more than any list of artists has. A malicious file has a million."""
MAX_CHARACTERS = 1_000
"""Of one text."""
_DATES = frozenset({"date", "original_date"})
"""Fields that collect the texts of all their names, because programs write dates that say nothing."""
_MAX_RAW_VALUES = 2 * MAX_VALUES
"""Before empty ones are removed."""
_MAX_RAW_CHARACTERS = 4 * MAX_CHARACTERS
"""Of a text before white space and control characters are removed."""


class TagFields(NamedTuple):
    """Cleaned texts of one file; an absent field is an empty tuple, values keep their order.

    Cut one beyond `MAX_VALUES` and `MAX_CHARACTERS`, which tells that there was more.
    """

    title: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()
    album: tuple[str, ...] = ()
    track: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    artist_names: tuple[str, ...] = ()
    work_titles: tuple[str, ...] = ()
    recording_ids: tuple[str, ...] = ()
    artist_ids: tuple[str, ...] = ()
    release_ids: tuple[str, ...] = ()
    work_ids: tuple[str, ...] = ()
    album_artist: tuple[str, ...] = ()
    album_artist_names: tuple[str, ...] = ()
    genre: tuple[str, ...] = ()
    disc: tuple[str, ...] = ()
    track_total: tuple[str, ...] = ()
    """A field of its own; the total of `3/12` stays in `track`."""
    disc_total: tuple[str, ...] = ()
    composer: tuple[str, ...] = ()
    compilation: tuple[str, ...] = ()
    isrc: tuple[str, ...] = ()
    bpm: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    original_date: tuple[str, ...] = ()
    release_artist_ids: tuple[str, ...] = ()
    release_group_ids: tuple[str, ...] = ()
    release_track_ids: tuple[str, ...] = ()


class ReadTags(NamedTuple):
    """What the tags of one file say, and where."""

    fields: TagFields
    sources: dict[str, str]
    """For each field that has texts: the kind of tag that they are from."""


_Keys = TagFields
"""A table: for each field the container's names in lower case, best first; the first one that has a text counts.

Of dates all count, in this order.
"""

_ID3 = _Keys(
    title=("tit2",),
    artist=("tpe1",),
    album=("talb",),
    track=("trck",),
    date=("tdrc", "tyer", "tdrl"),
    artist_names=("txxx:artists",),
    work_titles=("txxx:work",),
    recording_ids=("ufid:http://musicbrainz.org", "txxx:musicbrainz recording id"),
    artist_ids=("txxx:musicbrainz artist id",),
    release_ids=("txxx:musicbrainz album id",),
    work_ids=("txxx:musicbrainz work id",),
    album_artist=("tpe2", "txxx:albumartist", "txxx:album artist"),
    album_artist_names=("txxx:albumartists", "txxx:album artists", "txxx:album_artists"),
    genre=("tcon",),
    disc=("tpos",),
    track_total=("txxx:totaltracks", "txxx:tracktotal"),
    disc_total=("txxx:totaldiscs", "txxx:disctotal"),
    composer=("tcom",),
    compilation=("tcmp", "txxx:compilation"),
    isrc=("tsrc",),
    bpm=("tbpm",),
    key=("tkey", "txxx:initialkey"),
    original_date=("tdor", "tory", "txxx:originalyear"),
    release_artist_ids=("txxx:musicbrainz album artist id",),
    release_group_ids=("txxx:musicbrainz release group id",),
    release_track_ids=("txxx:musicbrainz release track id",),
)
_VORBIS = _Keys(
    title=("title",),
    artist=("artist",),
    album=("album",),
    track=("tracknumber", "track"),
    date=("date", "year"),
    artist_names=("artists",),
    work_titles=("work",),
    recording_ids=("musicbrainz_trackid", "musicbrainz_recordingid"),
    artist_ids=("musicbrainz_artistid",),
    release_ids=("musicbrainz_albumid",),
    work_ids=("musicbrainz_workid",),
    album_artist=("albumartist", "album artist", "album_artist"),
    album_artist_names=("albumartists", "album artists", "album_artists"),
    genre=("genre",),
    disc=("discnumber", "disc"),
    track_total=("totaltracks", "tracktotal", "trackc"),
    disc_total=("totaldiscs", "disctotal", "discc"),
    composer=("composer",),
    compilation=("compilation",),
    isrc=("isrc",),
    bpm=("bpm",),
    key=("key", "initialkey"),
    original_date=("originaldate", "originalyear"),
    release_artist_ids=("musicbrainz_albumartistid",),
    release_group_ids=("musicbrainz_releasegroupid",),
    release_track_ids=("musicbrainz_releasetrackid",),
)
_APE = _VORBIS._replace(track=("track", "tracknumber"), disc=("disc", "discnumber"), date=("year", "date"))
_MP4 = _Keys(
    title=("©nam",),
    artist=("©art",),
    album=("©alb",),
    track=("trkn",),
    date=("©day",),
    artist_names=("----:com.apple.itunes:artists",),
    work_titles=("©wrk", "----:com.apple.itunes:work"),
    recording_ids=("----:com.apple.itunes:musicbrainz track id",),
    artist_ids=("----:com.apple.itunes:musicbrainz artist id",),
    release_ids=("----:com.apple.itunes:musicbrainz album id",),
    work_ids=("----:com.apple.itunes:musicbrainz work id",),
    album_artist=("aart",),
    album_artist_names=("----:com.apple.itunes:albumartists",),
    genre=("©gen",),
    disc=("disk",),
    composer=("©wrt",),
    compilation=("cpil",),
    isrc=("----:com.apple.itunes:isrc",),
    bpm=("tmpo", "----:com.apple.itunes:bpm"),
    key=("----:com.apple.itunes:initialkey",),
    original_date=("----:com.apple.itunes:originaldate", "----:com.apple.itunes:originalyear"),
    release_artist_ids=("----:com.apple.itunes:musicbrainz album artist id",),
    release_group_ids=("----:com.apple.itunes:musicbrainz release group id",),
    release_track_ids=("----:com.apple.itunes:musicbrainz release track id",),
)
_ASF = _Keys(
    title=("title",),
    artist=("author",),
    album=("wm/albumtitle",),
    track=("wm/tracknumber", "wm/track"),
    date=("wm/year",),
    artist_names=("wm/artists",),
    work_titles=("wm/work",),
    recording_ids=("musicbrainz/track id",),
    artist_ids=("musicbrainz/artist id",),
    release_ids=("musicbrainz/album id",),
    work_ids=("musicbrainz/work id",),
    album_artist=("wm/albumartist",),
    album_artist_names=("wm/albumartists",),
    genre=("wm/genre",),
    disc=("wm/partofset",),
    track_total=("totaltracks",),
    disc_total=("totaldiscs",),
    composer=("wm/composer",),
    compilation=("wm/iscompilation",),
    isrc=("wm/isrc",),
    bpm=("wm/beatsperminute",),
    key=("wm/initialkey",),
    original_date=("wm/originalreleasetime", "wm/originalreleaseyear"),
    release_artist_ids=("musicbrainz/album artist id",),
    release_group_ids=("musicbrainz/release group id",),
    release_track_ids=("musicbrainz/release track id",),
)


def read_fields(path: Path) -> ReadTags | None:
    """Read the tags of one file.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    ReadTags or None
        All fields are empty when the file has no tags; None when mutagen does not know the container.

    Raises
    ------
    One of LEAKED_BY_MUTAGEN
        The file or its tags cannot be read.
    """
    file, tags = _open(path)
    if tags is None:
        return None if file is None else ReadTags(TagFields(), {})
    texts: dict[str, list[str]] = {}
    for key, value in tags.items():
        known = texts.setdefault(key.lower(), [])
        parts = (part for text in _texts(value) for part in text.split("\0", _MAX_RAW_VALUES))
        known += [text for text in map(_clean, parts) if text][: MAX_VALUES + 1 - len(known)]
    kind, table = _kind_of(tags)
    fields = TagFields._make(
        _all_present(texts, keys) if name in _DATES else _first_present(texts, keys)
        for name, keys in table._asdict().items()
    )
    return ReadTags(fields, {name: kind for name, found in fields._asdict().items() if found})


def _open(path: Path) -> tuple[Any, Any]:
    """Open the file and its tags; where mutagen finds none, read an ID3 header at the start of the file.

    AAC streams commonly have one, and mutagen then takes them for damaged MP3 files.
    """
    try:
        file = mutagen.File(path)
    except LEAKED_BY_MUTAGEN:
        tags = _leading_id3(path)
        if tags is None:
            raise
        return tags, tags
    tags = file.tags if file is not None else None
    return file, _leading_id3(path) if tags is None else tags


def _leading_id3(path: Path) -> Any:
    open_id3: Any = ID3
    try:
        return open_id3(path)
    except ID3NoHeaderError:
        return None


def _kind_of(tags: object) -> tuple[str, TagFields]:
    if isinstance(tags, ID3):
        return "ID3", _ID3
    if isinstance(tags, MP4Tags):
        return "MP4", _MP4
    if isinstance(tags, APEv2):
        return "APEv2", _APE
    if isinstance(tags, ASFTags):
        return "ASF", _ASF
    return "Vorbis comment", _VORBIS


def _texts(value: Any) -> list[str]:
    """Return the texts of one entry of any container; nothing for pictures and other binary entries."""
    frame = value  # untyped, because mutagen sets the attributes of its frames at run time
    if isinstance(value, UFID):
        return [frame.data.decode("ascii", "replace")]
    if isinstance(value, TCON):  # "(17)Rock" is "Rock"
        return list(islice(frame.genres, _MAX_RAW_VALUES))
    if isinstance(value, TextFrame):
        return [str(text) for text in frame.text[:_MAX_RAW_VALUES]]
    if isinstance(value, (list, APETextValue)):
        return [text for item in islice(value, _MAX_RAW_VALUES) if (text := _text(item)) is not None]
    if isinstance(value, bool):  # MP4 compilation
        return [str(int(value))]
    return []


def _text(item: object) -> str | None:
    if isinstance(item, str):
        return item
    if isinstance(item, bytes):  # MP4 freeform
        return item.decode("utf-8", "replace")
    if isinstance(item, int):  # MP4 tempo
        return str(item)
    if isinstance(item, tuple):  # MP4 track number and count
        return "/".join(map(str, item))
    if isinstance(item, ASFBaseAttribute) and not isinstance(item, ASFByteArrayAttribute):
        return str(item)
    return None


def _clean(text: str) -> str:
    """Remove control characters, byte order marks and what UTF-8 cannot hold; reduce white space to single blanks."""
    kept = (" " if char.isspace() else char for char in text[:_MAX_RAW_CHARACTERS].replace("\ufeff", ""))
    clean = " ".join("".join(c for c in kept if unicodedata.category(c) not in {"Cc", "Cs"}).split())
    return clean[: MAX_CHARACTERS + 1]


def _first_present(texts: Mapping[str, list[str]], keys: tuple[str, ...]) -> tuple[str, ...]:
    for key in keys:
        if texts.get(key):
            return tuple(texts[key])
    return ()


def _all_present(texts: Mapping[str, list[str]], keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for key in keys for text in texts.get(key, ()))[: MAX_VALUES + 1]
