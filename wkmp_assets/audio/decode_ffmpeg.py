"""Decoding with FFmpeg, through PyAV.

A file damaged in part is decoded as far as possible, with warnings. FFmpeg's exceptions do not leave this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import ThreadType
from av.stream import Disposition

from wkmp_assets.audio.announced_length import read_announced_seconds
from wkmp_assets.audio.decode_graph import MAX_PLANES
from wkmp_assets.audio.decode_pass import DecodePass, NothingDecodedError, describe_cause, replace_bad_samples
from wkmp_assets.audio.ffmpeg_file import open_with_ffmpeg
from wkmp_assets.audio.ogg_end import ends_within_page
from wkmp_assets.errors import ProtectedAudioError, UnreadableFileError
from wkmp_assets.model.audio_formats import name_ffmpeg_format
from wkmp_assets.model.file_warnings import WarningKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from av.audio.codeccontext import AudioCodecContext
    from av.container import InputContainer

PROTECTED_TAGS = frozenset({"drms", "enca"})
"""Sample entries of MP4 files whose sound is encrypted: FFmpeg decodes it to noise."""
EDITED_CONTAINER = "mov"
"""The family of containers (MP4, M4A, MOV) whose edit lists say which samples to play."""
EXACT_LENGTH_CONTAINERS = frozenset({"aiff", "au", "caf", "flac", "mov", "ogg", "tta", "wv"})
"""Containers whose streams state their true length, so that a shorter decode means a truncated file."""
SIZED_CONTAINERS = frozenset({"wav", "w64"})
"""Of compressed sound they count the samples; of other sound FFmpeg takes the length from the size of the file."""
TIMED_STREAMS = frozenset({"audio", "video", "subtitle"})


def decode_with_ffmpeg(path: Path, pcm: BinaryIO | None, display_path: str) -> DecodePass:
    """Decode the best audio stream of a file in one thread; pictures and other streams are ignored.

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
        FFmpeg does not know the container, finds no audio stream, or decodes none of its packets.
    ProtectedAudioError
        The sound is encrypted.
    UnreadableFileError
        Reading failed midway.
    """
    with _open(path) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise NothingDecodedError("no audio stream")
        codec: AudioCodecContext | None = stream.codec_context
        if codec is None:
            raise NothingDecodedError("unknown codec")
        if (tag := _tag_of(codec)) in PROTECTED_TAGS:
            raise ProtectedAudioError(display_path, f"it is copy-protected ({tag})")
        codec.thread_count = 1
        codec.thread_type = ThreadType.NONE
        codec_name = codec.codec.canonical_name
        done = DecodePass(pcm, name_ffmpeg_format(codec_name, container.format.name), display_path)
        done.announced_s = _find_announced_seconds(container, stream, path)
        done.ends_midway = container.format.name == "ogg" and ends_within_page(path)
        frames = _frames(container, stream, done, display_path)
        if EDITED_CONTAINER in container.format.name.split(","):
            frames = _without_end_padding(frames, stream)
        if codec_name.startswith("pcm_f"):
            frames = replace_bad_samples(frames, done)
        done.push_all(frames)
    return done


def _tag_of(codec: AudioCodecContext) -> str:
    """Return the four letters by which the container names the codec; empty where it has a number, as in WAV files."""
    try:
        return codec.codec_tag
    except UnicodeDecodeError:  # PyAV decodes them as ASCII
        return ""


def _open(path: Path) -> InputContainer:
    try:
        return open_with_ffmpeg(path, metadata_errors="replace")
    except av.error.ArgumentError as error:
        raise NothingDecodedError("not a kind of file that music comes in") from error
    except av.FFmpegError as error:
        raise NothingDecodedError(describe_cause(error)) from error


def _frames(
    container: InputContainer, stream: AudioStream, done: DecodePass, display_path: str
) -> Iterator[AudioFrame]:
    """Yield the decoded frames, without packets that the decoder refuses."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise UnreadableFileError(display_path, describe_cause(error)) from error
            what = f"The file is damaged ({describe_cause(error)}); what follows could not be read."
            done.warn(WarningKind.DAMAGED, what)
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            done.skipped_packets += not isinstance(error, av.error.EOFError)
            continue
        yield from frames


def _without_end_padding(frames: Iterator[AudioFrame], stream: AudioStream) -> Iterator[AudioFrame]:
    """Cut the encoder's padding off the last frame.

    FFmpeg trims the start of an edited stream (MP4) but not its end. The last packet states its true
    duration; where it does not (Apple's encoders), the edited length of the stream does, to a millisecond.
    """
    last = next(frames, None)
    while last is not None:
        following = next(frames, None)
        yield last if following is not None else _trim(last, stream)
        last = following


def _trim(frame: AudioFrame, stream: AudioStream) -> AudioFrame:
    if frame.pts is None or frame.time_base is None or stream.time_base is None:
        return frame
    length = round(frame.duration * frame.time_base * frame.sample_rate) or frame.samples
    if length >= frame.samples and stream.duration is not None:
        left = stream.duration * stream.time_base - (frame.pts - (stream.start_time or 0)) * frame.time_base
        length = round(left * frame.sample_rate)
    if not 0 < length < frame.samples or frame.layout.nb_channels > MAX_PLANES:
        return frame
    stride = 1 if frame.format.is_planar else frame.layout.nb_channels
    kept = np.ascontiguousarray(frame.to_ndarray()[:, : length * stride])
    trimmed = AudioFrame.from_ndarray(cast("Any", kept), frame.format.name, frame.layout.name)
    trimmed.sample_rate = frame.sample_rate
    trimmed.time_base = frame.time_base
    trimmed.pts = frame.pts
    return trimmed


def _find_announced_seconds(container: InputContainer, stream: AudioStream, path: Path) -> float | None:
    """Return the length that the file states; None where it states none, or FFmpeg only estimates it."""
    names = container.format.name.split(",")
    if "matroska" in names:
        return _segment_seconds(container, stream)
    if "caf" in names and stream.frames and stream.codec_context.name.startswith("pcm_"):
        return stream.frames / stream.codec_context.sample_rate  # the duration follows the size of the file
    if EXACT_LENGTH_CONTAINERS.intersection(names):
        return _stream_seconds(stream)
    if names[0] in SIZED_CONTAINERS and not stream.codec_context.name.startswith("pcm_"):
        return _stream_seconds(stream)
    return read_announced_seconds(path, names[0])


def _segment_seconds(container: InputContainer, stream: AudioStream) -> float | None:
    """Return the length of a Matroska segment; None where a film or another track may be what lasts that long."""
    timed = [
        one for one in container.streams if one.type in TIMED_STREAMS and not one.disposition & Disposition.attached_pic
    ]
    if len(timed) > 1 or container.duration is None:
        return None
    start = stream.start_time * stream.time_base if stream.start_time and stream.time_base else 0
    return container.duration / av.time_base - float(start)


def _stream_seconds(stream: AudioStream) -> float | None:
    if stream.duration is None or stream.time_base is None:
        return None
    return float(stream.duration * stream.time_base)
