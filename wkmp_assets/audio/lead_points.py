"""Lead-in and lead-out points of passages, from the level envelope.

Levels are relative to the peak RMS of the passage, so that the loudness of the mastering does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.audible_levels import HOPS_PER_SECOND
from wkmp_assets.audio.envelope import window_rms
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.values import LeadPoints, PassageLeadPoints

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from wkmp_assets.model.values import Envelope, LeadPointParameters, PassageSegments, Span

MIN_PEAK_RMS = 0.05
"""full scale = 1: a passage with a lower peak RMS (-26 dBFS) is too quiet to tell where its music starts."""
PCM16_FULL_SCALE = 32768
CLIPPING_PEAK = 0.99
"""full scale = 1: a file with such a sample may be clipped."""
MIN_WINDOWS = 2
"""unit=windows: the shortest passage that has lead points."""
MAX_LEAD_FRACTION = 0.25
"""The largest share of a passage for each lead, so that the two points never cross."""


def find_lead_points(envelope: Envelope, span: Span, parameters: LeadPointParameters) -> PassageLeadPoints:
    """Find the lead-in and lead-out points of one passage.

    Parameters
    ----------
    envelope : Envelope
        Of the whole file.
    span : Span
        The passage.
    parameters : LeadPointParameters
        Thresholds (<= 0: dB relative to the passage's peak RMS; > 0: dB above one step of 16-bit PCM), the length of
        a window, and the limits.

    Returns
    -------
    PassageLeadPoints
        In samples from the start of the file. The lead-in point is the start of the first window that reaches the
        lead-in threshold; the lead-out point is the end of the last window that reaches the lead-out threshold. If no
        window does within the limit (a quarter of the passage, or the maximum duration), the point lies at the limit.

        `quick_ramp_up` and `quick_ramp_down` tell whether the level reaches `quick_ramp_threshold` of the peak within
        `quick_ramp_duration_s` of the edge; the point is then the edge itself.

        Both points are None, with a warning, when the peak RMS is below 0.05 or the passage is shorter than two
        windows.

    See Also
    --------
    wkmp_assets.audio.silence.find_passages : the passages.
    wkmp_assets.audio.envelope.window_rms : the levels that are compared.
    wkmp_assets.model.lead_presets : parameters for kinds of music.

    Examples
    --------
    A tone of 40 s, whose first 2 s are 20 dB quieter:

    >>> from wkmp_assets.audio.envelope import EnvelopeBuilder
    >>> from wkmp_assets.model.values import LeadPointParameters, Span
    >>> builder = EnvelopeBuilder(8_000)
    >>> builder.add(np.tile(np.float32([[0.05, -0.05]]), 8_000))
    >>> builder.add(np.tile(np.float32([[0.5, -0.5]]), 152_000))
    >>> points = find_lead_points(builder.finish(), Span(0, 320_000), LeadPointParameters(-12.0, -12.0))
    >>> points.lead_in_sample / 8_000, points.lead_out_sample / 8_000
    (2.0, 40.0)
    """
    hops = max(1, round(parameters.rms_window_ms * HOPS_PER_SECOND / 1000))
    width = hops * envelope.hop_samples
    rms = window_rms(envelope, span.start_sample, span.end_sample, hops_per_window=hops)
    peak = float(rms.max(initial=0.0))
    warning = _explain_missing_points(span.length_samples, width, peak)
    if warning:
        return PassageLeadPoints(
            span,
            None,
            None,
            peak,
            quick_ramp_up=False,
            quick_ramp_down=False,
            warnings=(FileWarning(WarningKind.NO_LEAD_POINTS, warning),),
        )
    return _measure(span, rms, peak, width, envelope.sample_rate_hz, parameters)


def measure_lead_points(
    segments: PassageSegments, spans: Iterable[Span], parameters: LeadPointParameters
) -> LeadPoints:
    """Find the lead points of passages of one file, and warn if the file may be clipped.

    Parameters
    ----------
    segments : PassageSegments
        Has the envelope and the peak of the file.
    spans : iterable of Span
        The passages.
    parameters : LeadPointParameters
        As for `find_lead_points`.
    """
    points = tuple(find_lead_points(segments.envelope, span, parameters) for span in spans)
    return LeadPoints(points, parameters, clipping_warnings(segments.audio.peak))


def clipping_warnings(peak: float) -> tuple[FileWarning, ...]:
    """Return a warning about a file that may be clipped; its lead points are not affected.

    Parameters
    ----------
    peak : float, full scale = 1
        Largest absolute sample of the file.

    Returns
    -------
    tuple of FileWarning
        Empty below 0.99.
    """
    if peak < CLIPPING_PEAK:
        return ()
    text = f"The largest sample is {peak:.3f} of full scale, so the file may be clipped."
    return (FileWarning(WarningKind.CLIPPED, text),)


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


def _explain_missing_points(length_samples: int, window_samples: int, peak: float) -> str | None:
    if length_samples < MIN_WINDOWS * window_samples:
        return "The passage is too short for lead points."
    if peak < MIN_PEAK_RMS:
        return f"The passage is very quiet (peak RMS {peak:.4f}), so it has no lead points."
    return None


@dataclass(frozen=True, eq=False)
class _Levels:
    """The window levels of one passage relative to their peak, and the parameters to compare them with."""

    relative: NDArray[np.float64]
    peak: float
    length_samples: int
    sample_rate_hz: int
    parameters: LeadPointParameters

    def lead(self, distance: NDArray[np.int64], threshold_db: float, max_duration_s: float) -> tuple[int, bool]:
        """Return the length of the lead at one edge, in samples, and whether the level ramps quickly there.

        `distance[i]` is the number of samples between that edge of the passage and window i.
        """
        strong = distance[self.relative >= self.parameters.quick_ramp_threshold]
        if strong.size and int(strong.min()) < self.parameters.quick_ramp_duration_s * self.sample_rate_hz:
            return 0, True
        limit = min(int(self.length_samples * MAX_LEAD_FRACTION), round(max_duration_s * self.sample_rate_hz))
        reached = distance[(self.relative >= self._share_of_peak(threshold_db)) & (distance <= limit)]
        return (int(reached.min()) if reached.size else limit), False

    def _share_of_peak(self, threshold_db: float) -> float:
        """Return a threshold as a share of the peak.

        A positive one, which an older library may hold, is in dB above one step of 16-bit PCM.
        """
        level = float(10 ** (threshold_db / 20))
        return level if threshold_db <= 0 else level / PCM16_FULL_SCALE / self.peak
