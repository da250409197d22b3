"""The pictures that a file carries, of every container."""

from __future__ import annotations

import struct
from base64 import b64decode
from contextlib import suppress
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import mutagen
from mutagen.apev2 import APEv2
from mutagen.asf import ASFTags
from mutagen.flac import FLAC, Picture
from mutagen.id3 import ID3, PictureType
from mutagen.mp4 import MP4Tags

from wkmp_assets.audio.covers.beside import EXTENSIONS, STEMS
from wkmp_assets.audio.ffmpeg_file import open_with_ffmpeg
from wkmp_assets.audio.tag_readers.blocks import find_blocks
from wkmp_assets.audio.tag_readers.with_mutagen import LEAKED_BY_MUTAGEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_PICTURES = 50
"""Of one file: far more than any booklet has. A malicious file has a million."""
FRONT, BACK, LEAFLET, OTHER = (
    int(kind) for kind in (PictureType.COVER_FRONT, PictureType.COVER_BACK, PictureType.LEAFLET_PAGE, PictureType.OTHER)
)
_LINK = "-->"
"""MIME type of a picture that is only an address."""


class EmbeddedPicture(NamedTuple):
    """One picture as its container holds it."""

    type: int
    """ID3's number: 3 is the front cover, 4 the back cover, 5 a page of the leaflet, 0 none of its types."""
    data: bytes
    problem: str = ""
    """Why it has no data."""


def read_embedded(path: Path) -> list[EmbeddedPicture]:
    """Read the pictures of one file, in the order of the file, at most `MAX_PICTURES`.

    Tags before and after the sound (ID3, APEv2) are looked at when those of the container have no picture. Files that
    mutagen cannot read are opened with FFmpeg.

    Parameters
    ----------
    path : Path
        Any file. One that cannot be read has no pictures, because its tags are a warning already.
    """
    try:
        file = mutagen.File(path)
        found = [] if file is None else list(islice(_of_file(file), MAX_PICTURES))
    except LEAKED_BY_MUTAGEN:
        file, found = None, []
    for read in (_of_blocks,) if file is not None else (_of_blocks, _of_ffmpeg):
        if found:
            break
        try:
            found = list(islice(read(path), MAX_PICTURES))
        except (*LEAKED_BY_MUTAGEN, av.error.FFmpegError):
            continue
    return found


def _of_file(file: Any) -> Iterator[EmbeddedPicture]:
    if isinstance(file, FLAC):
        yield from (EmbeddedPicture(one.type, one.data) for one in file.pictures)
    tags: Any = file.tags
    if isinstance(tags, ID3):
        yield from _of_frames(tags)
    elif isinstance(tags, MP4Tags):
        yield from (EmbeddedPicture(FRONT, bytes(one)) for one in _values(tags, "covr"))
    elif isinstance(tags, APEv2):
        yield from _of_ape_items(tags)
    elif isinstance(tags, ASFTags):
        yield from (_parse_asf(one.value) for one in _values(tags, "WM/Picture"))
    elif tags is not None:
        yield from _of_comments(tags)


def _values(tags: Any, key: str) -> Any:
    return tags.get(key, ())


def _of_blocks(path: Path) -> Iterator[EmbeddedPicture]:
    """Yield the pictures of tags before and after any container, such as the full ID3 tag behind an empty one."""
    open_id3: Any = ID3
    open_ape: Any = APEv2
    with path.open("rb") as file:
        for raw in find_blocks(file):
            if not any(name in raw for name in _NAMES_OF_PICTURES):
                continue  # a tag without pictures need not be parsed again
            with suppress(*LEAKED_BY_MUTAGEN):
                if raw.startswith(b"ID3"):
                    yield from _of_frames(open_id3(BytesIO(raw)))
                else:
                    yield from _of_ape_items(open_ape(BytesIO(raw)))


_NAMES_OF_PICTURES = (b"PIC", b"over", b"OVER")
"""Of frames of ID3, and of items of APEv2 in any case."""


def _of_frames(tags: Any) -> Iterator[EmbeddedPicture]:
    for frame in tags.getall("APIC"):  # mutagen gives ID3v2.2's PIC the same name
        if frame.mime == _LINK:
            yield EmbeddedPicture(int(frame.type), b"", "it is the address of a picture elsewhere")
        else:
            yield EmbeddedPicture(int(frame.type), frame.data)


_APE_TYPES = {
    "cover art (front)": FRONT,
    "cover art (back)": BACK,
    "cover art (leaflet)": LEAFLET,
    "cover art (leaflet page)": LEAFLET,
}


def _of_ape_items(tags: Any) -> Iterator[EmbeddedPicture]:
    """Yield the pictures of APEv2: a file name, a zero byte, and the picture."""
    for key, item in tags.items():
        name = key.lower()
        if name.startswith("cover art (") and isinstance(item.value, bytes):
            yield EmbeddedPicture(_APE_TYPES.get(name, OTHER), item.value.partition(b"\0")[2])


def _parse_asf(value: bytes) -> EmbeddedPicture:
    """Parse a WM_PICTURE: type, size, MIME type, description (both UTF-16 with a zero), and the picture."""
    try:
        kind, size = struct.unpack_from("<BI", value)
        mime_end = _end_of_utf16(value, 5)
        start = _end_of_utf16(value, mime_end)
    except (ValueError, struct.error):
        return EmbeddedPicture(OTHER, b"", "its header is damaged")
    return EmbeddedPicture(kind, value[start : start + size])


def _end_of_utf16(value: bytes, start: int) -> int:
    """Return the index behind a text that ends with a zero.

    Raises
    ------
    ValueError
        The text has no end.
    """
    end = value.index(b"\0\0", start)
    while (end - start) % 2:
        end = value.index(b"\0\0", end + 1)
    return end + 2


def _of_comments(tags: Any) -> Iterator[EmbeddedPicture]:
    """Yield the pictures of Vorbis comments: FLAC picture blocks, or the older bare `COVERART`, in base64."""
    open_block: Any = Picture
    for text in _values(tags, "metadata_block_picture"):
        try:
            block = open_block(b64decode(text))
            yield EmbeddedPicture(block.type, block.data)
        except LEAKED_BY_MUTAGEN:
            yield EmbeddedPicture(FRONT, b"", "its block is damaged")
    for text in _values(tags, "coverart"):
        try:
            yield EmbeddedPicture(FRONT, b64decode(text))
        except ValueError:
            yield EmbeddedPicture(FRONT, b"", "it is no base64")


def _of_ffmpeg(path: Path) -> Iterator[EmbeddedPicture]:
    """Yield the attachments of Matroska, which FFmpeg shows as streams: those it can decode as attached pictures."""
    with open_with_ffmpeg(path, metadata_errors="ignore") as container:
        streams: Any = container.streams
        for stream in streams:
            name = stream.metadata.get("filename", "").lower()
            if stream.type == "attachment":
                if stream.mimetype.startswith("image/") or name.endswith(EXTENSIONS):
                    yield EmbeddedPicture(_type_of_attachment(name), bytes(stream.data))
            elif stream.disposition & av.stream.Disposition.attached_pic:
                kind = _type_of_attachment(name)
                yield from (EmbeddedPicture(kind, bytes(one)) for one in islice(container.demux(stream), 1))


def _type_of_attachment(name: str) -> int:
    """Return the type that an attachment's name tells; Matroska's own names are `cover.jpg` and `small_cover.jpg`."""
    if "back" in name:
        return BACK
    return FRONT if any(stem in name for stem in STEMS) else OTHER
