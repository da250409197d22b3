"""Tags as mutagen reads them, for every container that it knows."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import mutagen
from mutagen.apev2 import APETextValue, APEv2
from mutagen.asf import ASFTags
from mutagen.asf._attrs import ASFBaseAttribute, ASFByteArrayAttribute  # noqa: PLC2701 - it exports neither
from mutagen.id3 import ID3
from mutagen.mp4 import MP4Tags

from wkmp_assets.audio.damaged_data import RAISED_BY_PARSERS
from wkmp_assets.audio.tag_readers import names
from wkmp_assets.audio.tag_readers.encodings import decode
from wkmp_assets.audio.tag_readers.fields import MAX_VALUES
from wkmp_assets.audio.tag_readers.texts import TagTexts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LEAKED_BY_MUTAGEN = (mutagen.MutagenError, *RAISED_BY_PARSERS)
"""What mutagen raises on damaged files."""
_FREEFORM = "----:"
_ASF_NAMESPACE = "wm/"


def open_tags(path: Path) -> tuple[bool, Any]:
    """Return whether mutagen knows the container, and its tags, None where it has none.

    Raises
    ------
    One of LEAKED_BY_MUTAGEN
        The file or its tags cannot be read.
    """
    file = mutagen.File(path)
    return file is not None, None if file is None else file.tags


def is_id3(tags: object) -> bool:
    """Tell whether mutagen's tags are ID3, which has a reader of its own."""
    return isinstance(tags, ID3)


def is_vorbis(texts: TagTexts) -> bool:
    """Tell whether texts are Vorbis comments."""
    return texts.kind == _VORBIS


_VORBIS = "Vorbis comment"


def read_mutagen_tags(tags: Any) -> TagTexts:
    """Return the texts of tags that are not ID3."""
    if isinstance(tags, MP4Tags):
        texts = TagTexts("MP4", names.MP4)
    elif isinstance(tags, APEv2):
        return read_ape(tags)
    elif isinstance(tags, ASFTags):
        texts = TagTexts("ASF", names.ASF)
    else:
        texts = TagTexts(_VORBIS, names.GENERAL)
    for key, value in _entries(tags):
        found = _texts(value)
        texts.add(key, found)
        if key.startswith(_FREEFORM):
            texts.add_free(key.rpartition(":")[2], found)
        elif not isinstance(tags, MP4Tags) and not key.lower().startswith(_ASF_NAMESPACE):
            texts.add_free(key, found)
    return texts


def _entries(tags: Any) -> Iterable[tuple[str, Any]]:
    """Return the values of each key. mutagen keeps some tags as lists, and goes through all of one for each key."""
    if not isinstance(tags, list):
        entries_of: Iterable[tuple[str, Any]] = tags.items()
        return entries_of
    entries: dict[str, list[Any]] = {}
    for key, value in list.__iter__(tags):
        entries.setdefault(key if isinstance(tags, ASFTags) else key.lower(), []).append(value)
    return entries.items()


def read_ape(tags: Any) -> TagTexts:
    """Return the texts of an APEv2 tag."""
    texts = TagTexts("APEv2", names.APE)
    for key, value in tags.items():
        texts.add_free(key, _texts(value))
    return texts


def _texts(value: Any) -> list[str]:
    """Return the texts of one entry of any container; nothing for pictures and other binary entries."""
    if isinstance(value, (list, APETextValue)):
        return [text for item in islice(value, 2 * MAX_VALUES) if (text := _text(item)) is not None]
    if isinstance(value, bool):  # MP4 compilation
        return [str(int(value))]
    return []


def _text(item: object) -> str | None:
    if isinstance(item, str):
        return item
    if isinstance(item, bytes):  # MP4 freeform
        return decode(item)
    if isinstance(item, int):  # MP4 tempo
        return str(item)
    if isinstance(item, tuple):  # MP4 track number and count, 0 when it is unknown
        return "/".join(str(number) for number in item if number)
    if isinstance(item, ASFBaseAttribute) and not isinstance(item, ASFByteArrayAttribute):
        return str(item)
    return None
