"""Decode music to memory and work on the samples: resample, find, cut, fade.

Tolerant on purpose: real files have bad packets, and what decodes is what an importer should see.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

FADE_S = 0.005
WINDOW_S = 0.05
# Opus encoders remove DC with a high-pass at 3 Hz. Cut where the signal leans to one side, it swings back for
# up to 0.3 s into the silence that follows.
DC_FILTER_HZ = 3.0
SETTLE_S = 2.0
SETTLE_STEP_S = 0.002


@dataclass(frozen=True)
class Pcm:
    """Decoded audio.

    Parameters
    ----------
    samples : shape=(n, channels), float32, nominal range=[-1, 1]
        Lossy sources exceed the range at times.
    rate : > 0
        Frames per second.
    bad_packets : >= 0
        Packets that could not be decoded and were left out.
    """

    samples: NDArray[np.float32]
    rate: int
    bad_packets: int = 0

    @property
    def frames(self) -> int:
        """Length in frames."""
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[1])


class NoAudioDecodedError(Exception):
    """A file yielded not a single frame."""


class NoLoudSpanError(Exception):
    """A track has no stretch of the wanted length that is music throughout."""


def read_pcm(path: Path) -> Pcm:
    """Decode a whole file at its own rate, leaving out packets that cannot be decoded.

    Parameters
    ----------
    path : Path
        Opened with libav; what that cannot open is tried with libsndfile.

    Raises
    ------
    NoAudioDecodedError
        Neither library delivers a frame.
    """
    try:
        pcm = _read_with_libav(path)
    except (av.FFmpegError, IndexError):
        pcm = None
    if pcm is None or pcm.frames == 0:
        pcm = _read_with_libsndfile(path)
    if pcm.frames == 0:
        raise NoAudioDecodedError(path)
    return pcm


def opens_with_libav(path: Path) -> bool:
    """Tell whether libav opens the file, as opposed to only libsndfile."""
    try:
        with av.open(path) as container:
            return len(container.streams.audio) > 0
    except av.FFmpegError:
        return False


def resample(pcm: Pcm, rate: int) -> Pcm:
    """Convert to another rate; the same object when it has that rate already."""
    if pcm.rate == rate:
        return pcm
    layout = "mono" if pcm.channels == 1 else "stereo"
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(pcm.samples.T), format="fltp", layout=layout)
    frame.sample_rate = pcm.rate
    resampler = AudioResampler(format="fltp", layout=layout, rate=rate)
    pieces = [out.to_ndarray() for out in [*resampler.resample(frame), *resampler.resample(None)]]
    return Pcm(np.ascontiguousarray(np.concatenate(pieces, axis=1).T), rate)


def to_mono(pcm: Pcm) -> Pcm:
    """Average the channels."""
    return Pcm(pcm.samples.mean(axis=1, keepdims=True, dtype=np.float32), pcm.rate)


def find_loud_span(pcm: Pcm, *, from_s: float, length_s: float) -> tuple[int, int]:
    """Find the first stretch of music at or after a time: loud at both ends, no pause inside.

    Parameters
    ----------
    pcm : Pcm
        The track.
    from_s, length_s : seconds
        Where to begin looking, and how much is wanted.

    Returns
    -------
    start, end : samples
        Half-open. Both ends are above -32 dBFS, no 0.3 s inside lie below -50 dBFS: clear of the usual
        -40 and -60 dBFS even after lossy encoding.

    Raises
    ------
    NoLoudSpanError
        The track has no such stretch.
    """
    window = round(WINDOW_S * pcm.rate)
    levels = window_levels_dbfs(pcm.samples, window)
    needed = round(length_s / WINDOW_S)
    for first in range(round(from_s / WINDOW_S), len(levels) - needed + 1):
        span = levels[first : first + needed]
        if min(span[0], span[-1]) > -32.0 and longest_run(span < -50.0) * WINDOW_S < 0.3:
            return first * window, first * window + round(length_s * pcm.rate)
    raise NoLoudSpanError(f"no {length_s} s of uninterrupted music at or after {from_s} s")


def window_levels_dbfs(samples: NDArray[np.float32], window: int) -> NDArray[np.float64]:
    """Measure the RMS level of consecutive windows over all channels; a rest at the end is left out.

    Digital silence measures -200 dBFS rather than minus infinity.
    """
    count = samples.shape[0] // window
    blocks = samples[: count * window].reshape(count, -1).astype(np.float64)
    power = np.einsum("ij,ij->i", blocks, blocks) / max(1, window * samples.shape[1])
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-20)), dtype=np.float64)


def settled_end(pcm: Pcm, end: int) -> int:
    """Move a cut back, by 2 s at most, to where the music is loud and leans least to one side.

    Parameters
    ----------
    pcm : Pcm
        The track.
    end : samples
        Where the cut would be.

    Returns
    -------
    samples
        `end` itself when no place nearby is louder than -32 dBFS.
    """
    step, window = round(SETTLE_STEP_S * pcm.rate), round(WINDOW_S * pcm.rate)
    places = [
        place
        for place in range(end, end - round(SETTLE_S * pcm.rate), -step)
        if window_levels_dbfs(pcm.samples[place - window : place], window)[0] > -32.0
    ]
    return min(places, key=lambda place: lean_at(pcm, place), default=end)


def lean_at(pcm: Pcm, end: int) -> float:
    """Measure how far the signal leans to one side just before a cut: its slow mean, the worst channel's."""
    decay = 2.0 * np.pi * DC_FILTER_HZ / pcm.rate
    before = pcm.samples[max(0, end - round(0.3 * pcm.rate)) : end]
    weights = decay * np.exp(-decay * np.arange(len(before), 0, -1))
    return float(np.abs(weights @ before).max())


