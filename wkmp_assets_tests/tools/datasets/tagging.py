"""Tags as in real libraries: ID3, Vorbis comments, MP4 atoms; MusicBrainz ids under Picard's names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from mutagen import flac, mp3, mp4, oggopus, oggvorbis, wave
from mutagen import id3 as mutagen_id3

# mutagen declares itself typed, but most of it is not annotated.
id3: Any = mutagen_id3
free_form: Any = mp4.MP4FreeForm
FILE_TYPES: dict[str, Any] = {
    "MP3": mp3.MP3,
    "WAV": wave.WAVE,
    "AAC": mp4.MP4,
    "FLAC": flac.FLAC,
    "OGG Vorbis": oggvorbis.OggVorbis,
    "Opus": oggopus.OggOpus,
}


@dataclass(frozen=True)
class Entity:
    """Something MusicBrainz has an id for: an artist by name, a work by title."""

    mbid: str
    name: str


@dataclass(frozen=True)
class MusicBrainzIds:
    """The ids Picard would embed.

    Parameters
    ----------
    recording, album : str
        UUIDs.
    artists : tuple of Entity
        In credited order.
    works : tuple of Entity
        Works the recording is a performance of; may be empty.
    """

    recording: str
    album: str
    artists: tuple[Entity, ...]
    works: tuple[Entity, ...] = ()


@dataclass(frozen=True)
class Tags:
    """What a file says about itself; `None` and empty values are not written."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    track: int | None = None
    date: str | None = None
    musicbrainz: MusicBrainzIds | None = None


UNTAGGED = Tags()


def invented_id(kind: str, name: str) -> str:
    """Make a valid UUID that belongs to nothing in MusicBrainz, the same one each time."""
    return str(uuid5(NAMESPACE_URL, f"https://wkmp.invalid/{kind}/{name}"))


def write_tags(path: Path, form: str, tags: Tags, *, id3_minor: int = 4) -> None:
    """Add tags to a file that has none.

    Parameters
    ----------
    path : Path
        An encoded file.
    form : str
        Format name as in the manifests.
    tags : Tags
        Nothing is written when it is empty, so that an untagged file has no tag block at all.
    id3_minor : {3, 4}
        ID3v2.3 or ID3v2.4, for MP3 and WAV.
    """
    if tags == UNTAGGED:
        return
    if form in ("MP3", "WAV"):
        _write_id3(path, form, tags, id3_minor)
    elif form == "AAC":
        _write_mp4(path, tags)
    else:
        _write_vorbis(path, form, tags)


def _write_id3(path: Path, form: str, tags: Tags, minor: int) -> None:
    audio = FILE_TYPES[form](path)
    audio.add_tags()
    frames = {
        id3.TIT2: tags.title,
        id3.TPE1: tags.artist,
        id3.TALB: tags.album,
        id3.TRCK: tags.track and str(tags.track),
        id3.TDRC: tags.date,
    }
    for frame, text in frames.items():
        if text:
            audio.tags.add(frame(encoding=id3.Encoding.UTF8, text=[text]))
    ids = tags.musicbrainz
    if ids:
        audio.tags.add(id3.UFID(owner="http://musicbrainz.org", data=ids.recording.encode("ascii")))
        for description, texts in _picard_names(ids).items():
            audio.tags.add(id3.TXXX(encoding=id3.Encoding.UTF8, desc=description, text=texts))
    if minor == 3:
        audio.tags.update_to_v23()
    audio.save(v2_version=minor)


def _picard_names(ids: MusicBrainzIds) -> dict[str, list[str]]:
    # As Picard spells them in ID3 and MP4.
    names = {
        "MusicBrainz Artist Id": [artist.mbid for artist in ids.artists],
        "MusicBrainz Album Artist Id": [artist.mbid for artist in ids.artists],
        "MusicBrainz Album Id": [ids.album],
        "MusicBrainz Work Id": [work.mbid for work in ids.works],
        "ARTISTS": [artist.name for artist in ids.artists],
        "WORK": [work.name for work in ids.works],
    }
    return {name: values for name, values in names.items() if values}


def _write_vorbis(path: Path, form: str, tags: Tags) -> None:
    audio = FILE_TYPES[form](path)
    if audio.tags is None:
        audio.add_tags()
    # libsndfile and libav leave an ENCODER comment; a tagger would not have written it.
    audio.tags.clear()
    comments = {
        "TITLE": tags.title,
        "ARTIST": tags.artist,
        "ALBUM": tags.album,
        "TRACKNUMBER": tags.track and str(tags.track),
        "DATE": tags.date,
    }
    for name, text in comments.items():
        if text:
            audio.tags[name] = [text]
    ids = tags.musicbrainz
    if ids:
        audio.tags["MUSICBRAINZ_TRACKID"] = [ids.recording]
        audio.tags.update({_vorbis_name(name): values for name, values in _picard_names(ids).items()})
    audio.save()


def _vorbis_name(name: str) -> str:
    first, *rest = name.upper().split(" ")
    return f"{first}_{''.join(rest)}" if rest else first


def _write_mp4(path: Path, tags: Tags) -> None:
    audio = FILE_TYPES["AAC"](path)
    if audio.tags is None:
        audio.add_tags()
    audio.tags.clear()
    atoms = {"\xa9nam": tags.title, "\xa9ART": tags.artist, "\xa9alb": tags.album, "\xa9day": tags.date}
    for name, text in atoms.items():
        if text:
            audio.tags[name] = [text]
    if tags.track:
        audio.tags["trkn"] = [(tags.track, 0)]
    ids = tags.musicbrainz
    if ids:
        free = {"MusicBrainz Track Id": [ids.recording], **_picard_names(ids)}
        # The title of the work has an atom of its own, which is what Picard writes.
        audio.tags["\xa9wrk"] = free.pop("WORK", [])
        for name, texts in free.items():
            audio.tags[f"----:com.apple.iTunes:{name}"] = [free_form(text.encode()) for text in texts]
    audio.save()
