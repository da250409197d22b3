"""Tags before and after the sound of any file: ID3v2, APEv2, Lyrics3 and ID3v1, in any number and order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, BinaryIO

from mutagen.apev2 import APEv2

from wkmp_assets.audio.tag_readers import names
from wkmp_assets.audio.tag_readers.encodings import decode
from wkmp_assets.audio.tag_readers.id3 import ID3V1_BYTES, parse_id3, read_id3, read_id3v1
from wkmp_assets.audio.tag_readers.texts import TagTexts
from wkmp_assets.audio.tag_readers.with_mutagen import LEAKED_BY_MUTAGEN, read_ape

MAX_BLOCK_BYTES = 64 * 1024 * 1024
"""Of one tag. Real ones hold a few pictures."""
MAX_BLOCKS = 10
"""At each end of a file."""
_MAX_PADDING_BYTES = 4_096
_ID3_HEADER_BYTES = 10
_HAS_FOOTER = 0x10
_APE_FOOTER_BYTES = 32
_APE_MAGIC = b"APETAGEX"
"""It holds the magic of ID3v1, `TAG`."""
_APE_HAS_HEADER = 1 << 31
_LYRICS3_BEGIN = b"LYRICSBEGIN"
_LYRICS3_END = b"LYRICS200"
_OLD_LYRICS3_END = b"LYRICSEND"
_MAX_OLD_LYRICS3_BYTES = 5_100 + len(_LYRICS3_BEGIN) + len(_OLD_LYRICS3_END)
_LYRICS3_SIZE_DIGITS = 6
_LYRICS3_FIELD = re.compile(rb"([A-Z]{3})([0-9]{5})")


def read_leading(file: BinaryIO) -> tuple[list[TagTexts], int]:
    """Return the ID3v2 and APEv2 tags at the start of a file, and where they end.

    Programs that add a tag without looking leave an empty or older one before it.
    """
    found: list[TagTexts] = []
    end = 0
    for parse, raw, behind in _leading(file):
        found += parse(raw)
        end = behind
    return found, end


def read_trailing(file: BinaryIO, start: int) -> list[TagTexts]:
    """Return the tags at the end of a file, the better kinds first; none of them begins before `start`."""
    found = [texts for parse, raw in _trailing(file, start) for texts in parse(raw)]
    order = ["ID3v2", "APEv2", "Lyrics3", "ID3v1"]
    return sorted(found, key=lambda texts: order.index(texts.kind))


def find_blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the ID3v2 and APEv2 tags at both ends of a file, unread. ID3v2 begins with `ID3`."""
    end = 0
    for _, raw, behind in _leading(file):
        yield raw
        end = behind
    for parse, raw in _trailing(file, end):
        if parse in {_parsed_id3, _parsed_ape}:
            yield raw


_Parse = Callable[[bytes], Iterator[TagTexts]]


def _leading(file: BinaryIO) -> Iterator[tuple[_Parse, bytes, int]]:
    """Yield each tag with the position behind it."""
    position = 0
    for _ in range(MAX_BLOCKS):
        file.seek(position)
        head = file.read(_MAX_PADDING_BYTES if position else _APE_FOOTER_BYTES)
        start = len(head) - len(head.lstrip(b"\0")) if position else 0
        id3, ape = _id3_bytes(head[start:]), _ape_bytes(head[start:])
        size = id3 or ape
        if not size:
            break
        file.seek(position + start)
        raw = file.read(min(size, MAX_BLOCK_BYTES))
        position += start + size
        yield (_parsed_id3 if id3 else _parsed_ape), raw, position


def _trailing(file: BinaryIO, start: int) -> Iterator[tuple[_Parse, bytes]]:
    end = file.seek(0, 2)
    for _ in range(MAX_BLOCKS):
        size = 0
        for measure, parse in _KINDS:
            size = measure(file, end)
            if size and size <= end - start:
                file.seek(end - size)
                if size <= MAX_BLOCK_BYTES:
                    yield parse, file.read(size)
                break
        else:
            return
        end -= size


