"""Kernel and kriging by textbook formulas, to hold the predictor's own against."""

from collections.abc import Mapping, Sequence

import numpy as np

Array = np.ndarray


def standardised(names: Sequence[str], points: Mapping[str, Array], columns: Mapping[str, Array]) -> Array:
    """Features `[m, p]` of the names that vary over the points, in units of their SD."""
    varying = [name for name in names if np.std(points[name]) > 1e-9]
    rows = [(columns[name] - points[name].mean()) / points[name].std() for name in varying]
    return np.column_stack(rows)


def trend(columns: Mapping[str, Array], names: Sequence[str] = ()) -> Array:
    """An intercept and features, `[m, 1 + q]`."""
    return np.column_stack([np.ones(len(next(iter(columns.values())))), *(columns[name] for name in names)])


def alike(rows: Array, others: Array, smooth: float) -> Array:
    """Partly linear, partly squared-exponential."""
    apart = np.square(rows[:, None] - others).sum(axis=2)
    count = rows.shape[1]
    return (1 - smooth) * (rows @ others.T) / count + smooth * np.exp(-apart / (2 * count))


def kriging(
    rows: Array,
    points: Array,
    values: Array,
    penalty: float,
    smooth: float,
    *lines: Array,
) -> Array:
    """Universal kriging (Cressie: Statistics for Spatial Data, 3.4).

    The trend is a constant unless `lines` gives its columns at the rows and at the points.
    """
    line, known = lines or _constant(rows, points)
    inverse = np.linalg.inv(alike(points, points, smooth) + penalty * np.eye(len(points)))
    slopes = np.linalg.solve(known.T @ inverse @ known, known.T @ inverse @ values)
    return line @ slopes + alike(rows, points, smooth) @ inverse @ (values - known @ slopes)


def kriging_covariance(rows: Array, points: Array, penalty: float, smooth: float, *lines: Array) -> Array:
    """Of `kriging`, in units of the noise."""
    line, known = lines or _constant(rows, points)
    inverse = np.linalg.inv(alike(points, points, smooth) + penalty * np.eye(len(points)))
    towards = alike(rows, points, smooth)
    unexplained = line - towards @ inverse @ known
    random = alike(rows, rows, smooth) - towards @ inverse @ towards.T
    return (random + unexplained @ np.linalg.solve(known.T @ inverse @ known, unexplained.T)) / penalty


def _constant(*places: Array) -> list[Array]:
    return [np.ones((len(rows), 1)) for rows in places]
