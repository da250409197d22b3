"""The text of a CUE sheet, whose encoding nothing states.

See Also
--------
Ken Lunde, "CJKV Information Processing", chapter 4: how bytes of the eastern encodings can be told apart.
"""

from __future__ import annotations

import codecs
import re

MIN_COMMON = 0.8
"""The share of characters that must be among the common ones of a language."""
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
_KANJI = re.compile(r"[\u4e00-\u9fff]{2}")
_CYRILLIC = re.compile(rb"[\xc0-\xff]{4}")
"""In Windows-1251; western words have no four accented letters in a row."""
_PAIRS = re.compile(rb"[\xa1-\xfe]+")
"""All that is beyond ASCII in EUC: two bytes a character."""
_PAIR = re.compile(rb"([\xa1-\xfe])([\xa1-\xfe])")
_KANA_LEADS = b"\xa4\xa5"
_HANGUL_LEADS = bytes(range(0xB0, 0xC9))
_COMMON_CHINESE_LEADS = bytes(range(0xB0, 0xD8))
_BIG5_WORD = re.compile(rb"(?:[\xa1-\xf9][\x40-\x7e\xa1-\xfe]){2,}")
_COMMON_BIG5_LEADS = bytes(range(0xA4, 0xC7))


def decode_cue(data: bytes) -> str:
    """Decode the bytes of a sheet.

    A byte order mark decides. Without one, the text is UTF-16, UTF-8, an eastern encoding, Windows-1251 or
    Windows-1252. Western and Russian texts may be valid Shift-JIS by chance, so kana speak for it, and words of two
    kanji if nothing speaks for Russian.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if data.startswith(codecs.BOM_UTF8) or b"\0" not in data[:200]:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
    else:
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace")
    japanese = _decode_strictly(data, "cp932")
    if _KANA.search(japanese):
        return japanese
    encoding = _find_euc(data) or _find_big5(data)
    if encoding and (text := _decode_strictly(data, encoding)):
        return text
    if _CYRILLIC.search(data):
        return data.decode("cp1251", "replace")
    return japanese if _KANJI.search(japanese) else data.decode("cp1252", "replace")


def _decode_strictly(data: bytes, encoding: str) -> str:
    """Return a text; an empty one when the bytes are not of that encoding."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _find_euc(data: bytes) -> str | None:
    """Return which encoding of two high bytes a character has; None when it has none of them.

    Those of Japan, Korea and China share their form. Kana tell the first. In Korean, all characters are Hangul; in
    Chinese, they are spread over more rows. In Russian, no byte is below `0xC0`.
    """
    words = _PAIRS.findall(data)
    pairs = [pair for word in words for pair in _PAIR.findall(word)]
    is_paired = pairs and all(len(word) % 2 == 0 for word in words) and 2 * len(pairs) == _count_high(data)
    if not is_paired or all(min(pair) >= b"\xc0" for pair in pairs):
        return None
    leads = [lead for lead, _ in pairs if lead >= b"\xa4"]
    if _share(leads, _KANA_LEADS):
        return "euc_jp"
    if _share(leads, _HANGUL_LEADS) == 1:
        return "cp949"
    return "gb18030" if _share(leads, _COMMON_CHINESE_LEADS) >= MIN_COMMON else None


def _find_big5(data: bytes) -> str | None:
    """Return Big5 where words of its common characters hold most that is beyond ASCII, else None."""
    words = _BIG5_WORD.findall(data)
    leads = [word[at : at + 1] for word in words for at in range(0, len(word), 2)]
    is_most = sum(map(_count_high, words)) >= MIN_COMMON * _count_high(data)
    return "big5" if words and is_most and _share(leads, _COMMON_BIG5_LEADS) >= MIN_COMMON else None


def _count_high(data: bytes) -> int:
    return sum(byte > 0x7F for byte in data)


def _share(leads: list[bytes], among: bytes) -> float:
    return sum(lead in among for lead in leads) / len(leads) if leads else 0.0
