"""The filter graph of a decode, with two branches: levels at the native rate, and PCM for Chromaprint.

FFmpeg's filters regroup, convert and resample, because Python code for every decoded frame (a thousand samples) would
cost as much as the decoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
from av.audio.resampler import AudioResampler
from av.filter import Graph

from wkmp_assets.audio.envelope import EnvelopeBuilder, hop_length
from wkmp_assets.audio.k_weighting import channel_weights
from wkmp_assets.audio.loudness import LoudnessBuilder
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ

if TYPE_CHECKING:
    from typing import BinaryIO

    import numpy as np
    from av.audio.frame import AudioFrame
    from av.filter.context import FilterContext
    from numpy.typing import NDArray

HOPS_PER_CHUNK = 128
"""unit=hops: samples reach Python in pieces of 1.28 s; only the last one may end within a hop."""
CHROMAPRINT_RESAMPLER = "filter_size=16:phase_shift=8:linear_interp=1:cutoff=0.8"
"""The options of Chromaprint's own FFmpeg reader; with others some bits of the fingerprints differ from `fpcalc`.

The conversion must end in s16, because libswresample mixes stereo to a mono float 3 dB too loud.
"""
MAX_MIXED_CHANNELS = 8
"""libswresample has mixing rules for named layouts up to 7.1; more channels are averaged."""
MAX_PLANES = 7
"""PyAV 18 reads beyond the eight plane pointers of a frame and crashes, so that more channels must be packed."""

Shape = tuple[str, str, int]
"""Sample format, channel layout and rate of a frame."""


def read_shape(frame: AudioFrame) -> Shape:
    """Return the properties of a frame that must not change within one filter graph."""
    return frame.format.name, frame.layout.name, frame.sample_rate


class DecodeGraph:
    """Measures the envelope of a stream and writes its mono PCM at 11,025 Hz.

    Parameters
    ----------
    first : AudioFrame
        The first frame of the stream, not pushed yet; its format, layout and rate hold for the whole.
    pcm : binary file or None
        Receives raw little-endian int16; None leaves that branch out.

    Attributes
    ----------
    has_changed : bool
        Whether a later frame had another format, layout or rate and was converted to that of the first.
    channels : int
        Of the first frame.
    levels : EnvelopeBuilder
        The levels measured so far.
    """

    def __init__(self, first: AudioFrame, pcm: BinaryIO | None) -> None:
        self.has_changed = False
        self.channels = first.layout.nb_channels
        weights = channel_weights([channel.name for channel in first.layout.channels])
        self.levels = EnvelopeBuilder(first.sample_rate, LoudnessBuilder(first.sample_rate, weights))
        self._shape = read_shape(first)
        self._pcm = pcm
        self._chunk_samples = hop_length(first.sample_rate) * HOPS_PER_CHUNK
        self._waiting_samples = 0
        self._converter: AudioResampler | None = None
        self._converted_shape: Shape | None = None
        self._graph = Graph()
        self._source, self._level_sink, self._pcm_sink = self._build(first)

    def push(self, frame: AudioFrame) -> None:
        """Add the next decoded frame; the graph is run after every 1.28 s of sound."""
        shape = read_shape(frame)
        if shape == self._shape and self._converter is None:
            self._feed(frame)
            return
        self.has_changed = True
        if self._converter is None or shape != self._converted_shape:
            self._flush_converter()
            name, layout, rate = self._shape
            self._converter = AudioResampler(name, layout, rate, options={"rematrix_maxval": "1.0"})
            self._converted_shape = shape
        for converted in self._converter.resample(frame):
            self._feed(converted)

    def finish(self) -> None:
        """End the stream and run the graph to its end."""
        self._flush_converter()
        self._source.push(None)
        self._drain()

    def _build(self, first: AudioFrame) -> tuple[FilterContext, FilterContext, FilterContext | None]:
        graph = self._graph
        name, layout, rate = self._shape
        source = graph.add_abuffer(sample_rate=rate, format=name, layout=layout, time_base=first.time_base)
        regrouped = graph.add("asetnsamples", f"n={self._chunk_samples}:p=0")
        sample_format = "fltp" if self.channels <= MAX_PLANES else "flt"
        to_float = graph.add("aformat", f"sample_fmts={sample_format}")
        level_sink = graph.add("abuffersink")
        source.link_to(regrouped)
        pcm_sink = None
        if self._pcm is None:
            regrouped.link_to(to_float)
        else:
            split = graph.add("asplit")
            regrouped.link_to(split)
            split.link_to(to_float, 0)
            pcm_sink = self._build_pcm_branch(split)
        to_float.link_to(level_sink)
        graph.configure()
        return source, level_sink, pcm_sink

    def _build_pcm_branch(self, split: FilterContext) -> FilterContext:
        graph = self._graph
        resample = graph.add("aresample", f"{PCM_RATE_HZ}:osf=s16:ochl=mono:{CHROMAPRINT_RESAMPLER}")
        channels = self.channels
        if channels > MAX_MIXED_CHANNELS:
            mix = graph.add("pan", "mono|c0=" + "+".join(f"{1 / channels}*c{i}" for i in range(channels)))
            split.link_to(mix, 1)
            mix.link_to(resample)
        else:
            split.link_to(resample, 1)
        sink = graph.add("abuffersink")
        resample.link_to(sink)
        return sink

    def _feed(self, frame: AudioFrame) -> None:
        self._source.push(frame)
        self._waiting_samples += frame.samples
        if self._waiting_samples >= self._chunk_samples:
            self._drain()

    def _drain(self) -> None:
        self._waiting_samples = 0
        while (chunk := _pull(self._level_sink)) is not None:
            samples = cast("NDArray[np.float32]", chunk.to_ndarray())
            self.levels.add(samples if chunk.format.is_planar else samples.reshape(-1, self.channels).T)
        if self._pcm is None or self._pcm_sink is None:
            return
        while (chunk := _pull(self._pcm_sink)) is not None:
            self._pcm.write(memoryview(chunk.planes[0])[: chunk.samples * 2])

    def _flush_converter(self) -> None:
        if self._converter is not None:
            for converted in self._converter.resample(None):
                self._feed(converted)
        self._converter = None
        self._converted_shape = None


def _pull(sink: FilterContext) -> AudioFrame | None:
    """Return the next chunk of a sink; None when it needs more input or the stream has ended."""
    try:
        return cast("AudioFrame", sink.pull())
    except (av.error.BlockingIOError, av.error.EOFError):
        return None
