"""Write the reference values of flavors, from the calibration half of the corpus alone.

    python -m wkmp_assets_tests.tools.benchmarks.flavor_calibration

Equal music gives equal bytes. Run it after each change of a measure: a test compares the names.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import wkmp_assets.audio.flavor
from wkmp_assets.audio.flavor.characteristics import BINARY, PROFILES, RawMeasures, take_measures
from wkmp_assets.audio.flavor.loudness import estimate_level
from wkmp_assets.audio.flavor.pitch_classes import measure_pitch_classes
from wkmp_assets.audio.flavor.rhythm import measure_rhythm
from wkmp_assets.audio.flavor.spectrogram import compute_spectrogram, cut_excerpt
from wkmp_assets.audio.flavor.tagger import TAGS
from wkmp_assets.audio.flavor.tags import mean_logits
from wkmp_assets.audio.flavor.tonality import measure_tonality
from wkmp_assets.model.flavor import TAG_NAMES, TAG_PREFIX
from wkmp_assets.runtime.worker_queue import ONE_THREAD
from wkmp_assets_tests.tools.benchmarks.flavor_corpus import Half, corpus_pcm, corpus_tracks

TARGET = Path(wkmp_assets.audio.flavor.__file__).with_name("reference_values.json")
DIGITS = 4
"""Significant ones: more would only record noise."""


@dataclass(frozen=True)
class Heard:
    """What is measured of one track."""

    measures: RawMeasures
    logits: NDArray[np.float64]


def main() -> None:
    """Measure the calibration half and write the reference values."""
    os.environ.update(ONE_THREAD)
    paths = [track.path for track in corpus_tracks() if track.half is Half.CALIBRATION]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        heard = list(pool.map(_listen, paths))
    TARGET.write_text(json.dumps(reference_values(heard), indent=1) + "\n", encoding="utf-8")
    print(f"Written: {TARGET}, from {len(heard)} tracks")  # noqa: T201 # a command


def _listen(path: Path) -> Heard:
    return hear(corpus_pcm(path))


def hear(pcm: NDArray[np.int16]) -> Heard:
    """Take the measures that reference values are made of."""
    pieces = cut_excerpt(pcm)
    spectrogram = compute_spectrogram(pieces)
    level_db = estimate_level(spectrogram.loudness_power, channels=2)
    tonality = measure_tonality(spectrogram, measure_pitch_classes(pieces))
    return Heard(take_measures(spectrogram, level_db, tonality, measure_rhythm(spectrogram)), mean_logits(pcm))


def reference_values(heard: Sequence[Heard]) -> dict[str, Any]:
    """Return what `reference_values.json` holds."""
    tags = sorted(name.removeprefix(TAG_PREFIX) for name in TAG_NAMES)
    return {
        "scales": {name: _scale([one.measures.numbers[name] for one in heard]) for name in sorted(BINARY)},
        "profiles": {name: _profile([one.measures.profiles[name] for one in heard]) for name in sorted(PROFILES)},
        "tags": {tag: _scale([one.logits[TAGS.index(tag)] for one in heard]) for tag in tags},
    }


def _scale(measures: Sequence[float]) -> dict[str, float]:
    low, middle, high = np.percentile(measures, (25, 50, 75))
    return {"middle": _rounded(middle), "width": _rounded((high - low) / 2)}


def _profile(measures: Sequence[NDArray[np.float64]]) -> dict[str, list[float]]:
    stacked = np.stack(measures)
    return {
        "means": [_rounded(value) for value in stacked.mean(axis=0)],
        "deviations": [_rounded(value) for value in stacked.std(axis=0)],
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


if __name__ == "__main__":
    main()
