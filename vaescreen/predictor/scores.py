"""How good predictions are: error in dB, order within a data set, and what following the order costs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from vaescreen.predictor.sample import Labels, Vector


class Predictions(NamedTuple):
    """Predictions and ends of their intervals in dB, each `[n]`; infinite ends are no interval."""

    value: Vector
    low: Vector
    high: Vector


@dataclass(frozen=True)
class Scores:
    """Scores of predictions; `mae`, `rmse`, `regret` and the mean `width` of the 90 % interval are in dB.

    `tau` is the smallest and `regret` the largest of the data sets, `tau_mean` the mean over them. None marks
    what the points do not determine: no tau in data sets of one point, no interval from fewer than nine.
    """

    q2: float | None
    mae: float
    rmse: float
    tau: float | None
    tau_mean: float | None
    regret: float | None
    coverage: float | None
    width: float | None
    tau_by_data: dict[str, float]
    regret_by_data: dict[str, float]


def score(target: Vector, predictions: Predictions, data: Sequence[str] | Labels) -> Scores:
    """Score predictions of points that belong to the data sets named in `data`."""
    value, low, high = predictions
    error = value - target
    bounded = bool(np.isfinite(high - low).all())
    taus = tau_by_data(target, value, data)
    regrets = regret_by_data(target, value, data)
    return Scores(
        q2=finite(explained(target, value)),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        tau=min(taus.values(), default=None),
        tau_mean=float(np.mean(list(taus.values()))) if taus else None,
        regret=max(regrets.values(), default=None),
        coverage=float(((low <= target) & (target <= high)).mean()) if bounded else None,
        width=float((high - low).mean()) if bounded else None,
        tau_by_data=taus,
        regret_by_data=regrets,
    )


def explained(target: Vector, predicted: Vector) -> float:
    """Share of variance explained, `1 - sum (y - y^)^2 / sum (y - mean y)^2`.

    In-sample R^2 when the predictions come from a fit to the same points; Q^2 in its PRESS form when each
    comes from a fit without its group. The mean is that of all points, also for Q^2: the mean of the points
    left in is the worse guess, and to measure against it would flatter every predictor (the six published
    points: Q^2 0.50 instead of 0.285). NaN if the target does not vary.
    """
    spread = float(((target - target.mean()) ** 2).sum())
    return 1 - float(((target - predicted) ** 2).sum()) / spread if spread > 0 else float("nan")


def tau_by_data(target: Vector, predicted: Vector, data: Sequence[str] | Labels) -> dict[str, float]:
    """Kendall's tau-b within each data set of two points or more; 0 where predictions are all the same."""
    taus = {
        name: float(stats.kendalltau(target[rows], predicted[rows]).statistic) for name, rows in _sets(data)
    }
    return {name: 0.0 if np.isnan(tau) else tau for name, tau in taus.items()}


def regret_by_data(target: Vector, predicted: Vector, data: Sequence[str] | Labels) -> dict[str, float]:
    """Target of the truly best less that of the predicted best, in dB, within each data set of two or more.

    Among several predicted best the choice is taken to be random: their mean target counts.
    """
    return {
        name: float(target[rows].max() - target[rows][predicted[rows] == predicted[rows].max()].mean())
        for name, rows in _sets(data)
    }


def finite(value: float) -> float | None:
    """None in place of NaN and infinity, which JSON has no words for."""
    return value if math.isfinite(value) else None


def _sets(data: Sequence[str] | Labels) -> Iterator[tuple[str, NDArray[np.intp]]]:
    names = np.asarray(data)
    for name in dict.fromkeys(map(str, data)):
        rows = np.flatnonzero(names == name)
        if len(rows) > 1:
            yield name, rows
