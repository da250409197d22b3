"""The texts of a file's tags, under the same names for all containers, each from the best tag that has it.

See Also
--------
wkmp_assets.audio.tag_readers : one reader for each kind of tag.
wkmp_assets.audio.tags : what the texts mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wkmp_assets.audio.tag_readers.blocks import read_leading, read_trailing
from wkmp_assets.audio.tag_readers.chunks import is_riff_beyond_mutagen, read_chunks
from wkmp_assets.audio.tag_readers.fields import MAX_CHARACTERS, MAX_VALUES, TagFields
from wkmp_assets.audio.tag_readers.id3 import count_private_bytes, read_id3
from wkmp_assets.audio.tag_readers.matroska import read_matroska
from wkmp_assets.audio.tag_readers.threegpp import read_threegpp
from wkmp_assets.audio.tag_readers.with_ffmpeg import read_with_ffmpeg
from wkmp_assets.audio.tag_readers.with_mutagen import (
    LEAKED_BY_MUTAGEN,
    is_id3,
    is_vorbis,
    open_tags,
    read_mutagen_tags,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wkmp_assets.audio.tag_readers.texts import TagTexts

__all__ = ["LEAKED_BY_MUTAGEN", "MAX_CHARACTERS", "MAX_VALUES", "ReadTags", "TagFields", "read_fields"]

_APE_CONTAINERS = (b"MAC ", b"MP+", b"MPCK", b"wvpk", b"tBaK")
"""How Monkey's Audio, Musepack, WavPack and TAK begin. Their tag is APEv2, and an ID3 tag before them is a mistake."""
_ID3_KINDS = frozenset({"ID3v1", "ID3v2"})
_MAIN_FIELDS = ("title", "artist", "album", "track", "date")
"""When one of them is missing, FFmpeg is asked as well. It reads the same tags as the others, but for rare ones."""

_MAX_PRIVATE_BYTES = 1_000_000
"""Of frames that FFmpeg spells out as text, which takes it a third of a second for each megabyte."""


class ReadTags(NamedTuple):
    """What the tags of one file say, and where."""

    fields: TagFields
    sources: dict[str, str]
    """For each field that has texts: the kind of tag that they are from."""


def read_fields(path: Path) -> ReadTags | None:
    """Read the tags of one file.

    The tags that belong to the container come first, then those before and after the sound, then what FFmpeg says.
    A field is taken from the first of them that has it.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    ReadTags or None
        All fields are empty when the file has no tags; None when nobody knows the container.

    Raises
    ------
    One of LEAKED_BY_MUTAGEN
        The file or its tags cannot be read, and nothing else was found in it.
    """
    error: Exception | None = None
    is_known, tags = False, None
    try:
        is_known, tags = _open_with_mutagen(path)
    except LEAKED_BY_MUTAGEN as raised:
        error = raised
    found = [] if tags is None or is_id3(tags) else [read_mutagen_tags(tags)]
    found += _other_tags(path, found)
    if is_id3(tags) and not any(texts.kind in _ID3_KINDS for texts in found):
        found.append(read_id3(tags))  # of DSF and DSDIFF
    read = _merged(found)
    is_complete = all(getattr(read.fields, name) for name in _MAIN_FIELDS)
    if not is_complete and not (is_id3(tags) and count_private_bytes(tags) > _MAX_PRIVATE_BYTES):
        by_ffmpeg = read_with_ffmpeg(path)
        is_known = is_known or by_ffmpeg is not None
        read = _merged([*found, *([by_ffmpeg] if by_ffmpeg else [])])
    if error and not read.sources:
        raise error
    return read if is_known or read.sources else None


def _open_with_mutagen(path: Path) -> tuple[bool, Any]:
    with path.open("rb") as file:
        if is_riff_beyond_mutagen(file):
            return True, None
    return open_tags(path)


def _other_tags(path: Path, found: list[TagTexts]) -> list[TagTexts]:
    with path.open("rb") as file:
        leading, start = read_leading(file)
        in_container = [texts for texts in (read_matroska(file), read_threegpp(file)) if texts]
        behind = read_trailing(file, start)
        file.seek(start)
        around = behind + leading if file.read(4).startswith(_APE_CONTAINERS) else leading + behind
        others = [*in_container, *read_chunks(file, start), *around]
    if any(is_vorbis(texts) and any(texts.fields()) for texts in found):
        return []  # ID3 beside them is a mistake of old programs, and often out of date
    return others


def _merged(found: Iterable[TagTexts]) -> ReadTags:
    fields = TagFields()
    sources: dict[str, str] = {}
    for texts in found:
        new = {name: values for name, values in texts.fields()._asdict().items() if values and name not in sources}
        fields = fields._replace(**new)
        sources |= dict.fromkeys(new, texts.kind)
    return ReadTags(fields, {name: sources[name] for name in TagFields._fields if name in sources})
