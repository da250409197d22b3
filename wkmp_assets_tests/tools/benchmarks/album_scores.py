"""Score distances by albums, with intervals over albums. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000


@dataclass(frozen=True)
class AlbumScores:
    """One figure per track, for each of two scores."""

    precision: NDArray[np.float64]
    """shape=(n,): average precision of the tracks of the same album among all others, nearest first."""
    nearest: NDArray[np.float64]
    """shape=(n,): 1 where the nearest other track is of the same album."""


def score_albums(distances: NDArray[np.float64], albums: Sequence[str]) -> AlbumScores:
    """Score a matrix of distances, shape=(n, n). Each album needs two tracks or more."""
    labels = np.array(albums)
    order = np.argsort(distances + np.diag(np.full(len(labels), np.inf)), axis=1, kind="stable")[:, :-1]
    is_same = labels[order] == labels[:, None]
    ranks = np.arange(1, len(labels))
    precision = (np.cumsum(is_same, axis=1) / ranks * is_same).sum(axis=1) / is_same.sum(axis=1)
    return AlbumScores(precision, is_same[:, 0].astype(np.float64))


def score_halves(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return per track how often a half finds the other: 0, 0.5 or 1; distances[i, j] is from first i to second j."""
    own = np.arange(len(distances))
    return np.asarray((distances.argmin(axis=1) == own) * 0.5 + (distances.argmin(axis=0) == own) * 0.5)


def interval(figures: NDArray[np.float64], albums: Sequence[str]) -> tuple[float, float, float]:
    """Return the mean and its 95 % interval, from resampled albums (a bootstrap with whole albums)."""
    names, numbers = np.unique(np.array(albums), return_inverse=True)
    sums = np.bincount(numbers, figures)
    counts = np.bincount(numbers)
    drawn = np.random.default_rng(0).integers(0, len(names), (RESAMPLES, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(figures.mean()), float(low), float(high)
