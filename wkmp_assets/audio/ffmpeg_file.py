"""The one way to open a file of the music folder with FFmpeg."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from wkmp_assets.model.audio_formats import FFMPEG_CONTAINERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from av.container import InputContainer

OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(FFMPEG_CONTAINERS)}
"""A playlist under the name of music must not open other files."""
HEADER_ONLY = {"analyzeduration": "1", "probesize": "32", "fpsprobesize": "0"}
"""Tags and chapters are in the header, or found from there. Looking for the properties of the sound takes up to 50 ms:
of WAV files FFmpeg reads 5 MB, in search of compressed sound."""


def open_with_ffmpeg(
    path: Path, *, metadata_errors: str = "surrogateescape", options: Mapping[str, str] | None = None
) -> InputContainer:
    """Open a file as one of the containers that the package reads, without any other file.

    Parameters
    ----------
    path : Path
        The file.
    metadata_errors : str, optional
        What becomes of texts that are not UTF-8, as for `bytes.decode`.
    options : mapping of str to str, optional
        Further options of FFmpeg.

    Raises
    ------
    av.FFmpegError, OSError, ValueError
        It cannot be read, or is none of these containers.
    """
    name = f"file:{path.absolute()}"  # so that FFmpeg does not take "a:b.mp3" for a URL
    return av.open(name, "r", metadata_errors=metadata_errors, options={**OPEN_OPTIONS, **(options or {})})
