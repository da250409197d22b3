"""A map of the library: passages that sound alike lie close together. The same input gives the same map.

The distance of two flavors that have the same characteristics is the squared Euclidean distance of their values, each
scaled by the size of its classifier. Classical scaling of such distances is a principal component analysis of the
scaled values (Gower 1966, https://doi.org/10.1093/biomet/53.3-4.325), which needs no table of all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from wkmp_assets.model.flavor import Flavor

MAX_NEIGHBOURS = 3
MIN_POINTS = 3
_BINARY = 2


@dataclass(frozen=True, eq=False)
class FlavorMap:
    """Positions of passages and their nearest neighbours."""

    positions: NDArray[np.float64]
    """shape=(n, 2), range 0..1; both axes on the same scale."""
    neighbours: NDArray[np.intp]
    """shape=(n, up to 3): indices of the nearest others by flavor, nearest first."""
    share_shown: float
    """Share of the variance that the two axes show, 0..1."""


def map_flavors(flavors: Sequence[Flavor]) -> FlavorMap | None:
    """Place flavors on a plane.

    Parameters
    ----------
    flavors : sequence of classifier -> value name -> probability
        Where a flavor lacks a characteristic, the average of the others is used.

    Returns
    -------
    FlavorMap or None
        None for fewer than three flavors, or when all are equal.
    """
    if len(flavors) < MIN_POINTS:
        return None
    scaled = _scaled(flavors)
    centred = scaled - scaled.mean(axis=0)
    left, strengths, axes = np.linalg.svd(centred, full_matrices=False)
    variance = strengths**2
    if strengths.size < _BINARY or variance.sum() < 1e-12:
        return None
    # The sign of an axis is arbitrary: its largest component decides, so that the same library looks the same.
    signs = np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])
    placed = left[:, :2] * strengths[:2] * signs
    positions = (placed - placed.min(axis=0)) / np.ptp(placed, axis=0).max()
    return FlavorMap(positions, _nearest(centred), float(variance[:2].sum() / variance.sum()))


def _scaled(flavors: Sequence[Flavor]) -> NDArray[np.float64]:
    """Return one row per flavor, one column per value, so that squared distances are distances of flavors."""
    names = {classifier: sorted({name for one in flavors for name in one.get(classifier, ())})
             for classifier in sorted({name for one in flavors for name in one})}  # fmt: skip
    sizes = [len(values) for values in names.values()]
    columns: list[NDArray[np.float64]] = []
    for classifier, values in names.items():
        of_kind = sum((size == _BINARY) == (len(values) == _BINARY) for size in sizes)
        weight = (1 / (2 * of_kind * len(values))) ** 0.5
        for name in values:
            column = np.array([one.get(classifier, {}).get(name, np.nan) for one in flavors], np.float64)
            columns.append(np.where(np.isnan(column), np.nanmean(column), column) * weight)
    return np.column_stack(columns)


def _nearest(rows: NDArray[np.float64]) -> NDArray[np.intp]:
    lengths = np.einsum("ij,ij->i", rows, rows)
    distances = lengths[:, None] + lengths[None, :] - 2 * rows @ rows.T
    np.fill_diagonal(distances, np.inf)
    count = min(MAX_NEIGHBOURS, len(rows) - 1)
    nearest: NDArray[np.intp] = np.argsort(distances, axis=1, kind="stable")[:, :count]
    return nearest