def _before(file: BinaryIO, end: int, count: int) -> bytes:
    file.seek(max(0, end - count))
    return file.read(min(count, end))


def _id3_bytes(header: bytes, magic: bytes = b"ID3") -> int | None:
    """Return the size of an ID3v2 tag with its header and footer; None where there is none."""
    if len(header) < _ID3_HEADER_BYTES or not header.startswith(magic) or max(header[6:10]) & 0x80:
        return None
    size = sum(byte << shift for byte, shift in zip(header[6:10], (21, 14, 7, 0), strict=True))
    return size + _ID3_HEADER_BYTES * (2 if header[5] & _HAS_FOOTER else 1)


def _id3_before(file: BinaryIO, end: int) -> int:
    return _id3_bytes(_before(file, end, _ID3_HEADER_BYTES), b"3DI") or 0


def _parsed_id3(raw: bytes) -> Iterator[TagTexts]:
    try:
        yield read_id3(parse_id3(raw))
    except LEAKED_BY_MUTAGEN:
        return


def _ape_before(file: BinaryIO, end: int) -> int:
    return _ape_bytes(_before(file, end, _APE_FOOTER_BYTES))


def _ape_bytes(header: bytes) -> int:
    """Return the size of an APEv2 tag by its header or footer; 0 where there is none."""
    if not header.startswith(_APE_MAGIC) or len(header) < _APE_FOOTER_BYTES:
        return 0
    flags = int.from_bytes(header[20:24], "little")
    return int.from_bytes(header[12:16], "little") + (_APE_FOOTER_BYTES if flags & _APE_HAS_HEADER else 0)


def _parsed_ape(raw: bytes) -> Iterator[TagTexts]:
    open_ape: Any = APEv2
    try:
        yield read_ape(open_ape(BytesIO(raw)))
    except LEAKED_BY_MUTAGEN:
        return


def _lyrics3_before(file: BinaryIO, end: int) -> int:
    tail = _before(file, end, len(_LYRICS3_END) + _LYRICS3_SIZE_DIGITS)
    size = tail[:_LYRICS3_SIZE_DIGITS]
    return int(size) + len(tail) if tail.endswith(_LYRICS3_END) and size.isdigit() else 0


def _old_lyrics3_before(file: BinaryIO, end: int) -> int:
    """Return the size of a Lyrics3v1 tag, which holds lyrics alone; 0 where there is none."""
    tail = _before(file, end, _MAX_OLD_LYRICS3_BYTES)
    begin = tail.rfind(_LYRICS3_BEGIN)
    return len(tail) - begin if tail.endswith(_OLD_LYRICS3_END) and begin >= 0 else 0


def _parsed_lyrics3(raw: bytes) -> Iterator[TagTexts]:
    texts = TagTexts("Lyrics3", names.LYRICS3)
    position = len(_LYRICS3_BEGIN)
    while field := _LYRICS3_FIELD.match(raw, position):
        position = field.end() + int(field[2])
        texts.add(field[1].decode("ascii"), [decode(raw[field.end() : position])])
    yield texts


def _id3v1_before(file: BinaryIO, end: int) -> int:
    tail = _before(file, end, ID3V1_BYTES + len(b"APE"))
    before, tag = tail[:-ID3V1_BYTES], tail[-ID3V1_BYTES:]
    return ID3V1_BYTES if tag.startswith(b"TAG") and not (before + tag).startswith(_APE_MAGIC) else 0


def _parsed_id3v1(raw: bytes) -> Iterator[TagTexts]:
    yield read_id3v1(raw)


_KINDS = (
    (_id3v1_before, _parsed_id3v1),
    (_lyrics3_before, _parsed_lyrics3),
    (_old_lyrics3_before, lambda _raw: iter(())),
    (_ape_before, _parsed_ape),
    (_id3_before, _parsed_id3),
)
