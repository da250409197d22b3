"""Where decoded frames come from: FFmpeg through PyAV, and libsndfile for what FFmpeg does not open.

Both fill a `DecodePass`. Their exceptions end here: a file that one of them cannot decode at all raises
`NothingDecodedError`, and a file damaged in part is decoded as far as possible, with warnings.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
import soundfile
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import ThreadType

from wkmp_assets.audio.decode_graph import MAX_PLANES, DecodeGraph
from wkmp_assets.audio.envelope import MAX_AMPLITUDE
from wkmp_assets.audio.format_names import ffmpeg_format_name, libsndfile_format_name
from wkmp_assets.errors import ProtectedAudioError, TooLongError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from av.audio.codeccontext import AudioCodecContext
    from av.container import InputContainer

    from wkmp_assets.audio.envelope import EnvelopeBuilder

SOUNDFILE_BLOCK_SAMPLES = 65_536
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 1_536_000
"""Beyond any converter there is. A damaged header may claim billions, and buffers grow with the rate; at 1 Hz a small
file lasts for weeks, and its PCM fills the disk."""
MAX_FILE_H = 48
"""A megabyte of compressed silence may last for a day; each hour of it is 79 MB of PCM."""
MUSIC_CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,loas,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,ogg,shn,"
    "tak,tta,voc,w64,wav,wv,xwma"
)
"""FFmpeg knows 300 more, playlists among them that make it open other files."""
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": MUSIC_CONTAINERS}
"""A playlist in disguise must not open anything else."""
PROTECTED_TAGS = frozenset({"drms", "enca"})
"""Sample entries of MP4 files whose sound is encrypted; decoded as it is, it is noise."""
EDITED_CONTAINER = "mov"
"""The family (MP4, M4A, MOV) whose edit lists say which samples to play."""
EXACT_LENGTH_CONTAINERS = frozenset({"aiff", "caf", "flac", "mov", "ogg", "wav", "wv"})
"""Containers that state their true length, so that a shorter decode means a truncated file."""


class NothingDecodedError(Exception):
    """One decoder got no sound out of the file; another may."""


@dataclass
class DecodePass:
    """One decoding pass: the graph it fills, and what went wrong on the way.

    Parameters
    ----------
    pcm : binary file or None
        Takes the mono 11,025 Hz PCM.
    format : str
        As in `AudioProperties.format`.
    display_path : str
        How to call the file in messages.
    """

    pcm: BinaryIO | None
    format: str
    display_path: str
    graph: DecodeGraph | None = None
    skipped_packets: int = 0
    bad_samples: int = 0
    announced_s: float | None = None
    warnings: list[str] = field(default_factory=list)

    def push_all(self, frames: Iterator[AudioFrame]) -> None:
        """Take all frames of the stream; the first sets rate and layout for the whole.

        Raises
        ------
        NothingDecodedError
            There was no frame, or FFmpeg's filters cannot work with such frames.
        TooLongError
            There is more than `MAX_FILE_H` hours of it.
        """
        try:
            for frame in frames:
                if frame.samples == 0:
                    continue
                if self.graph is None:
                    if not MIN_RATE_HZ <= frame.sample_rate <= MAX_RATE_HZ:
                        raise NothingDecodedError(f"a sample rate of {frame.sample_rate} Hz")
                    self.graph = DecodeGraph(frame, self.pcm)
                self.graph.push(frame)
                self._require_an_end(self.graph.levels)
            if self.graph is not None:
                self.graph.finish()
        except av.FFmpegError as error:
            raise NothingDecodedError(f"filters refuse its samples: {_cause(error)}") from error
        if self.graph is None:
            raise NothingDecodedError(self.warnings[-1] if self.warnings else "it holds no samples")

    def _require_an_end(self, levels: EnvelopeBuilder) -> None:
        if levels.total_samples > MAX_FILE_H * 3600 * levels.sample_rate_hz:
            raise TooLongError(self.display_path, f"it lasts more than {MAX_FILE_H} hours")


def decode_with_ffmpeg(path: Path, pcm: BinaryIO | None, display_path: str) -> DecodePass:
    """Decode the best audio stream of a file with one thread; pictures and other streams are left alone.

    Raises
    ------
    NothingDecodedError
        FFmpeg does not know the container, finds no audio stream, or decodes none of its packets.
    ProtectedAudioError
        The sound is encrypted.
    UnreadableFileError
        Reading failed midway.
    """
    with _open_with_ffmpeg(path) as container:
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
        done = DecodePass(pcm, ffmpeg_format_name(codec_name, container.format.name), display_path)
        if EXACT_LENGTH_CONTAINERS.intersection(container.format.name.split(",")):
            done.announced_s = _announced_seconds(stream)
        frames = _frames(container, stream, done, display_path)
        if EDITED_CONTAINER in container.format.name.split(","):
            frames = _without_end_padding(frames, stream)
        if codec_name.startswith("pcm_f"):
            frames = _without_bad_samples(frames, done)
        done.push_all(frames)
    return done


def _tag_of(codec: AudioCodecContext) -> str:
    """Return the four letters by which a container names its codec; in a WAV file they are a number."""
    try:
        return codec.codec_tag
    except UnicodeDecodeError:  # PyAV takes them for ASCII
        return ""


def _open_with_ffmpeg(path: Path) -> InputContainer:
    name = f"file:{path.absolute()}"  # one such as "a:b.mp3" is no URL
    try:
        return av.open(name, "r", metadata_errors="replace", options=OPEN_OPTIONS)
    except av.error.ArgumentError as error:
        raise NothingDecodedError("not a kind of file that music comes in") from error
    except av.FFmpegError as error:
        raise NothingDecodedError(_cause(error)) from error


def _frames(
    container: InputContainer, stream: AudioStream, done: DecodePass, display_path: str
) -> Iterator[AudioFrame]:
    """Yield what the decoder delivers, leaving out packets that it refuses."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise UnreadableFileError(display_path, _cause(error)) from error
            done.warnings.append(f"The file is damaged ({_cause(error)}); what follows could not be read.")
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


