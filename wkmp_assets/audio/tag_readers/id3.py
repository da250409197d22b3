"""The texts of ID3 tags."""

from __future__ import annotations

from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from mutagen import id3

from wkmp_assets.audio.tag_readers import names
from wkmp_assets.audio.tag_readers.encodings import decode, repair_latin_1, repair_utf_16
from wkmp_assets.audio.tag_readers.fields import MAX_VALUES
from wkmp_assets.audio.tag_readers.ids import UFID as MUSICBRAINZ
from wkmp_assets.audio.tag_readers.texts import TagTexts

if TYPE_CHECKING:
    from collections.abc import Iterable

ID3V1_BYTES = 128
_MARKS_AS_LATIN_1 = ("ÿþ", "þÿ")
"""The byte order marks of UTF-16."""
_NO_GENRE = "Unknown"
"""What mutagen says for a number that has no genre."""
_MUSICBRAINZ_OWNER = "musicbrainz.org"
_DATES = ("TDRC", "TDRL", "TDOR", "TYER", "TORY", "TDAT")
_OLD_DATES = {"TYE": "TYER", "TOR": "TORY", "TDA": "TDAT"}


def _frames_with_plain_dates() -> dict[str, Any]:
    """Return mutagen's frames, with those of dates as texts: it drops what it cannot read as a date."""
    plain: dict[str, Any] = {name: type(name, (id3.TextFrame,), {}) for name in _DATES}
    old = {name: type(name, (plain[of],), {}) for name, of in _OLD_DATES.items()}
    return {**id3.Frames, **id3.Frames_2_2, **plain, **old}


_FRAMES = _frames_with_plain_dates()


def parse_id3(raw: bytes) -> Any:
    """Parse an ID3v2 tag from its header on.

    Raises
    ------
    One of LEAKED_BY_MUTAGEN
        It cannot be read.
    """
    open_id3: Any = id3.ID3
    return open_id3(BytesIO(raw), known_frames=_FRAMES, load_v1=False, translate=False)


def count_private_bytes(tags: Any) -> int:
    """Return the size of what programs keep for themselves in an ID3v2 tag."""
    return sum(len(frame.data) for frame in tags.getall("PRIV"))


def read_id3(tags: Any) -> TagTexts:
    """Return the texts of an ID3v2 tag."""
    texts = TagTexts("ID3v2", names.ID3)
    _add_frames(texts, tags.values())
    return texts


def read_id3v1(raw: bytes) -> TagTexts:
    """Return the texts of the 128 bytes of an ID3v1 tag, which cuts them at 30 characters."""
    texts = TagTexts("ID3v1", names.ID3)
    parse: Any = id3.ParseID3v1
    _add_frames(texts, (parse(raw) or {}).values())
    return texts


def _add_frames(texts: TagTexts, frames: Iterable[Any]) -> None:
    dates: dict[str, str] = {}
    for mutagen_frame in frames:
        frame: Any = mutagen_frame  # mutagen sets the attributes of its frames at run time
        if isinstance(mutagen_frame, id3.UFID):
            if _host(frame.owner) == _MUSICBRAINZ_OWNER:
                texts.add(MUSICBRAINZ, [decode(frame.data)])
        elif isinstance(mutagen_frame, id3.TXXX):
            texts.add_free(_repaired(frame, frame.desc), _texts(frame))
        elif isinstance(mutagen_frame, id3.TextFrame):
            found = _texts(frame)
            if frame.FrameID in {"TYER", "TDAT"}:
                dates[frame.FrameID] = "".join(found[:1])
            else:
                texts.add(frame.FrameID, found)
    texts.add("TYER", [_with_day(dates.get("TYER", ""), dates.get("TDAT", ""))])


def _with_day(year: str, day_and_month: str) -> str:
    """Return a year with its day and month, which ID3v2.3 keeps as `DDMM` in another frame."""
    year, day_and_month = year.strip("\0 "), day_and_month.strip("\0 ")
    if len(year) == len(day_and_month) == len("YYYY") and (year + day_and_month).isdecimal():
        return f"{year}-{day_and_month[2:]}-{day_and_month[:2]}"
    return year


def _host(owner: str) -> str:
    return owner.strip().lower().partition("://")[2].removeprefix("www.").rstrip("/") or owner.strip().lower()


def _texts(frame: Any) -> list[str]:
    if isinstance(frame, id3.TCON):  # "(17)Rock" is "Rock", and a number without a genre is none
        genres = (genre for genre in frame.genres if genre != _NO_GENRE or genre in frame.text)
        return [_repaired(frame, text) for text in islice(genres, 2 * MAX_VALUES)]
    texts = [str(text) for text in frame.text[: 2 * MAX_VALUES]]
    if frame.encoding == id3.Encoding.LATIN1 and texts and texts[0].startswith(_MARKS_AS_LATIN_1):
        texts = ["\0".join(texts)]  # the NULs at which mutagen split it are halves of characters
    return [_repaired(frame, text) for text in texts]


def _repaired(frame: Any, text: str) -> str:
    if frame.encoding == id3.Encoding.LATIN1:
        return repair_latin_1(text)
    return repair_utf_16(text) if frame.encoding == id3.Encoding.UTF16 else text
