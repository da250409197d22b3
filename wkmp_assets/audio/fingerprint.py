"""Chromaprint fingerprints of passages, from the stored PCM.

The decode resamples with Chromaprint's own options, so that the fingerprints equal those of `fpcalc`.

See Also
--------
wkmp_assets.audio.decode.measure_file : writes the PCM.
wkmp_assets.identify.lookup : looks the fingerprints up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wkmp_assets.audio.chromaprint_library import chromaprint
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ, map_pcm
from wkmp_assets.model.values import PassageFingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wkmp_assets.model.values import Span

MIN_FINGERPRINT_S = 10
"""unit=s: AcoustID knows no shorter recordings worth matching."""
MAX_FINGERPRINT_S = 120
"""unit=s: AcoustID indexes the first two minutes."""
END_SLACK_SAMPLES = PCM_RATE_HZ // 100
"""unit=PCM samples: a span that ends this close to the end of the PCM runs to its end, which the resampler shifts."""


def fingerprint_passages(
    pcm_path: Path, spans: Sequence[Span], *, sample_rate_hz: int
) -> tuple[PassageFingerprint, ...]:
    """Fingerprint each passage of one file.

    Parameters
    ----------
    pcm_path : Path
        Raw little-endian int16, mono, 11,025 Hz, of the whole file.
    spans : sequence of Span
        Passages, in samples at `sample_rate_hz`.
    sample_rate_hz : int, > 0
        The file's native rate.

    Returns
    -------
    tuple of PassageFingerprint
        One entry per span, in order, from at most the first 120 s of the passage. The fingerprint is None for a
        passage under 10 s, and where the PCM is too short.

    Raises
    ------
    FileNotFoundError
        The store has evicted `pcm_path`; decode the file again.
    """
    pcm = map_pcm(pcm_path)
    return tuple(
        PassageFingerprint(
            span,
            _fingerprint(_cut(pcm, span, sample_rate_hz))
            if span.length_samples >= MIN_FINGERPRINT_S * sample_rate_hz
            else None,
            span.length_samples / sample_rate_hz,
        )
        for span in spans
    )


def _cut(pcm: NDArray[np.int16], span: Span, sample_rate_hz: int) -> NDArray[np.int16]:
    start = round(span.start_sample * PCM_RATE_HZ / sample_rate_hz)
    end = round(span.end_sample * PCM_RATE_HZ / sample_rate_hz)
    if end >= pcm.size - END_SLACK_SAMPLES:
        end = pcm.size
    return pcm[start : min(end, start + MAX_FINGERPRINT_S * PCM_RATE_HZ)]


def _fingerprint(pcm: NDArray[np.int16]) -> str | None:
    if pcm.size == 0:
        return None
    printer = chromaprint.Fingerprinter()
    printer.start(PCM_RATE_HZ, 1)
    printer.feed(pcm.tobytes())
    encoded: bytes = printer.finish()
    raw, _ = chromaprint.decode_fingerprint(encoded)
    return encoded.decode("ascii") if raw else None