def _without_bad_samples(frames: Iterator[AudioFrame], done: DecodePass) -> Iterator[AudioFrame]:
    """Set NaN, infinity and what is beyond `MAX_AMPLITUDE` to 0 in place, before a resampler spreads them."""
    for frame in frames:
        for plane in frame.planes:
            samples = np.frombuffer(cast("Any", plane), np.float64 if frame.format.bytes == 8 else np.float32)
            bad = ~(np.abs(samples) <= MAX_AMPLITUDE)
            if bad.any():
                done.bad_samples += int(np.count_nonzero(bad))
                samples[bad] = 0
        yield frame


def _announced_seconds(stream: AudioStream) -> float | None:
    if stream.duration is None or stream.time_base is None:
        return None
    return float(stream.duration * stream.time_base)


def decode_with_libsndfile(path: Path, pcm: BinaryIO | None, display_path: str) -> DecodePass:
    """Decode a file with libsndfile, in blocks.

    Raises
    ------
    NothingDecodedError
        libsndfile does not know the format, or finds no samples.
    """
    try:
        with _quiet_stderr(), soundfile.SoundFile(path) as file:
            done = DecodePass(pcm, libsndfile_format_name(file.format, file.subtype), display_path)
            done.push_all(_without_bad_samples(_libsndfile_frames(file, done), done))
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: it takes "*.raw" for headerless audio
        raise NothingDecodedError(_cause(error)) from error
    return done


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep notes that libsndfile's MP3 decoder writes to the terminal off it; what matters is in its exceptions.

    Replaces the descriptor for the whole process: workers decode one file at a time and nothing beside it.
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
            block = file.read(SOUNDFILE_BLOCK_SAMPLES, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            done.warnings.append(f"The file is damaged ({_cause(error)}); what follows could not be read.")
            return
        if not len(block):
            return
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(block).reshape(1, -1), "flt", layout)
        frame.sample_rate = file.samplerate
        frame.time_base = Fraction(1, file.samplerate)
        frame.pts = position
        position += len(block)
        yield frame


def _cause(error: Exception) -> str:
    # What the exceptions say without the path, which the message around it has already.
    said = getattr(error, "strerror", None) or getattr(error, "error_string", None) or str(error)
    return str(said).rstrip(".")
