"""The level envelope of a file, in hops of about 10 ms.

The level of a hop is that of its loudest channel: opposite channels do not cancel each other, and music in one of
eight channels is as loud as alone. Offset and infrasound do not count.

See Also
--------
wkmp_assets.audio.audible_levels : takes offset and infrasound out.
wkmp_assets.audio.decode : builds the envelope during the decode.
wkmp_assets.audio.silence, wkmp_assets.audio.lead_points : read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.audible_levels import HOPS_PER_SECOND, AudibleLevels, measure_hops
from wkmp_assets.model.values import Envelope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wkmp_assets.audio.loudness import LoudnessBuilder

HOPS_PER_WINDOW = 10
"""unit=hops: 100 ms, the window in which a level is judged."""
MAX_AMPLITUDE = 1e6
"""unit=full scale: 120 dBFS. Larger samples are damage, and the square of some does not fit into a float32."""


def hop_length(sample_rate_hz: int) -> int:
    """Return the number of samples in one hop: `round(sample_rate_hz / 100)`, at least one.

    Parameters
    ----------
    sample_rate_hz : int, > 0

    Examples
    --------
    >>> hop_length(44_100)
    441
    """
    return max(1, round(sample_rate_hz / HOPS_PER_SECOND))


class EnvelopeBuilder:
    """Builds an `Envelope` from a stream of samples; memory grows by 4 bytes per hop.

    Parameters
    ----------
    sample_rate_hz : int, > 0
        Of the stream.
    loudness : LoudnessBuilder, optional
        Gets the same samples; its curve is in the envelope.

    Attributes
    ----------
    total_samples : int
        Samples per channel added so far.
    peak : float
        Largest absolute sample so far, full scale = 1, without the bad ones.
    bad_samples : int
        Samples of any channel that were NaN, infinite or beyond `MAX_AMPLITUDE`; they count as 0.
    """

    def __init__(self, sample_rate_hz: int, loudness: LoudnessBuilder | None = None) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._loudness = loudness
        self.hop_samples = hop_length(sample_rate_hz)
        self.total_samples = 0
        self.peak = 0.0
        self.bad_samples = 0
        self._levels = AudibleLevels()
        self._open: list[NDArray[np.float32]] = []
        self._open_samples = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Add the next stretch of the stream.

        Parameters
        ----------
        samples : shape=(channels, n), full scale = 1
            Any n, also 0; few large pieces are much cheaper than many small ones. The number of channels must not
            change.
        """
        length = samples.shape[1]
        if length == 0:
            return
        samples = self._track_peak(samples)
        if self._loudness is not None:
            self._loudness.add(samples)
        self.total_samples += length
        head = min(length, self.hop_samples - self._open_samples) if self._open_samples else 0
        if head:
            self._extend_open_hop(samples[:, :head])
        whole = (length - head) // self.hop_samples
        if whole:
            self._levels.add(measure_hops(samples[:, head : head + whole * self.hop_samples], self.hop_samples))
        tail = head + whole * self.hop_samples
        if tail < length:
            self._extend_open_hop(samples[:, tail:])

    def finish(self) -> Envelope:
        """Return the envelope; a last hop that is not full is averaged over the samples it has."""
        self._close_open_hop()
        loudness = self._loudness.finish() if self._loudness is not None else None
        return Envelope(self.sample_rate_hz, self.hop_samples, self.total_samples, self._levels.finish(), loudness)

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
        self._open.append(part.copy())
        self._open_samples += part.shape[1]
        if self._open_samples == self.hop_samples:
            self._close_open_hop()

    def _close_open_hop(self) -> None:
        if self._open_samples:
            self._levels.add(measure_hops(np.concatenate(self._open, axis=1), self._open_samples))
        self._open = []
        self._open_samples = 0


def hop_energy(envelope: Envelope) -> NDArray[np.float64]:
    """Return the energy of each hop: its mean square times the samples it has.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.

    Returns
    -------
    array, shape=(hops,), unit=full scale squared times samples
        Empty for an empty envelope.
    """
    energy = envelope.mean_square.astype(np.float64) * envelope.hop_samples
    if energy.size:
        last = envelope.total_samples - (energy.size - 1) * envelope.hop_samples
        energy[-1] *= last / envelope.hop_samples
    return energy


def window_rms(
    envelope: Envelope, start_sample: int, end_sample: int, *, hops_per_window: int = HOPS_PER_WINDOW
) -> NDArray[np.float64]:
    """Return the RMS level in consecutive windows of a stretch.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.
    start_sample, end_sample : int
        Half-open stretch, `0 <= start_sample <= end_sample <= envelope.total_samples`. Within a hop the level counts
        as constant.
    hops_per_window : int, >= 1
        Length of a window; ten hops are 100 ms.

    Returns
    -------
    array, shape=(ceil(length / window),), full scale = 1
        Windows without overlap, counted from `start_sample`. The last one may be shorter and is averaged over the
        samples it has. Empty for an empty stretch.

    See Also
    --------
    hop_energy : the same without windows.

    Examples
    --------
    >>> builder = EnvelopeBuilder(8_000)
    >>> builder.add(np.tile(np.float32([[0.5, -0.5]]), (2, 600)))
    >>> window_rms(builder.finish(), 0, 1_200)
    array([0.5, 0.5])
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
