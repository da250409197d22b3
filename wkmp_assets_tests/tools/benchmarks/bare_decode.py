"""The yardstick: only decode a file to mono at 22,050 Hz, as cheaply as PyAV can."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.filter import Graph
from av.filter.context import FilterContext

RATE_HZ = 22_050
FRAME_SAMPLES = 65_536
"""Frames reach Python in large pieces: Python at every decoder frame would cost as much as decoding."""
_MIX = "rematrix_maxval=1.0"
"""Without it, libswresample mixes stereo to float mono 3 dB too loud."""


def decode_bare(path: Path) -> int:
    """Decode the best audio stream with one thread into float32 arrays, and drop them.

    Falls back to libsndfile where PyAV cannot open the file. Damaged packets are left out.

    Returns
    -------
    int
        Samples at 22,050 Hz.
    """
    frames = frames_of(path)
    first = next(frames)
    graph, source, sink = _graph(first)
    source.push(first)
    samples, waiting = 0, first.samples
    for frame in frames:
        source.push(frame)
        waiting += frame.samples
        if waiting >= FRAME_SAMPLES:
            waiting = 0
            samples += _drain(sink)
    source.push(None)
    samples += _drain(sink)
    del graph  # not earlier: PyAV crashes when the graph is collected while its filters are in use
    return samples


def decode_with_resampler(path: Path) -> int:
    """Do the same with PyAV's `AudioResampler`, which costs more; for comparison."""
    resampler = AudioResampler("flt", "mono", RATE_HZ, frame_size=FRAME_SAMPLES, options={"rematrix_maxval": "1.0"})
    samples = 0
    for frame in frames_of(path):
        samples += sum(piece.to_ndarray().size for piece in resampler.resample(frame))
    return samples + sum(piece.to_ndarray().size for piece in resampler.resample(None))


def frames_of(path: Path) -> Iterator[AudioFrame]:
    """Yield the frames of the best audio stream as the decoder delivers them."""
    try:
        container = av.open(f"file:{path}", metadata_errors="replace")
    except av.FFmpegError:
        yield from _frames_of_libsndfile(path)
        return
    with container:
        stream = container.streams.best("audio")
        assert isinstance(stream, AudioStream)
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            yield from frames


def add_source(graph: Graph, first: AudioFrame) -> FilterContext:
    """Add the source of a graph that takes frames like this one."""
    return graph.add_abuffer(
        sample_rate=first.sample_rate,
        format=first.format.name,
        layout=first.layout.name,
        time_base=first.time_base,
    )


def _graph(first: AudioFrame) -> tuple[Graph, FilterContext, FilterContext]:
    graph = Graph()
    source = add_source(graph, first)
    regrouped = graph.add("asetnsamples", f"n={FRAME_SAMPLES}:p=0")
    resampled = graph.add("aresample", f"{RATE_HZ}:osf=flt:ochl=mono:{_MIX}")
    sink = graph.add("abuffersink")
    source.link_to(regrouped)
    regrouped.link_to(resampled)
    resampled.link_to(sink)
    graph.configure()
    return graph, source, sink


def _drain(sink: FilterContext) -> int:
    samples = 0
    while True:
        try:
            piece = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return samples
        assert isinstance(piece, AudioFrame)
        samples += piece.to_ndarray().size


def _frames_of_libsndfile(path: Path) -> Iterator[AudioFrame]:
    with soundfile.SoundFile(path) as file:
        layout = {1: "mono", 2: "stereo"}.get(file.channels, f"{file.channels} channels")
        position = 0
        for block in file.blocks(FRAME_SAMPLES, dtype="float32", always_2d=True):
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(block).reshape(1, -1), "flt", layout)
            frame.sample_rate = file.samplerate
            frame.time_base = Fraction(1, file.samplerate)
            frame.pts = position
            position += len(block)
            yield frame
