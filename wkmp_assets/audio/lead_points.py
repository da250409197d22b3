"""Where a passage has really begun and where it begins to end: from the level envelope alone.

The level is judged relative to the passage's own peak RMS, so mastering loudness does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.envelope import HOPS_PER_SECOND, window_rms
from wkmp_assets.model.values import PassageLeadPoints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wkmp_assets.model.values import Envelope, LeadPointParameters, Span

MIN_PEAK_RMS = 0.05
"""Below this peak RMS (-26 dBFS) there is no telling where the music starts."""
PCM16_FULL_SCALE = 32768
CLIPPING_PEAK = 0.99
MIN_WINDOWS = 2
MAX_LEAD_FRACTION = 0.25
"""Each lead takes at most a quarter of the passage, so they can never cross."""


def find_lead_points(envelope: Envelope, span: Span, parameters: LeadPointParameters) -> PassageLeadPoints:
    """Find the lead-in and lead-out points of one passage.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.
    span : Span
        The passage.
    parameters : LeadPointParameters
        Thresholds (<= 0: dB relative to the passage's peak RMS; > 0: dB above one step of 16-bit PCM), the window,
        the limits.

    Returns
    -------
    PassageLeadPoints
        The lead-in point is the start of the first window that reaches the lead-in threshold, the lead-out
        point the end of the last window that reaches the lead-out threshold; a side that never does within
        its limit (a quarter of the passage, or the maximum duration) gets that limit. `quick_ramp_up` and
        `quick_ramp_down` tell that the level reaches `quick_ramp_threshold` of the peak within
        `quick_ramp_duration_s` of the edge; the point is then the edge itself. Both points are None, with a
        warning, when the peak RMS is below 0.05 or the passage is shorter than two windows.
    """
    hops = max(1, round(parameters.rms_window_ms * HOPS_PER_SECOND / 1000))
    width = hops * envelope.hop_samples
    rms = window_rms(envelope, span.start_sample, span.end_sample, hops_per_window=hops)
    peak = float(rms.max(initial=0.0))
    warning = _reason_to_give_up(span.length_samples, width, peak)
    if warning:
        return PassageLeadPoints(
            span, None, None, peak, quick_ramp_up=False, quick_ramp_down=False, warnings=(warning,)
        )
    return _measure(span, rms, peak, width, envelope.sample_rate_hz, parameters)


def clipping_warnings(peak: float) -> tuple[str, ...]:
    """Tell of a file whose largest sample, full scale = 1, is 0.99 or more; its lead points are as good as any."""
    if peak < CLIPPING_PEAK:
        return ()
    return (f"The largest sample is {peak:.3f} of full scale, so the file may be clipped.",)


def _measure(
    span: Span,
    rms: NDArray[np.float64],
    peak: float,
    width: int,
    sample_rate_hz: int,
    parameters: LeadPointParameters,
) -> PassageLeadPoints:
    levels = _Levels(rms / peak, peak, span.length_samples, sample_rate_hz, parameters)
    index = np.arange(rms.size)
    from_start = index * width
    from_end = np.maximum(span.length_samples - (index + 1) * width, 0)
    lead_in, is_quick_up = levels.lead(from_start, parameters.lead_in_threshold_db, parameters.max_lead_in_duration_s)
    lead_out, is_quick_down = levels.lead(
        from_end, parameters.lead_out_threshold_db, parameters.max_lead_out_duration_s
    )
    return PassageLeadPoints(
        span,
        span.start_sample + lead_in,
        span.end_sample - lead_out,
        peak,
        quick_ramp_up=is_quick_up,
        quick_ramp_down=is_quick_down,
    )


def _reason_to_give_up(length_samples: int, window_samples: int, peak: float) -> str | None:
    if length_samples < MIN_WINDOWS * window_samples:
        return "The passage is too short for lead points."
    if peak < MIN_PEAK_RMS:
        return f"The passage is very quiet (peak RMS {peak:.4f}), so it has no lead points."
    return None


@dataclass(frozen=True, eq=False)
class _Levels:
    """The window levels of one passage relative to their peak, and the rules they are judged by."""

    relative: NDArray[np.float64]
    peak: float
    length_samples: int
    sample_rate_hz: int
    parameters: LeadPointParameters

    def lead(self, distance: NDArray[np.int64], threshold_db: float, max_duration_s: float) -> tuple[int, bool]:
        """Return the length of the lead on one side, and whether the level ramps up quickly there.

        `distance[i]` is what lies between that edge of the passage and window i, in samples.
        """
        strong = distance[self.relative >= self.parameters.quick_ramp_threshold]
        if strong.size and int(strong.min()) < self.parameters.quick_ramp_duration_s * self.sample_rate_hz:
            return 0, True
        limit = min(int(self.length_samples * MAX_LEAD_FRACTION), round(max_duration_s * self.sample_rate_hz))
        reached = distance[(self.relative >= self._share_of_peak(threshold_db)) & (distance <= limit)]
        return (int(reached.min()) if reached.size else limit), False

    def _share_of_peak(self, threshold_db: float) -> float:
        """Return a threshold as a share of the peak.

        Positive ones, which an older library may hold, are dB above one step of 16-bit PCM: the only absolute reading
        in which the replaced system's numbers make sense.
        """
        level = float(10 ** (threshold_db / 20))
        return level if threshold_db <= 0 else level / PCM16_FULL_SCALE / self.peak
