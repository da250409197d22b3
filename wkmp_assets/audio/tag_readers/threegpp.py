"""Texts of 3GP files, which keep them in boxes of their own, beside those of MP4.

See Also
--------
3GPP TS 26.244, section 8: asset information.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from wkmp_assets.audio.tag_readers import names
from wkmp_assets.audio.tag_readers.encodings import decode
from wkmp_assets.audio.tag_readers.fields import MAX_CHARACTERS
from wkmp_assets.audio.tag_readers.texts import TagTexts

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BOXES = 1_000
"""Side by side."""
_HEADER_BYTES = 8
_LONG_HEADER_BYTES = 16
_VERSION_BYTES = 4
_LANGUAGE_BYTES = 2
_MAX_TEXT_BYTES = 8 * MAX_CHARACTERS
_YEAR = "yrrc"


def read_threegpp(file: BinaryIO) -> TagTexts | None:
    """Return the texts of a 3GP file; None for files that are no kind of MP4."""
    file.seek(0)
    if file.read(_HEADER_BYTES)[4:] != b"ftyp":
        return None
    texts = TagTexts("3GPP", names.THREEGPP)
    end = file.seek(0, 2)
    for movie, start, stop in _boxes(file, 0, end):
        for name, first, last in _boxes(file, start, stop) if movie == b"moov" else ():
            for box, at, beyond in _boxes(file, first, last) if name == b"udta" else ():
                _add(file, box.decode("latin-1"), at, beyond, texts)
    return texts


def _add(file: BinaryIO, name: str, start: int, end: int, texts: TagTexts) -> None:
    file.seek(start)
    raw = file.read(min(end - start, _MAX_TEXT_BYTES))[_VERSION_BYTES:]
    if name == _YEAR:
        texts.add(name, [str(int.from_bytes(raw[:2], "big"))])
    else:
        texts.add(name, [decode(raw[_LANGUAGE_BYTES:])])


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the boxes between two positions: name, start and end of the content."""
    for _ in range(MAX_BOXES):
        file.seek(start)
        header = file.read(_LONG_HEADER_BYTES)
        size, header_bytes = int.from_bytes(header[:4], "big"), _HEADER_BYTES
        if size == 1:
            size, header_bytes = int.from_bytes(header[8:16], "big"), _LONG_HEADER_BYTES
        elif size == 0:
            size = end - start
        if size < header_bytes or start + size > end:
            return
        yield header[4:8], start + header_bytes, start + size
        start += size
