"""Tags as two programs read them that share no code with the import: ffprobe and mediainfo."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FIELDS = ("title", "artist", "album", "track", "disc", "date", "recording id", "artist ids", "release id")
READERS = {"ffprobe": "ffmpeg", "mediainfo": "mediainfo"}
"""Program -> Debian package that has it."""

_FFPROBE = {
    "title": ("title",),
    "artist": ("artist", "author"),
    "album": ("album",),
    "track": ("track",),
    "disc": ("disc",),
    "date": ("date", "year"),
    "recording id": ("musicbrainz_trackid",),
    "artist ids": ("musicbrainz_artistid",),
    "release id": ("musicbrainz_albumid",),
}
_MEDIAINFO = {
    "title": ("title", "track"),
    "artist": ("performer", "artist"),
    "album": ("album",),
    "track": ("track_position",),
    "disc": ("part_position", "part", "disc"),
    "date": ("recorded_date", "date"),
    "recording id": ("musicbrainz_trackid",),
    "artist ids": ("musicbrainz_artistid",),
    "release id": ("musicbrainz_albumid",),
}

Values = tuple[str, ...]
Said = dict[str, Values]
"""Field -> the values that a program shows for it, each once; absent without any."""


def missing_readers() -> list[str]:
    """Return the Debian packages of the programs that are not installed."""
    return [package for program, package in READERS.items() if shutil.which(program) is None]


def read_with_ffprobe(path: Path) -> Said:
    """Read the tags of the container, then those of its streams. ffprobe joins several values with `;`."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format_tags:stream_tags", "-of", "json", str(path)]
    found = _run(command)
    parts = [part.get("tags", {}) for part in [found.get("format", {}), *found.get("streams", [])]]
    return {field: split_values(text, ";") for field, text in _pick(_FFPROBE, parts).items()}


def read_with_mediainfo(path: Path) -> Said:
    """Read the general part, which has the tags of the only stream as well.

    mediainfo joins several values with ` / `, and doubles the quotation marks in a value that it puts in some.
    """
    tracks = _run(["mediainfo", "--Output=JSON", str(path)]).get("media", {}).get("track", [])
    parts = [part for track in tracks[:1] for part in (track, track.get("extra", {}))]
    return {field: tuple(map(_unquote, split_values(text, " / "))) for field, text in _pick(_MEDIAINFO, parts).items()}


def split_values(text: str, separator: str) -> tuple[str, ...]:
    """Return the values of a text, each once, with single blanks."""
    return tuple(dict.fromkeys(" ".join(value.split()) for value in text.split(separator) if value.strip()))


def _unquote(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"' and '""' in text
    return text[1:-1].replace('""', '"') if is_quoted else text


def _run(command: list[str]) -> dict[str, Any]:
    """Return what a program prints; nothing for a file that it cannot read."""
    done = subprocess.run(command, capture_output=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout or b"{}")
    return found


def _pick(names: Mapping[str, tuple[str, ...]], parts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for part in parts:
        for name, text in part.items():
            texts.setdefault(name.lower(), str(text).strip())
    return {
        field: next(texts[name] for name in keys if texts.get(name))
        for field, keys in names.items()
        if any(texts.get(name) for name in keys)
    }
