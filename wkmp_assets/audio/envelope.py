"""The level of a file in hops of about 10 ms: built during the one decode, read by silence and lead points.

Power is averaged, never samples, so that opposite channels cannot cancel each other. Nothing here decodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.model.values import Envelope

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOPS_PER_SECOND = 100
HOPS_PER_WINDOW = 10
"""A level window of 100 ms is this many hops."""
MAX_AMPLITUDE = 1e6
"""Times full scale, 120 dB above it. What claims more is damage or spite, whose square a float32 may not hold."""


def hop_length(sample_rate_hz: int) -> int:
    """Return the number of samples in one hop: `round(sample_rate_hz / 100)`, at least one."""
    return max(1, round(sample_rate_hz / HOPS_PER_SECOND))


class EnvelopeBuilder:
    """Accumulate a stream of samples into an `Envelope`; memory grows by 4 bytes per hop.

    Parameters
    ----------
    sample_rate_hz : int, > 0
        Frames per second of the stream.

    Attributes
    ----------
    total_samples : int
        Frames added so far.
    peak : float
        Largest absolute finite sample so far, full scale = 1.
    bad_samples : int
        Samples (per channel) that were NaN, infinite or beyond `MAX_AMPLITUDE` and counted as 0.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.hop_samples = hop_length(sample_rate_hz)
        self.total_samples = 0
        self.peak = 0.0
        self.bad_samples = 0
        self._finished: list[NDArray[np.float32]] = []
        self._open_energy = 0.0
        self._open_samples = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take the next stretch of the stream.

        Parameters
        ----------
        samples : shape=(channels, n), full scale = 1
            Any n, also 0. The number of channels must not change; several channels count as one power.
            Few large pieces are much cheaper than many small ones.
        """
        length = samples.shape[1]
        if length == 0:
            return
        samples = self._track_peak(samples)
        self.total_samples += length
        head = min(length, self.hop_samples - self._open_samples) if self._open_samples else 0
        if head:
            self._extend_open_hop(samples[:, :head])
        whole = (length - head) // self.hop_samples
        if whole:
            self._finished.append(_mean_squares(samples[:, head : head + whole * self.hop_samples], whole))
        tail = head + whole * self.hop_samples
        if tail < length:
            self._extend_open_hop(samples[:, tail:])

    def finish(self) -> Envelope:
        """Close the stream; a last hop that is not full is averaged over the samples it has."""
        self._close_open_hop()
        mean_square = np.concatenate(self._finished) if self._finished else np.zeros(0, np.float32)
        return Envelope(self.sample_rate_hz, self.hop_samples, self.total_samples, mean_square)

    def _track_peak(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        peak = max(float(samples.max()), -float(samples.min()))
        if not peak <= MAX_AMPLITUDE:
            believable = np.abs(samples) <= MAX_AMPLITUDE
            self.bad_samples += int(samples.size - np.count_nonzero(believable))
            samples = np.where(believable, samples, np.float32(0))
            peak = float(np.abs(samples).max())
        self.peak = max(self.peak, peak)
        return samples

    def _extend_open_hop(self, part: NDArray[np.float32]) -> None:
        self._open_energy += float(np.einsum("ij,ij->", part, part)) / part.shape[0]
        self._open_samples += part.shape[1]
        if self._open_samples == self.hop_samples:
            self._close_open_hop()

    def _close_open_hop(self) -> None:
        if self._open_samples:
            self._finished.append(np.array([self._open_energy / self._open_samples], np.float32))
        self._open_energy = 0.0
        self._open_samples = 0


def _mean_squares(samples: NDArray[np.float32], hops: int) -> NDArray[np.float32]:
    """Average the power of each hop over all channels; einsum squares and sums without a temporary copy."""
    energy = np.zeros(hops, np.float32)
    for channel in samples:
        by_hop = channel.reshape(hops, -1)
        energy += np.einsum("ij,ij->i", by_hop, by_hop)
    mean: NDArray[np.float32] = energy / np.float32(samples.shape[1] // hops * samples.shape[0])
    return mean


def hop_energy(envelope: Envelope) -> NDArray[np.float64]:
    """Return the energy of each hop: mean square times the samples it really has.

    Returns
    -------
    shape=(hops,), unit=full scale squared times samples
        The last hop counts only the samples it has. Empty for an empty envelope.
    """
    energy = envelope.mean_square.astype(np.float64) * envelope.hop_samples
    if energy.size:
        last = envelope.total_samples - (energy.size - 1) * envelope.hop_samples
        energy[-1] *= last / envelope.hop_samples
    return energy


def window_rms(
    envelope: Envelope, start_sample: int, end_sample: int, *, hops_per_window: int = HOPS_PER_WINDOW
) -> NDArray[np.float64]:
    """Measure the RMS level in consecutive windows of a stretch.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.
    start_sample, end_sample : int
        Half-open stretch, `0 <= start_sample <= end_sample <= envelope.total_samples`. Away from a hop
        boundary the level inside the hop is taken as constant.
    hops_per_window : int, >= 1
        Ten hops are 100 ms.

    Returns
    -------
    shape=(ceil(length / window),), full scale = 1
        Non-overlapping windows counted from `start_sample`. The last one may be shorter and is averaged over
        the samples it really has. Empty for an empty stretch.
    """
    width = hops_per_window * envelope.hop_samples
    edges = np.append(np.arange(start_sample, end_sample, width), end_sample)
    if edges.size < 2:
        return np.zeros(0)
    hop_edges = np.arange(envelope.mean_square.size + 1) * envelope.hop_samples
    hop_edges[-1] = envelope.total_samples
    cumulative = np.concatenate([[0.0], np.cumsum(hop_energy(envelope))])
    energy = np.diff(np.interp(edges, hop_edges, cumulative))
    rms: NDArray[np.float64] = np.sqrt(np.maximum(energy, 0.0) / np.diff(edges))
    return rms
