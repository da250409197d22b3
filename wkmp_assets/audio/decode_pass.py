"""One decoding pass over a file: the frames of a decoder go through the filter graph, and damage is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np

from wkmp_assets.audio.decode_graph import DecodeGraph
from wkmp_assets.audio.envelope import MAX_AMPLITUDE
from wkmp_assets.errors import TooLongError
from wkmp_assets.model.file_warnings import FileWarning, WarningKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from av.audio.frame import AudioFrame

    from wkmp_assets.audio.envelope import EnvelopeBuilder

MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 1_536_000
"""No converter has others. A damaged header may claim billions, and buffers grow with the rate. At 1 Hz a small
file lasts for weeks, and its PCM fills the disk."""
MAX_FILE_H = 48
"""unit=h: a megabyte of compressed silence may last for a day, and each hour of it is 79 MB of PCM."""


class NothingDecodedError(Exception):
    """One decoder got no sound out of the file; another one may."""


@dataclass
class DecodePass:
    """One decoding pass over a file.

    Parameters
    ----------
    pcm : binary file or None
        Receives the mono PCM at 11,025 Hz.
    format : str
        See `AudioProperties.format`.
    display_path : str
        The file's name in messages.

    Attributes
    ----------
    graph : DecodeGraph or None
        What was measured; None before the first frame.
    skipped_packets, bad_samples : int
        Packets that the decoder refused, and samples that were replaced by 0.
    announced_s : float or None, unit=s
        Length according to the container, where it is exact.
    ends_midway : bool
        Whether the file ends before its last page, in a container that states no length.
    warnings : list of FileWarning
        Other damage.
    """

    pcm: BinaryIO | None
    format: str
    display_path: str
    graph: DecodeGraph | None = None
    skipped_packets: int = 0
    bad_samples: int = 0
    announced_s: float | None = None
    ends_midway: bool = False
    warnings: list[FileWarning] = field(default_factory=list)

    def warn(self, kind: WarningKind, text: str) -> None:
        """Add a warning about the file."""
        self.warnings.append(FileWarning(kind, text))

    def push_all(self, frames: Iterator[AudioFrame]) -> None:
        """Measure all frames of a stream; the first one sets rate and layout for the whole.

        Raises
        ------
        NothingDecodedError
            There is no frame, or FFmpeg's filters refuse such frames.
        TooLongError
            The stream lasts longer than `MAX_FILE_H` hours.
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
            raise NothingDecodedError(f"filters refuse its samples: {describe_cause(error)}") from error
        if self.graph is None:
            raise NothingDecodedError(self.warnings[-1].text if self.warnings else "it holds no samples")

    def _require_an_end(self, levels: EnvelopeBuilder) -> None:
        if levels.total_samples > MAX_FILE_H * 3600 * levels.sample_rate_hz:
            raise TooLongError(self.display_path, f"it lasts more than {MAX_FILE_H} hours")


def replace_bad_samples(frames: Iterator[AudioFrame], done: DecodePass) -> Iterator[AudioFrame]:
    """Set NaN, infinity and samples beyond `MAX_AMPLITUDE` to 0, in place, before a resampler spreads them."""
    for frame in frames:
        for plane in frame.planes:
            samples = np.frombuffer(cast("Any", plane), np.float64 if frame.format.bytes == 8 else np.float32)
            bad = ~(np.abs(samples) <= MAX_AMPLITUDE)
            if bad.any():
                done.bad_samples += int(np.count_nonzero(bad))
                samples[bad] = 0
        yield frame


def describe_cause(error: Exception) -> str:
    """Return the text of an exception without the path, which the message around it has already."""
    said = getattr(error, "strerror", None) or getattr(error, "error_string", None) or str(error)
    return str(said).rstrip(".")
