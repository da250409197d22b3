"""Decoding with libsndfile, for files that FFmpeg does not open.

A file damaged in part is decoded as far as possible, with warnings. libsndfile's exceptions do not leave this module.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from av.audio.frame import AudioFrame

from wkmp_assets.audio.decode_pass import DecodePass, NothingDecodedError, describe_cause, replace_bad_samples
from wkmp_assets.model.audio_formats import name_libsndfile_format
from wkmp_assets.model.file_warnings import WarningKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

BLOCK_SAMPLES = 65_536
_BAD_FILE = 7
"""libsndfile's number for a file that its MP3 decoder finds no frame in."""


def decode_with_libsndfile(path: Path, pcm: BinaryIO | None, display_path: str) -> DecodePass:
    """Decode a file with libsndfile, in blocks.

    Parameters
    ----------
    path : Path
        The file.
    pcm : binary file or None
        Receives the mono PCM at 11,025 Hz.
    display_path : str
        The file's name in messages.

    Returns
    -------
    DecodePass
        With a graph.

    Raises
    ------
    NothingDecodedError
        libsndfile does not know the format, or finds no samples.
    """
    try:
        with _quiet_stderr(), soundfile.SoundFile(path) as file:
            done = DecodePass(pcm, name_libsndfile_format(file.format, file.subtype), display_path)
            done.push_all(replace_bad_samples(_libsndfile_frames(file, done), done))
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: it takes "*.raw" for headerless audio
        raise NothingDecodedError(_describe(error)) from error
    return done


def _describe(error: Exception) -> str:
    """Return libsndfile's message; of a file that is no MP3 it says that it does not exist, or is a pipe."""
    is_no_mp3 = isinstance(error, soundfile.LibsndfileError) and error.code == _BAD_FILE
    return "Format not recognised" if is_no_mp3 else describe_cause(error)


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Suppress what libsndfile's MP3 decoder writes to the terminal; errors are in its exceptions.

    It replaces the descriptor of the whole process, because a worker decodes one file at a time.
    """
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _libsndfile_frames(file: soundfile.SoundFile, done: DecodePass) -> Iterator[AudioFrame]:
    layout = {1: "mono", 2: "stereo"}.get(file.channels, f"{file.channels} channels")
    position = 0
    while True:
        try:
            block = file.read(BLOCK_SAMPLES, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            what = f"The file is damaged ({describe_cause(error)}); what follows could not be read."
            done.warn(WarningKind.DAMAGED, what)
            return
        if not len(block):
            return
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(block).reshape(1, -1), "flt", layout)
        frame.sample_rate = file.samplerate
        frame.time_base = Fraction(1, file.samplerate)
        frame.pts = position
        position += len(block)
        yield frame
