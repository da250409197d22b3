"""A playlist of passages in M3U8, with where each begins and ends in its file.

VLC reads the times of `#EXTVLCOPT` and plays the passage alone. Other players ignore these lines and play the whole
file: https://wiki.videolan.org/M3U/.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PlaylistEntry:
    """One passage of a playlist."""

    file: Path
    """Absolute."""
    name: str
    start_s: float
    end_s: float


def write_m3u8(entries: Iterable[PlaylistEntry]) -> bytes:
    """Return a playlist.

    Paths are absolute and have the bytes that they have on disk. A path with a line break is written as a URL, because
    the format has one line for each path.
    """
    lines = [b"#EXTM3U"]
    for entry in entries:
        lines += [
            f"#EXTINF:{round(entry.end_s - entry.start_s)},{' '.join(entry.name.split())}".encode("utf-8", "replace"),
            f"#EXTVLCOPT:start-time={entry.start_s:.3f}".encode(),
            f"#EXTVLCOPT:stop-time={entry.end_s:.3f}".encode(),
            _path(entry.file),
        ]
    return b"\n".join(lines) + b"\n"


def _path(file: Path) -> bytes:
    written = bytes(file)
    return file.as_uri().encode() if b"\n" in written or b"\r" in written else written
