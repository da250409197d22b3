"""A decode that measures no loudness, to tell what the loudness costs."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from wkmp_assets.audio import decode_graph
from wkmp_assets.audio.loudness import LoudnessBuilder


class _NoLoudness(LoudnessBuilder):
    def add(self, samples: NDArray[np.float32]) -> None:
        """Ignore the samples."""


@contextmanager
def without_loudness() -> Iterator[None]:
    """Measure no loudness in the decodes of the block; their curves are empty."""
    original = decode_graph.LoudnessBuilder
    decode_graph.LoudnessBuilder = _NoLoudness  # type: ignore[misc]  # for the block
    try:
        yield
    finally:
        decode_graph.LoudnessBuilder = original  # type: ignore[misc]  # as it was
