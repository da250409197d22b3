"""How long the header of a file says that its sound lasts, for containers whose length FFmpeg takes from the file size.

A stream (a pipe, a recording, a broadcast) has a placeholder where the length belongs. It announces nothing.

References
----------
MP3: Gabriel Bouvigne, "The Xing and LAME tags"; WAV: Multimedia Programming Interface 1.0; RF64: EBU Tech 3306;
ASF: Advanced Systems Format Specification 1.20, section 3.2.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MAX_CHUNKS = 1_000
"""A damaged file may have millions of empty chunks."""
MAX_SEARCHED_BYTES = 65_536
"""How far behind the ID3 tags the first MP3 frame may begin."""
_ID3_HEADER_BYTES = 10

_MPEG_KBPS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Is MPEG-1 -> kbit/s of Layer III by index."""
_MPEG_RATES_HZ = (44_100, 48_000, 32_000)
"""Of MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter."""

_UNCOMPRESSED = frozenset({1, 3, 6, 7, 0xFFFE})
"""Format tags of PCM, float, A-law, mu-law and the extensible format: their bytes per second are exact."""
_W64_CHUNK_BYTES = 24
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_OBJECT_BYTES = 24
_ASF_BROADCAST = 1


def read_announced_seconds(path: Path, container: str) -> float | None:
    """Return how long a file says that its sound lasts; None when it does not say, or cannot be read.

    Parameters
    ----------
    path : Path
        The file.
    container : str
        FFmpeg's name of its container: `mp3`, `wav`, `w64` or `asf`. Others give None.
    """
    reader = _READERS.get(container)
    if reader is None:
        return None
    try:
        with path.open("rb") as file:
            return reader(file)
    except (OSError, ValueError, struct.error):  # the decode says whether the file can be read
        return None


def _read_mp3(file: BinaryIO) -> float | None:
    """Return the frames of the Xing, Info or VBRI header in seconds. Without one, a file does not state its length."""
    file.seek(_skip_id3(file))
    data = file.read(MAX_SEARCHED_BYTES)
    at = data.find(b"\xff")
    while at >= 0:
        frame = _parse_frame(data, at)
        if frame is not None:
            frames = _counted_frames(data, at, frame)
            if frames is not None:
                return frames * frame.samples / frame.rate_hz if frames else None
            if _parse_frame(data, at + frame.length_bytes) is not None:
                return None
        at = data.find(b"\xff", at + 1)
    return None


def _skip_id3(file: BinaryIO) -> int:
    """Return where the ID3v2 tags at the beginning end."""
    position = 0
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        head = file.read(_ID3_HEADER_BYTES)
        if len(head) < _ID3_HEADER_BYTES or not head.startswith(b"ID3"):
            break
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        has_footer = bool(head[5] & 0x10)
        position += _ID3_HEADER_BYTES * (1 + has_footer) + size
    return position


class _Frame:
    """The header of an MPEG frame of Layer III."""

    def __init__(self, version: int, rate_hz: int, kbps: int, mode: int, padding: int) -> None:
        is_mpeg_1 = version == 3
        self.rate_hz = rate_hz
        self.samples = 1152 if is_mpeg_1 else 576
        self.length_bytes = self.samples // 8 * kbps * 1000 // rate_hz + padding
        is_mono = mode == 3
        side_bytes = (17 if is_mono else 32) if is_mpeg_1 else (9 if is_mono else 17)
        self.tag_offset = 4 + side_bytes


def _parse_frame(data: bytes, at: int) -> _Frame | None:
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3:
        return None
    rate_hz = _MPEG_RATES_HZ[rate] // {3: 1, 2: 2, 0: 4}[version]
    return _Frame(version, rate_hz, _MPEG_KBPS[version == 3][bitrate], head[3] >> 6, head[2] >> 1 & 1)


def _counted_frames(data: bytes, at: int, frame: _Frame) -> int | None:
    """Return the frame count of a header; 0 when it states none, None when there is no header in the frame."""
    tag = at + frame.tag_offset
    if data[tag : tag + 4] in (b"Xing", b"Info"):
        flags, frames = struct.unpack_from(">II", data, tag + 4)
        return int(frames) if flags & 1 else 0
    tag = at + 36  # VBRI stands there whatever the mode
    if data[tag : tag + 4] == b"VBRI":
        return int(struct.unpack_from(">I", data, tag + 14)[0])
    return None


def _read_wav(file: BinaryIO) -> float | None:
    """Return the size of the data chunk in seconds. RF64 files state it in the chunk ds64."""
    if file.read(12)[8:] != b"WAVE":
        return None
    bytes_per_second, large = 0, 0
    for name, size in _chunks(file, 12):
        if name == b"fmt ":
            bytes_per_second = _bytes_per_second(file.read(16))
        elif name == b"ds64":
            large = struct.unpack_from("<QQ", file.read(16))[1]
        elif name == b"data":
            if size == 0xFFFFFFFF and large:
                size = large
            elif _is_placeholder(size):
                return None
            return size / bytes_per_second if bytes_per_second else None
    return None


def _is_placeholder(size: int) -> bool:
    """Tell whether a program wrote a size because the format demands one: none, all bits set, or about 2 GB."""
    return size == 0 or size >= 0xFFFFFFFF - 0x10000 or abs(size - 0x80000000) <= 0x10000


def _chunks(file: BinaryIO, position: int) -> Iterator[tuple[bytes, int]]:
    """Yield name and size of the chunks; the file is at the content of each."""
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        yield name, size
        position += 8 + size + size % 2


def _bytes_per_second(fmt: bytes) -> int:
    """Return the bytes per second of uncompressed sound; 0 for other codecs."""
    tag, _channels, rate_hz, _average, block_bytes = struct.unpack_from("<HHIIH", fmt)
    return int(rate_hz * block_bytes) if tag in _UNCOMPRESSED else 0


def _read_w64(file: BinaryIO) -> float | None:
    """Return the size of the data chunk in seconds. Names are GUIDs that begin with the four letters of WAV."""
    position, bytes_per_second = 40, 0
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        name, size = struct.unpack("<16sQ", file.read(_W64_CHUNK_BYTES))
        if name.startswith(b"fmt "):
            bytes_per_second = _bytes_per_second(file.read(16))
        elif name.startswith(b"data"):
            is_stated = _W64_CHUNK_BYTES < size < 2**62
            return (size - _W64_CHUNK_BYTES) / bytes_per_second if is_stated and bytes_per_second else None
        position += max(size + -size % 8, _W64_CHUNK_BYTES)
    return None


def _read_asf(file: BinaryIO) -> float | None:
    """Return the play duration less the time that players buffer before it."""
    position = 30
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        name, size = struct.unpack("<16sQ", file.read(_ASF_OBJECT_BYTES))
        if name == _ASF_FILE_PROPERTIES:
            # File id, file size, creation date and packet count come first.
            play_100ns, _send, preroll_ms, flags = struct.unpack_from("<QQQI", file.read(40 + 28), 40)
            seconds = play_100ns / 1e7 - preroll_ms / 1e3
            return None if flags & _ASF_BROADCAST or seconds <= 0 else float(seconds)
        position += max(size, _ASF_OBJECT_BYTES)
    return None


_READERS: Mapping[str, Callable[[BinaryIO], float | None]] = {
    "mp3": _read_mp3,
    "wav": _read_wav,
    "w64": _read_w64,
    "asf": _read_asf,
}
