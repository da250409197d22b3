"""The measured flavors of a file's passages, from its PCM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.flavor.characteristics import characterise, take_measures
from wkmp_assets.audio.flavor.loudness import estimate_level
from wkmp_assets.audio.flavor.pitch_classes import measure_pitch_classes
from wkmp_assets.audio.flavor.rhythm import measure_rhythm
from wkmp_assets.audio.flavor.spectrogram import compute_spectrogram, cut_excerpt
from wkmp_assets.audio.flavor.tags import measure_tags
from wkmp_assets.audio.flavor.tonality import measure_tonality
from wkmp_assets.audio.loudness import measure_loudness
from wkmp_assets.audio.pcm_store import PCM_RATE_HZ, map_pcm
from wkmp_assets.model.flavor import round_distribution
from wkmp_assets.model.values import PassageFlavor, SoundMeasures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from wkmp_assets.model.values import LoudnessCurve, Span


def measure_passages(
    pcm_path: Path,
    spans: Sequence[Span],
    *,
    sample_rate_hz: int,
    channels: int,
    loudness: LoudnessCurve | None = None,
) -> tuple[PassageFlavor, ...]:
    """Measure the characteristics of each passage; the same PCM always gives the same numbers.

    Parameters
    ----------
    pcm_path : Path
        Raw little-endian int16, mono, 11,025 Hz, of the whole file.
    spans : sequence of Span
        Passages, in samples at `sample_rate_hz`.
    sample_rate_hz, channels : int, > 0
        Of the audio file, not of the PCM.
    loudness : LoudnessCurve, optional
        Of the whole file; without it the loudness of the passages is not measured.

    Returns
    -------
    tuple of PassageFlavor
        One per span, in order, each with every characteristic. A span without samples is measured as silence.

    Raises
    ------
    FileNotFoundError
        The store has evicted `pcm_path`; decode the file again.

    See Also
    --------
    wkmp_assets.audio.pcm_store.map_pcm : the samples that are measured.
    wkmp_assets.audio.flavor.characteristics.characterise : the characteristics.
    """
    pcm = map_pcm(pcm_path)
    ratio = PCM_RATE_HZ / sample_rate_hz
    return tuple(
        _measure(span, pcm[round(span.start_sample * ratio) : round(span.end_sample * ratio)], channels, loudness)
        for span in spans
    )


def _measure(span: Span, pcm: NDArray[np.int16], channels: int, curve: LoudnessCurve | None) -> PassageFlavor:
    pieces = cut_excerpt(pcm)
    spectrogram = compute_spectrogram(pieces)
    tonality, rhythm = measure_tonality(spectrogram, measure_pitch_classes(pieces)), measure_rhythm(spectrogram)
    level_db = estimate_level(spectrogram.loudness_power, channels=channels)
    loudness = measure_loudness(curve, span) if curve is not None else None
    flavor = {**characterise(take_measures(spectrogram, level_db, tonality, rhythm)), **measure_tags(pcm)}
    measures = SoundMeasures(
        bpm=round(rhythm.bpm, 1),
        key=tonality.key,
        scale=tonality.scale,
        key_clarity=round(tonality.clarity, 3),
        level_estimate_db=round(level_db, 1),
        crest_factor_db=round(_crest_db(pieces), 1),
        integrated_lufs=round(loudness.integrated_lufs, 2) if loudness else None,
        loudness_range_lu=round(loudness.range_lu, 2) if loudness and loudness.range_lu is not None else None,
        replaygain_db=round(loudness.replaygain_db, 2) if loudness else None,
    )
    return PassageFlavor(span, {name: round_distribution(values) for name, values in flavor.items()}, measures)


def _crest_db(pieces: Sequence[NDArray[np.int16]]) -> float:
    """Return how many dB the peak lies above the RMS; 0 for silence."""
    count, peak = sum(piece.size for piece in pieces), max(_peak(piece) for piece in pieces)
    # Squares of int16 add up exactly in a float64.
    energy = sum(float(np.vdot(samples, samples)) for samples in (piece.astype(np.float64) for piece in pieces))
    return 20 * float(np.log10(peak / np.sqrt(energy / count))) if peak > 0 else 0.0


def _peak(piece: NDArray[np.int16]) -> int:
    return max(int(piece.max(initial=0)), -int(piece.min(initial=0)))
