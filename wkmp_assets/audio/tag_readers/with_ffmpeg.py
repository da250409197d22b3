"""Tags as FFmpeg reads them, for containers that have no reader of their own, and for fields that others lack."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import av
from av.audio.stream import AudioStream

from wkmp_assets.audio.ffmpeg_file import HEADER_ONLY, open_with_ffmpeg
from wkmp_assets.audio.tag_readers import names
from wkmp_assets.audio.tag_readers.encodings import decode
from wkmp_assets.audio.tag_readers.fields import MAX_CHARACTERS
from wkmp_assets.audio.tag_readers.texts import TagTexts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MAX_RAW_CHARACTERS = 8 * MAX_CHARACTERS


def read_with_ffmpeg(path: Path) -> TagTexts | None:
    """Return the texts of a file's container and streams; None when FFmpeg cannot open it.

    The title of a stream says "Stereo" and the like, unless it is of Ogg or the stream has an artist too.
    """
    try:
        container = open_with_ffmpeg(path, options=HEADER_ONLY)
    except (av.FFmpegError, OSError, ValueError, MemoryError, UnicodeError):
        return None
    with container:
        texts = TagTexts(f"FFmpeg ({container.format.name})", names.GENERAL)
        _add(texts, container.metadata)
        with suppress(av.FFmpegError, IndexError):
            stream = container.streams.best("audio")
            if isinstance(stream, AudioStream):
                is_song = container.format.name == "ogg" or any(key.lower() == "artist" for key in stream.metadata)
                _add(texts, {key: text for key, text in stream.metadata.items() if is_song or key.lower() != "title"})
    return texts


def _add(texts: TagTexts, metadata: Mapping[str, str]) -> None:
    for key, text in metadata.items():
        if texts.wants(key):
            texts.add_free(key, [decode(text[:_MAX_RAW_CHARACTERS].encode("utf-8", "surrogateescape"))])
