"""Texts out of bytes whose encoding is unknown or wrongly declared."""

from __future__ import annotations

import codecs

_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MIN_ASCII_IN_UTF_16 = 0.5


def decode(raw: bytes) -> str:
    """Decode bytes: UTF-16 where they show it, else UTF-8, else the encoding of western Windows."""
    if raw.startswith(_BYTE_ORDER_MARKS):
        return raw.decode("utf-16", "replace")
    if raw and len(raw) % 2 == 0 and len(raw.rstrip(b"\0")) > 1:
        for is_high, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if raw[is_high::2].count(0) > _MIN_ASCII_IN_UTF_16 * len(raw) / 2 and 0 not in raw[1 - is_high :: 2]:
                return raw.decode(encoding, "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def repair_latin_1(text: str) -> str:
    """Return a text that was declared as Latin-1, but is UTF-16 by its byte order mark, or UTF-8.

    Latin-1 text that happens to be UTF-8 beyond ASCII hardly exists.
    """
    if text.isascii():
        return text
    try:
        raw = text.encode("latin-1")
        if raw.startswith(_BYTE_ORDER_MARKS):
            return (raw + b"\0" * (len(raw) % 2)).decode("utf-16")  # the end of the last character is taken for blank
        return raw.decode("utf-8")
    except UnicodeError:
        return text


def repair_utf_16(text: str) -> str:
    """Return a text that was read with its bytes in the wrong order, as one without a byte order mark is."""
    if not text or any(ord(char) & 0xFF or ord(char) > 0xFFFF for char in text):
        return text
    return "".join(chr(ord(char) >> 8) for char in text)
