"""Features of the same files by essentia's MusicExtractor, which runs in another environment."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wkmp_assets_tests.tools.benchmarks.flavor_scores import standardised_distances
from wkmp_assets_tests.tools.datasets.encode import FORMATS, encode
from wkmp_assets_tests.tools.datasets.pcm import read_pcm

COPIES_AT_ONCE = 8
"""As WAV: some hundred megabytes."""

Features = dict[str, list[float]]


def essentia_distances(
    paths: Sequence[Path], python: Path | None, scratch: Path
) -> tuple[NDArray[np.float64] | None, list[int], str]:
    """Compare files by all of essentia's numbers, standardised.

    Parameters
    ----------
    paths : sequence of Path
        The files; those it cannot read (Opus, for one) it gets as WAV.
    python : Path or None
        A Python that has essentia.
    scratch : Path
        For copies.

    Returns
    -------
    tuple of array or None, list of int, str
        Distances, shape=(n, n); indices of the n files it could read; a sentence about the result.
    """
    if python is None or not python.exists():
        return None, [], "essentia was not asked, or could not be installed, so its lines are missing."
    features = _ask(paths, python, scratch)
    readable = [index for index, path in enumerate(paths) if features.get(_key(path))]
    if len(readable) < len(paths) / 2:
        return None, [], "essentia could read less than half of the files, so its lines are missing."
    found: list[Features] = [features[_key(paths[index])] or {} for index in readable]
    shapes = [{name: len(numbers) for name, numbers in one.items()} for one in found]
    common = [name for name in sorted(found[0]) if all(shape.get(name) == shapes[0][name] for shape in shapes)]
    numbers = np.array([np.concatenate([one[name] for name in common]) for one in found])
    said = f"essentia: {numbers.shape[1]} numbers per file, standardised, Euclidean; it read {len(found)} of the files."
    return standardised_distances(numbers), readable, said


def _ask(paths: Sequence[Path], python: Path, scratch: Path) -> dict[str, Features | None]:
    """Extract features that are not in the cache yet. That takes minutes, so the results are kept."""
    kept = python.parent.parent / "features.json"
    features: dict[str, Features | None] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    missing = [path for path in paths if _key(path) not in features]
    for portion in _portions(missing):
        features |= _extract({_key(path): path for path in portion}, python)
        kept.write_text(json.dumps(features), encoding="utf-8")
    unread = [path for path in missing if features.get(_key(path), {}) is None]
    for portion in _portions(unread):
        copies = {_key(path): scratch / f"{number}.wav" for number, path in enumerate(portion)}
        for path in portion:
            encode(read_pcm(path), copies[_key(path)], FORMATS["WAV"])
        features |= _extract(copies, python)
        kept.write_text(json.dumps(features), encoding="utf-8")
    return features


def _key(path: Path) -> str:
    """Name a file, wherever the data set lies."""
    return f"{path.name}, {path.stat().st_size} bytes"


def _portions(paths: Sequence[Path]) -> Iterator[Sequence[Path]]:
    return (paths[start : start + COPIES_AT_ONCE] for start in range(0, len(paths), COPIES_AT_ONCE))


def _extract(files: dict[str, Path], python: Path) -> dict[str, Any]:
    """Return name -> features, None for a file that cannot be read; nothing when essentia itself fails."""
    script = Path(__file__).with_name("essentia_features.py")
    done = subprocess.run(
        [str(python), str(script), *map(str, files.values())], capture_output=True, text=True, check=False
    )
    return dict(zip(files, json.loads(done.stdout), strict=True)) if done.returncode == 0 else {}
