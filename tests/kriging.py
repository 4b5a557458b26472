"""Kernel and kriging by textbook formulas, to hold the predictor's own against."""

from collections.abc import Mapping, Sequence

import numpy as np

Array = np.ndarray


def standardised(names: Sequence[str], points: Mapping[str, Array], columns: Mapping[str, Array]) -> Array:
    """Features `[m, p]` of the names that vary over the points, in units of their SD."""
    varying = [name for name in names if np.std(points[name]) > 1e-9]
    rows = [(columns[name] - points[name].mean()) / points[name].std() for name in varying]
    return np.column_stack(rows)


def half_linear_half_smooth(rows: Array, others: Array, smooth: float = 0.5) -> Array:
    apart = np.square(rows[:, None] - others).sum(axis=2)
    count = rows.shape[1]
    return (1 - smooth) * (rows @ others.T) / count + smooth * np.exp(-apart / (2 * count))


def kriging(rows: Array, points: Array, values: Array, penalty: float, smooth: float = 0.5) -> Array:
    """Universal kriging with a constant trend (Cressie: Statistics for Spatial Data, 3.4)."""
    known = half_linear_half_smooth(points, points, smooth) + penalty * np.eye(len(points))
    weighed, ones = np.linalg.solve(known, np.column_stack([values, np.ones(len(points))])).T
    trend = weighed.sum() / ones.sum()
    return trend + half_linear_half_smooth(rows, points, smooth) @ (weighed - trend * ones)


def kriging_covariance(rows: Array, points: Array, penalty: float) -> Array:
    """Of `kriging`, in units of the noise."""
    inverse = np.linalg.inv(half_linear_half_smooth(points, points) + penalty * np.eye(len(points)))
    towards = half_linear_half_smooth(rows, points)
    trend = 1 - (towards @ inverse).sum(axis=1)
    known = half_linear_half_smooth(rows, rows) - towards @ inverse @ towards.T
    return (known + np.outer(trend, trend) / inverse.sum()) / penalty
