"""Correlation of two measures over candidates: Pearson's r with Fisher's interval, Kendall's tau with ties.

References
----------
Fisher: On the probable error of a coefficient of correlation deduced from a small sample. Metron 1, 1921.
Kendall: The treatment of ties in ranking problems. Biometrika 33, 1945 (tau-b).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import Vector


@dataclass(frozen=True)
class Correlation:
    """A coefficient of correlation, with the interval of Fisher's transformation for Pearson's r.

    Attributes
    ----------
    value : float
        r or tau-b, in [-1, 1]; NaN if a measure does not vary.
    p : float
        Two-sided, of no correlation.
    n : int
        Number of points.
    low, high : float
        Interval; NaN for tau, and for r of fewer than four points.
    """

    value: float
    p: float
    n: int
    low: float = math.nan
    high: float = math.nan

    @property
    def r_squared(self) -> float:
        """Share of variance that a straight line explains, r^2."""
        return self.value**2


def pearson(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Correlation:
    """Pearson's r with its t test and Fisher's interval.

    Raises
    ------
    DataError
        If lengths differ, there are fewer than three points, or a value is not finite.
    """
    first, second = _points(x, y)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return Correlation(math.nan, math.nan, len(first))
    result = stats.pearsonr(first, second)
    r = float(result.statistic)
    low, high = fisher_interval(r, len(first), level)
    return Correlation(r, float(result.pvalue), len(first), low, high)


def fisher_interval(r: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a correlation r of n points: tanh(atanh r +- z / sqrt(n - 3)); NaN for n < 4.

    Raises
    ------
    DataError
        If r is outside [-1, 1].
    """
    if not -1 <= r <= 1:
        raise DataError(f"correlation: r = {r} is outside -1 to 1")
    if n < 4:
        return math.nan, math.nan
    if abs(r) == 1:
        return r, r
    reach = float(stats.norm.ppf((1 + level) / 2)) / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach)


def kendall(x: ArrayLike, y: ArrayLike) -> Correlation:
    """Kendall's tau-b, which allows for ties; exact p where there are none and points are few.

    Raises
    ------
    DataError
        If lengths differ, there are fewer than three points, or a value is not finite.
    """
    first, second = _points(x, y)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return Correlation(math.nan, math.nan, len(first))
    result = stats.kendalltau(first, second)
    return Correlation(float(result.statistic), float(result.pvalue), len(first))


def _points(x: ArrayLike, y: ArrayLike) -> tuple[Vector, Vector]:
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or len(first) < 3:
        raise DataError(
            f"correlation of {first.shape} against {second.shape} values; give two measures of the same three "
            "points or more"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise DataError("correlation: a value is not finite; leave that point out")
    return first, second
