"""How good predictions are: error in dB, order within a data set, and what following the order costs."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from vaescreen.predictor.model import Vector


def explained(target: Vector, predicted: Vector) -> float:
    """Share of variance explained, `1 - sum (y - y^)^2 / sum (y - mean y)^2`.

    In-sample R^2 when the predictions come from a fit to the same points; Q^2 in its PRESS form when each
    comes from a fit without its group. The mean is that of all points, also for Q^2: the mean of the points
    left in is the worse guess, and to measure against it would flatter every predictor (the six published
    points: Q^2 0.50 instead of 0.285). NaN if the target does not vary.
    """
    spread = float(((target - target.mean()) ** 2).sum())
    return 1 - float(((target - predicted) ** 2).sum()) / spread if spread > 0 else float("nan")


def tau_by_data(target: Vector, predicted: Vector, data: Sequence[str]) -> dict[str, float]:
    """Kendall's tau-b within each data set of two points or more; 0 where predictions are all the same."""
    taus = {
        name: float(stats.kendalltau(target[rows], predicted[rows]).statistic) for name, rows in _sets(data)
    }
    return {name: 0.0 if np.isnan(tau) else tau for name, tau in taus.items()}


def regret_by_data(target: Vector, predicted: Vector, data: Sequence[str]) -> dict[str, float]:
    """Target of the truly best less that of the predicted best, in dB, within each data set of two or more.

    Among several predicted best the choice is taken to be random: their mean target counts.
    """
    return {
        name: float(target[rows].max() - target[rows][predicted[rows] == predicted[rows].max()].mean())
        for name, rows in _sets(data)
    }


def _sets(data: Sequence[str]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    names = np.asarray(data)
    for name in dict.fromkeys(data):
        rows = np.flatnonzero(names == name)
        if len(rows) > 1:
            yield name, rows
