"""Tags of Matroska and WebM files, with the level that each states: the track, the album, or none.

FFmpeg gives the levels one name, so that the album's title takes the place of the track's.

See Also
--------
https://www.matroska.org/technical/tagging.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

from wkmp_assets.audio.tag_readers import names
from wkmp_assets.audio.tag_readers.encodings import decode
from wkmp_assets.audio.tag_readers.fields import MAX_CHARACTERS, MAX_VALUES
from wkmp_assets.audio.tag_readers.texts import TagTexts

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ELEMENTS = 50_000
"""Of one file: an hour of sound has a few thousand clusters."""
_MAX_TEXT_BYTES = 8 * MAX_CHARACTERS
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
_INFO, _TITLE = 0x1549A966, 0x7BA9
_TRACKS, _TRACK_ENTRY, _TRACK_UID, _TRACK_TYPE, _TRACK_NAME, _AUDIO = 0x1654AE6B, 0xAE, 0x73C5, 0x83, 0x536E, 2
_TAGS, _TAG, _TARGETS, _SIMPLE_TAG, _TAG_NAME, _TAG_STRING = 0x1254C367, 0x7373, 0x63C0, 0x67C8, 0x45A3, 0x4487
_LEVEL, _LEVEL_NAME, _TAG_TRACK_UID = 0x68CA, 0x63CA, 0x63C5
_OTHER_TARGETS = frozenset({0x63C9, 0x63C4, 0x63C6})
"""An edition, a chapter or an attachment."""
_TRACK_LEVEL = 30
_LEVELS = {70: "collection", 60: "edition", 50: "album", 40: "part", _TRACK_LEVEL: "track"}
_NAMED_LEVELS = {"ALBUM": 50, "CONCERT": 50, "PART": 40, "SESSION": 40, "TRACK": 30, "SONG": 30, "EDITION": 60}
_OF_ITS_LEVEL = frozenset({"TITLE", "SUBTITLE", "PART_NUMBER", "TOTAL_PARTS"})
"""Names that describe only the level of their tag: the title of an album is not that of its tracks."""


@dataclass(frozen=True)
class _Element:
    id: int
    start: int
    end: int


@dataclass
class _File:
    stream: BinaryIO
    left: int = MAX_ELEMENTS
    songs: dict[int, list[str]] = field(default_factory=dict)
    """The sound tracks: their ids, and their names."""

    def children(self, start: int, end: int) -> Iterator[_Element]:
        """Yield the elements between two positions; one of unknown size reaches to the end."""
        while start < end and self.left > 0:
            self.left -= 1
            self.stream.seek(start)
            header = self.stream.read(12)
            name, length = _number(header, is_id=True)
            size, size_length = _number(header[length:])
            if not length or not size_length:
                return
            start += length + size_length
            stop = end if size is None else min(end, start + size)
            yield _Element(name or 0, start, stop)
            start = stop

    def raw(self, element: _Element) -> bytes:
        self.stream.seek(element.start)
        return self.stream.read(min(element.end - element.start, _MAX_TEXT_BYTES))

    def integer(self, element: _Element) -> int:
        return int.from_bytes(self.raw(element)[:8], "big")


def _number(raw: bytes, *, is_id: bool = False) -> tuple[int | None, int]:
    """Return a number of variable length, None when it says "unknown", and its length, 0 when it is damaged."""
    length = 9 - raw[0].bit_length() if raw else 9
    if length > min(len(raw), 4 if is_id else 8):
        return None, 0
    value = int.from_bytes(raw[:length], "big")
    if is_id:
        return value, length
    value &= (1 << 7 * length) - 1
    return None if value == (1 << 7 * length) - 1 else value, length


def read_matroska(stream: BinaryIO) -> TagTexts | None:
    """Return the texts of a Matroska or WebM file; None for other files."""
    file = _File(stream)
    end = stream.seek(0, 2)
    first = next(file.children(0, end), None)
    if first is None or first.id != _EBML:
        return None
    texts = TagTexts("Matroska", names.MATROSKA)
    for segment in file.children(first.end, end):
        if segment.id == _SEGMENT:
            _read_segment(file, segment, texts)
    return texts


def _read_segment(file: _File, segment: _Element, texts: TagTexts) -> None:
    tags: dict[int, _Element] = {}
    promised: list[int] = []
    for element in file.children(segment.start, segment.end):
        if element.id == _SEEK_HEAD:
            promised += _promised_tags(file, element, segment)
        elif element.id == _INFO:
            texts.add("segment/title", [_text(file, item) for item in _of(file, element, _TITLE)])
        elif element.id == _TRACKS:
            file.songs |= _sound_tracks(file, element)
        elif element.id == _TAGS:
            tags[element.start] = element
    for position in promised:
        first = islice(file.children(position, segment.end), 1)
        tags |= {element.start: element for element in first if element.id == _TAGS}
    for tag in chain.from_iterable(_of(file, element, _TAG) for element in tags.values()):
        _add_tag(file, tag, texts)


def _of(file: _File, parent: _Element, name: int) -> Iterator[_Element]:
    return (element for element in file.children(parent.start, parent.end) if element.id == name)


def _promised_tags(file: _File, seek_head: _Element, segment: _Element) -> Iterator[int]:
    for seek in _of(file, seek_head, _SEEK):
        entry = {element.id: file.integer(element) for element in file.children(seek.start, seek.end)}
        if entry.get(_SEEK_ID) == _TAGS:
            yield segment.start + entry.get(_SEEK_POSITION, 0)


def _sound_tracks(file: _File, tracks: _Element) -> dict[int, list[str]]:
    found = {}
    for track in _of(file, tracks, _TRACK_ENTRY):
        entry = {element.id: element for element in file.children(track.start, track.end)}
        if _TRACK_UID in entry and _TRACK_TYPE in entry and file.integer(entry[_TRACK_TYPE]) == _AUDIO:
            title = [_text(file, entry[_TRACK_NAME])] if _TRACK_NAME in entry else []
            found[file.integer(entry[_TRACK_UID])] = title
    return found


def _add_tag(file: _File, tag: _Element, texts: TagTexts) -> None:
    targets = [target for element in _of(file, tag, _TARGETS) for target in file.children(element.start, element.end)]
    if not all(_is_about_the_song(file, target) for target in targets):
        return
    level = _level(file, targets)
    simple = _simple_tags(file, tag)
    if "ARTIST" in simple:  # so that the tag, and the name of its track, are about a song
        uids = [file.integer(target) for target in targets if target.id == _TAG_TRACK_UID]
        texts.add("track/name", [name for uid in uids for name in file.songs.get(uid, [])])
    for name, values in simple.items():
        if level is not None:
            texts.add(f"{_LEVELS.get(level, level)}/{name}", values)
        if level is None or level <= _TRACK_LEVEL or name not in _OF_ITS_LEVEL:
            texts.add_free(name, values)


def _simple_tags(file: _File, tag: _Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in _of(file, tag, _SIMPLE_TAG):
        entry = {item.id: item for item in file.children(element.start, element.end)}
        if _TAG_NAME in entry and _TAG_STRING in entry:
            values = found.setdefault(_text(file, entry[_TAG_NAME]).upper(), [])
            if len(values) <= MAX_VALUES:
                values.append(_text(file, entry[_TAG_STRING]))
    return found


def _is_about_the_song(file: _File, target: _Element) -> bool:
    if target.id == _TAG_TRACK_UID:
        uid = file.integer(target)
        return uid == 0 or not file.songs or uid in file.songs
    return target.id not in _OTHER_TARGETS or file.integer(target) == 0


def _level(file: _File, targets: list[_Element]) -> int | None:
    """Return the level of a tag: its number, else that of its name, else None.

    By default it would be the album, but FFmpeg writes the tags of the track so.
    """
    found = {target.id: target for target in targets}
    if _LEVEL in found:
        return file.integer(found[_LEVEL])
    if _LEVEL_NAME in found:
        return _NAMED_LEVELS.get(_text(file, found[_LEVEL_NAME]).upper())
    return None


def _text(file: _File, element: _Element) -> str:
    return decode(file.raw(element)).rstrip("\0")
