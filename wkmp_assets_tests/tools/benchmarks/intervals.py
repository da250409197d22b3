"""Intervals for counted shares."""

from math import sqrt

Z_95 = 1.959964
"""The normal quantile of a two-sided 95 % interval."""


def wilson_interval(hits: int, tries: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22:209).

    Parameters
    ----------
    hits, tries : int
        `0 <= hits <= tries`, `tries > 0`.

    Returns
    -------
    (float, float)
        range 0 to 1

    Examples
    --------
    >>> [round(edge, 3) for edge in wilson_interval(98, 100)]
    [0.93, 0.994]
    """
    share = hits / tries
    centre = share + Z_95**2 / (2 * tries)
    width = Z_95 * sqrt(share * (1 - share) / tries + Z_95**2 / (4 * tries**2))
    total = 1 + Z_95**2 / tries
    return max(0.0, (centre - width) / total), min(1.0, (centre + width) / total)