def longest_run(flags: NDArray[np.bool_]) -> int:
    """Count the longest unbroken run of true values; 0 for none."""
    longest = current = 0
    for flag in flags:
        current = current + 1 if flag else 0
        longest = max(longest, current)
    return longest


def cut(pcm: Pcm, start: int, end: int) -> Pcm:
    """Copy `[start, end)` and fade both ends over 5 ms, so that the hard cut does not click."""
    piece = pcm.samples[start:end].copy()
    length = min(round(FADE_S * pcm.rate), piece.shape[0] // 2)
    ramp = ((np.arange(length, dtype=np.float32) + 1) / (length + 1))[:, np.newaxis]
    piece[:length] *= ramp
    piece[piece.shape[0] - length :] *= ramp[::-1]
    return Pcm(piece, pcm.rate)


def _read_with_libav(path: Path) -> Pcm:
    with av.open(path) as container:
        stream = container.streams.audio[0]
        resampler = AudioResampler(format="fltp")
        pieces: list[NDArray[Any]] = []
        bad = 0
        for frame in _frames_skipping_bad_packets(container.demux(stream)):
            if frame is None:
                bad += 1
                continue
            frame.pts = None
            pieces.extend(out.to_ndarray() for out in resampler.resample(frame))
        rate = stream.codec_context.sample_rate
    if not pieces:
        return Pcm(np.empty((0, 1), dtype=np.float32), rate, bad)
    return Pcm(np.ascontiguousarray(np.concatenate(pieces, axis=1).T), rate, bad)


def _frames_skipping_bad_packets(packets: "Iterator[av.Packet[Any]]") -> Iterator[AudioFrame | None]:
    # None stands for a packet that cannot be decoded.
    while True:
        try:
            packet = next(packets, None)
        except av.InvalidDataError:
            yield None
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            yield None
            continue
        for frame in frames:
            if isinstance(frame, AudioFrame):
                yield frame


def _read_with_libsndfile(path: Path) -> Pcm:
    try:
        with soundfile.SoundFile(path) as file:
            return Pcm(file.read(dtype="float32", always_2d=True), int(file.samplerate))
    except soundfile.LibsndfileError as error:
        raise NoAudioDecodedError(path) from error
