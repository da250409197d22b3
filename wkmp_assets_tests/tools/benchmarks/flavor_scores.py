"""Score how often neighbours by flavor are from the same album or composer. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAR = 5
SHUFFLES = 2000


@dataclass(frozen=True)
class NeighbourScore:
    """Scores over files whose label other files have as well."""

    files: int
    nearest: float
    """Share whose nearest neighbour has the same label."""
    near: float
    """The same over the five nearest."""
    chance: float
    """What a random neighbour would give."""
    p_value: float
    """Share of shuffled labels that do as well by the nearest neighbour."""


def score_neighbours(distances: NDArray[np.float64], labels: Sequence[str]) -> NeighbourScore:
    """Score a matrix of distances, shape=(n, n), by labels."""
    ordered = np.argsort(distances + np.diag(np.full(len(labels), np.inf)), axis=1)
    nearest, near, files, chance = _shares(ordered, np.array(labels))
    random = np.random.default_rng(0)
    shuffled = [_shares(ordered, random.permutation(np.array(labels)))[0] for _ in range(SHUFFLES)]
    p_value = (1 + sum(share >= nearest for share in shuffled)) / (1 + SHUFFLES)
    return NeighbourScore(files, nearest, near, chance, p_value)


def _shares(ordered: NDArray[np.int64], labels: NDArray[np.str_]) -> tuple[float, float, int, float]:
    same = labels[ordered[:, :NEAR]] == labels[:, None]
    others = (labels[:, None] == labels).sum(axis=1) - 1
    judged = others > 0
    chance = others[judged].mean() / (len(labels) - 1)
    return float(same[judged, 0].mean()), float(same[judged].mean()), int(judged.sum()), float(chance)


def standardised_distances(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return squared Euclidean distances of features brought to mean 0 and deviation 1; constant ones are left out."""
    varying = features[:, features.std(axis=0) > 1e-9]
    scaled = (varying - varying.mean(axis=0)) / varying.std(axis=0)
    return np.asarray(np.square(scaled[:, None] - scaled[None]).mean(axis=2))
