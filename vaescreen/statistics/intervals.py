"""Intervals by cluster bootstrap: percentile, BCa, and studentised, for any statistic of weighted patients.

A statistic is a function of how often each patient counts. It gives its value for each row of weights and the
derivative of that value by each weight (the infinitesimal jackknife), from which its standard error follows.

References
----------
Efron, Tibshirani: An Introduction to the Bootstrap. Chapman & Hall, 1993, sections 12.5 (bootstrap-t) and 14.3
(BCa, acceleration by the jackknife).
Davison, Hinkley: Bootstrap Methods and their Application. Cambridge University Press, 1997, sections 2.7 and 3.8.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.bootstrap import draw_patients
from vaescreen.statistics.clusters import Matrix, Vector

Method = Literal["percentile", "bca", "studentised"]
Statistic = Callable[[Matrix], tuple[Vector, Matrix]]


@dataclass(frozen=True)
class Estimate:
    """A statistic and its interval."""

    value: float
    low: float
    high: float


def cluster_interval(
    statistic: Statistic,
    patients: int,
    method: Method = "studentised",
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Put a bootstrap interval around a statistic, patients being drawn with all their images.

    Parameters
    ----------
    statistic : callable
        From weights `[rows, patients]` to values `[rows]` and derivatives `[rows, patients]`.
    patients : int
        Number of patients, at least two.
    method : str
        `studentised` holds its level for smooth statistics from few patients on; `bca` suits bounded ones;
        `percentile` is too narrow for fewer than about 40 patients.
    level : float
        Nominal coverage, in (0, 1).
    draws : int
        Number of bootstrap draws.
    seed : int
        Seed of the draws.

    Raises
    ------
    DataError
        If there are fewer than two patients.
    """
    if patients < 2:
        raise DataError(
            "an interval needs at least 2 patients and has 1; images of one patient do not replace another"
        )
    value, error = _value_and_error(statistic, np.ones((1, patients)))
    if not error[0] > 1e-12 * abs(value[0]):
        return Estimate(float(value[0]), float(value[0]), float(value[0]))
    weights = draw_patients(patients, draws, seed)
    tails = ((1 - level) / 2, (1 + level) / 2)
    if method == "studentised":
        low, high = _studentised(statistic, weights, float(value[0]), float(error[0]), tails)
    else:
        drawn = statistic(weights)[0]
        if method == "bca":
            tails = _bca_tails(statistic, drawn, float(value[0]), tails, patients)
        low, high = (float(end) for end in np.quantile(drawn, tails))
    return Estimate(float(value[0]), low, high)


def _value_and_error(statistic: Statistic, weights: Matrix) -> tuple[Vector, Vector]:
    values, derivatives = statistic(weights)
    n = weights.shape[1]
    error: Vector = np.sqrt(n / (n - 1) * np.einsum("dp,dp,dp->d", weights, derivatives, derivatives))
    return values, error


def _studentised(
    statistic: Statistic, weights: Matrix, value: float, error: float, tails: tuple[float, float]
) -> tuple[float, float]:
    drawn, errors = _value_and_error(statistic, weights)
    usable = errors > 1e-9 * error
    t = (drawn[usable] - value) / errors[usable]
    low, high = np.quantile(t, tails)
    return value - float(high) * error, value - float(low) * error


def _bca_tails(
    statistic: Statistic, drawn: Vector, value: float, tails: tuple[float, float], patients: int
) -> tuple[float, float]:
    """Tails moved for bias and for skewness; ties of a draw with the value count half."""
    below = ((drawn < value).mean() + (drawn <= value).mean()) / 2
    bias = float(stats.norm.ppf(np.clip(below, 0.5 / len(drawn), 1 - 0.5 / len(drawn))))
    left_out = statistic(np.ones((patients, patients)) - np.eye(patients))[0]
    moves = left_out.mean() - left_out
    spread = float((moves**2).sum())
    acceleration = float((moves**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    moved = [bias + float(stats.norm.ppf(tail)) for tail in tails]
    low, high = (float(stats.norm.cdf(bias + z / (1 - acceleration * z))) for z in moved)
    return low, high
