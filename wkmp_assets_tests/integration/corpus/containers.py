"""The same tags in every container and under odd names, each beside tags that are empty, cut or in the way."""

import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wkmp_assets_tests.audio.sounds import encode, melody
from wkmp_assets_tests.audio.tag_bytes import (
    ape,
    chunk,
    id3,
    id3v1,
    id3v2,
    info,
    level,
    matroska_tag,
    text_frames,
    with_chunks,
    with_footer,
    with_tags,
)
from wkmp_assets_tests.integration.corpus.case import IMPORTED, Case

RATE_HZ = 8_000
SONG = {"title": "Ode", "artist": "Anna", "album": "Odes", "track_number": 3, "year": 2003}
_FRAMES = text_frames(TIT2="Ode", TPE1="Anna", TALB="Odes", TRCK="3/12", TDRC="2003")
_CODECS = {"mp3": "libmp3lame", "flac": "flac", "wav": "pcm_s16le", "aiff": "pcm_s16be", "mka": "flac"}
_EMPTY = b"ID3\4\0\0\0\0\0\0"
_OTHER = id3v1("Other", "Other", "Other", "1999")


def _recording(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def _ape(name: str) -> bytes:
    with TemporaryDirectory() as folder:
        texts = {"Title": "Ode", "Artist": "Anna", "Album": "Odes", "Track": "3/12", "Year": "2003"}
        return ape(Path(folder), **texts, MUSICBRAINZ_TRACKID=_recording(name))


def _matroska(sound: bytes, name: str) -> bytes:
    album = matroska_tag(level(50), TITLE="Odes", ARTIST="Other", DATE_RELEASED="2003")
    track = matroska_tag(level(30), TITLE="Ode", ARTIST="Anna", PART_NUMBER="3", MUSICBRAINZ_TRACKID=_recording(name))
    return with_tags(sound, album, track)


def _free_names(name: str) -> list[Any]:
    texts = {"MusicBrainz Release Track Id": _recording("other"), "MusicBrainz Track Id": _recording(name)}
    return [id3.TXXX(encoding=3, desc=desc, text=[text]) for desc, text in texts.items()]


def _listed(sound: bytes, _name: str) -> bytes:
    return with_chunks(sound, info(INAM="Ode", IART="Anna", IPRD="Odes", ICRD="2003", ITRK="3"))


def _odd_chunk(sound: bytes, _name: str) -> bytes:
    return with_chunks(sound, chunk(b"junk", b"odd", is_padded=False), chunk(b"ID3 ", id3v2(*_FRAMES)))


def _texts_of_aiff(sound: bytes, _name: str) -> bytes:
    return with_chunks(sound, *(chunk(name, text, order=">") for name, text in ((b"NAME", b"Ode"), (b"AUTH", b"Anna"))))


_KINDS: dict[str, Callable[[bytes, str], bytes]] = {
    "APEv2.mp3": lambda sound, name: sound + _ape(name),
    "APEv2 and ID3v1.mp3": lambda sound, name: sound + _ape(name) + _OTHER,
    "ID3 before empty comments.flac": lambda sound, _: id3v2(*_FRAMES, version=3) + sound,
    "ID3 at the end.mp3": lambda sound, _: sound + with_footer(id3v2(*_FRAMES)),
    "ID3 after an empty tag.mp3": lambda sound, _: _EMPTY + id3v2(*_FRAMES) + sound,
    "id under a free name.mp3": lambda sound, name: id3v2(*_FRAMES, *_free_names(name)) + sound,
    "list.wav": _listed,
    "odd chunk before ID3.wav": _odd_chunk,
    "texts.aiff": _texts_of_aiff,
    "levels.mka": _matroska,
}
_WITH_IDS = {"APEv2.mp3", "APEv2 and ID3v1.mp3", "id under a free name.mp3", "levels.mka", "keys.m4a"}
_BY_FFMPEG = {"texts.caf": ("pcm_s16be", {}), "keys.m4a": ("aac", {"movflags": "use_metadata_tags"})}
"""Name -> codec, and options of the container."""
_FEW = {"texts.aiff": SONG | {"album": None, "track_number": None, "year": None}}


def containers() -> Iterator[Case]:
    """One file of each kind."""
    for name, content in _KINDS.items():
        yield Case(f"containers/{name}", lambda p, n, c=content: p.write_bytes(c(_bare(p.suffix, n), p.name)), IMPORTED)
    for name in _BY_FFMPEG:
        yield Case(f"containers/{name}", _write_with_ffmpeg, IMPORTED)


def read_from() -> dict[str, dict[str, Any]]:
    """Return what the library must have of each file."""
    return {
        case.path: _FEW.get(name, SONG) | {"recording_mbid": _recording(name) if name in _WITH_IDS else None}
        for case in containers()
        for name in [Path(case.path).name]
    }


@cache
def _bare(suffix: str, seed: int) -> bytes:
    """Return a second of music without tags."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"sound{suffix}"
        content = encode(path, _music(seed), RATE_HZ, _CODECS[suffix[1:]]).read_bytes()
    return content[content.index(b"\xff") :] if suffix == ".mp3" else content


def _music(seed: int) -> Any:
    return melody(1, RATE_HZ, channels=1, seed=seed)


def _write_with_ffmpeg(path: Path, seed: int) -> None:
    codec, options = _BY_FFMPEG[path.name]
    tags = {"title": "Ode", "artist": "Anna", "album": "Odes", "track": "3/12", "date": "2003"}
    if path.name in _WITH_IDS:
        tags["musicbrainz_trackid"] = _recording(path.name)
    encode(path, _music(seed), RATE_HZ, codec, tags=tags, options=options)
