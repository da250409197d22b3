"""Tags in the chunks of RIFF (WAV, RF64, xWMA) and IFF (AIFF) files."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from wkmp_assets.audio.tag_readers import names
from wkmp_assets.audio.tag_readers.encodings import decode
from wkmp_assets.audio.tag_readers.id3 import parse_id3, read_id3
from wkmp_assets.audio.tag_readers.texts import TagTexts
from wkmp_assets.audio.tag_readers.with_mutagen import LEAKED_BY_MUTAGEN

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHUNKS = 1_000
"""Of one file or list."""
MAX_CHUNK_BYTES = 64 * 1024 * 1024
"""Of one tag."""
_HEADER_BYTES = 8
_MIN_NAME_BYTES = 3
_UNKNOWN_SIZE = 0xFFFFFFFF
"""The size of sound whose end the writer did not know, or whose size RF64 keeps elsewhere."""
_DESCRIPTION_BYTES = 256
_ORIGIN_DATE = slice(320, 330)
_WAVES = frozenset({b"WAVE", b"XWMA"})
_RIFF = frozenset({b"RIFF", b"RF64", b"BW64"})


class _Chunk(NamedTuple):
    name: str
    """Four characters, without blanks at their end, in lower case."""
    start: int
    size: int


def is_riff_beyond_mutagen(file: BinaryIO) -> bool:
    """Tell whether a file is RF64 or xWMA, which mutagen takes for damaged WAV."""
    file.seek(0)
    head = file.read(12)
    return head[:4] in _RIFF and head[8:] in _WAVES and (head[:4], head[8:]) != (b"RIFF", b"WAVE")


def read_chunks(file: BinaryIO, start: int) -> list[TagTexts]:
    """Return the tags in the chunks of a WAV or AIFF file, best first; nothing for other files."""
    file.seek(start)
    head = file.read(12)
    if head[:4] in _RIFF and head[8:] in _WAVES:
        return _read_riff(file, start + 12)
    if head[:4] == b"FORM" and head[8:] in {b"AIFF", b"AIFC"}:
        return _read_aiff(file, start + 12)
    return []


def _read_riff(file: BinaryIO, start: int) -> list[TagTexts]:
    id3: list[TagTexts] = []
    info = TagTexts("RIFF INFO", names.RIFF)
    broadcast = TagTexts("Broadcast WAV", names.BROADCAST)
    for chunk in _walk(file, start, file.seek(0, 2), "<"):
        if chunk.name == "id3":
            id3 += _id3(file, chunk)
        elif chunk.name == "list":
            _add_info(file, chunk, info)
        elif chunk.name == "bext":
            raw = _content(file, chunk)
            broadcast.add("description", [decode(raw[:_DESCRIPTION_BYTES].partition(b"\0")[0])])
            broadcast.add("origination date", [decode(raw[_ORIGIN_DATE].partition(b"\0")[0])])
    return [*id3, info, broadcast]


def _add_info(file: BinaryIO, chunk: _Chunk, info: TagTexts) -> None:
    file.seek(chunk.start)
    if file.read(4).upper() != b"INFO":
        return
    for item in _walk(file, chunk.start + 4, chunk.start + chunk.size, "<"):
        info.add(item.name, [decode(_content(file, item))])


def _read_aiff(file: BinaryIO, start: int) -> list[TagTexts]:
    id3: list[TagTexts] = []
    aiff = TagTexts("AIFF", names.AIFF)
    for chunk in _walk(file, start, file.seek(0, 2), ">"):
        if chunk.name == "id3":
            id3 += _id3(file, chunk)
        elif chunk.name in {"name", "auth"}:
            aiff.add(chunk.name, [decode(_content(file, chunk))])
    return [*id3, aiff]


def _id3(file: BinaryIO, chunk: _Chunk) -> Iterator[TagTexts]:
    try:
        yield read_id3(parse_id3(_content(file, chunk)))
    except LEAKED_BY_MUTAGEN:
        return


def _content(file: BinaryIO, chunk: _Chunk) -> bytes:
    file.seek(chunk.start)
    return file.read(min(chunk.size, MAX_CHUNK_BYTES))


def _walk(file: BinaryIO, start: int, end: int, order: str) -> Iterator[_Chunk]:
    """Yield the chunks between two positions.

    Chunks begin at even positions, but some writers forget that. The size of sound that RF64 keeps elsewhere is read
    there.
    """
    sound_size = None
    for _ in range(MAX_CHUNKS):
        file.seek(start)
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES or start + _HEADER_BYTES > end:
            return
        name, size = struct.unpack(f"{order}4sI", header)
        chunk = _Chunk(name.decode("latin-1").rstrip(" \0").lower(), start + _HEADER_BYTES, size)
        if chunk.name == "ds64":
            sound_size = int.from_bytes(_content(file, chunk)[8:16], "little")
        elif chunk.name == "data" and size == _UNKNOWN_SIZE and sound_size is not None:
            chunk = chunk._replace(size=sound_size)
        yield chunk
        start = chunk.start + chunk.size
        if start % 2 and not _is_name(file, start):
            start += 1


def _is_name(file: BinaryIO, position: int) -> bool:
    file.seek(position)
    name = file.read(4).rstrip(b"\0")
    return len(name) >= _MIN_NAME_BYTES and name.decode("latin-1").isprintable() and name.isascii()
