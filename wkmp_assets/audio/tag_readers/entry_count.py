"""How many entries the tags at the start of a file have, told without parsing them.

Tag readers and FFmpeg compare each entry with all others, so that 100,000 of them take minutes.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from wkmp_assets.errors import TooManyTagsError

if TYPE_CHECKING:
    from pathlib import Path

MAX_ENTRIES = 50_000
"""Some seconds of work. The most that real files have are about a thousand chapters of an audiobook."""
_ID3_HEADER_BYTES = 10
_PAGE_BYTES = 64 * 1024
"""Of Ogg, whose second packet has the comments."""
_COMMENT_HEADER = re.compile(rb"\x03vorbis|OpusTags")
_MIN_COMMENT_BYTES = 5
"""Of a comment with its length. Damaged files announce billions, for which they have no room."""
_FLAC_BLOCK_HEADER_BYTES = 4
_FLAC_COMMENTS = 4
_FLAC_IS_LAST = 0x80
_MAX_FLAC_BLOCKS = 1_000


class _Frames(NamedTuple):
    """How the frames of one version of ID3 begin."""

    name_bytes: int
    size_bytes: int
    header_bytes: int
    bits: int
    """Of a byte of the size."""


_FRAMES = {2: _Frames(3, 3, 6, 8), 3: _Frames(4, 4, 10, 8), 4: _Frames(4, 4, 10, 7)}


def check_entry_count(path: Path, display_path: str) -> None:
    """Check that the tags at the start of a file have at most `MAX_ENTRIES` entries.

    Frames of ID3v2 and comments of FLAC, Ogg Vorbis and Opus are counted. The time limit of a worker ends other
    containers.

    Parameters
    ----------
    path : Path
        Any file. One that cannot be read is left to those that read it.
    display_path : str
        The file as messages name it.

    Raises
    ------
    TooManyTagsError
        They have more.
    """
    try:
        with path.open("rb") as file:
            count = max(_count_id3(file), _count_comments(file))
    except OSError:
        return
    if count > MAX_ENTRIES:
        raise TooManyTagsError(display_path, f"its tags have more than {MAX_ENTRIES:,} entries")


def _number(digits: bytes, bits: int = 8) -> int:
    number = 0
    for digit in digits:
        number = number << bits | digit
    return number


def _count_id3(file: BinaryIO) -> int:
    """Count the frames, and leave the file at the end of the tag, or at its start when there is none."""
    head = file.read(_ID3_HEADER_BYTES)
    frames = _FRAMES.get(head[3]) if len(head) == _ID3_HEADER_BYTES and head.startswith(b"ID3") else None
    if frames is None:
        file.seek(0)
        return 0
    end = _ID3_HEADER_BYTES + _number(head[6:], 7)
    position, count = _ID3_HEADER_BYTES, 0
    while position < end and count <= MAX_ENTRIES:
        file.seek(position)
        header = file.read(frames.header_bytes)
        if len(header) < frames.header_bytes or not header[: frames.name_bytes].isalnum():
            break
        size = header[frames.name_bytes : frames.name_bytes + frames.size_bytes]
        position += frames.header_bytes + _number(size, frames.bits)
        count += 1
    file.seek(end)
    return count


def _count_comments(file: BinaryIO) -> int:
    """Return how many Vorbis comments the container at the position of the file announces and has room for."""
    start = file.tell()
    head = file.read(_PAGE_BYTES)
    if head.startswith(b"fLaC"):
        return _count_flac(file, start + len(b"fLaC"))
    comments = _COMMENT_HEADER.search(head) if head.startswith(b"OggS") else None
    return _announced(head[comments.end() :], os.fstat(file.fileno()).st_size) if comments else 0


def _count_flac(file: BinaryIO, position: int) -> int:
    for _ in range(_MAX_FLAC_BLOCKS):
        file.seek(position)
        header = file.read(_FLAC_BLOCK_HEADER_BYTES)
        if len(header) < _FLAC_BLOCK_HEADER_BYTES:
            break
        if header[0] & ~_FLAC_IS_LAST == _FLAC_COMMENTS:
            return _announced(file.read(_PAGE_BYTES), _number(header[1:]))
        if header[0] & _FLAC_IS_LAST:
            break
        position += _FLAC_BLOCK_HEADER_BYTES + _number(header[1:])
    return 0


def _announced(comments: bytes, room_bytes: int) -> int:
    """Read the number of comments, which stands behind the name of the encoder."""
    behind = 4 + int.from_bytes(comments[:4], "little")
    return min(int.from_bytes(comments[behind : behind + 4], "little"), room_bytes // _MIN_COMMENT_BYTES)
