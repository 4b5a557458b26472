"""Intervals by studentised cluster bootstrap, for any statistic of weighted patients.

A statistic is a function of how often each patient counts. It gives its value for each row of weights and the
derivative of that value by each weight (the infinitesimal jackknife), from which its standard error follows.

References
----------
Efron, Tibshirani: An Introduction to the Bootstrap. Chapman & Hall, 1993, section 12.5 (bootstrap-t).
Davison, Hinkley: Bootstrap Methods and their Application. Cambridge University Press, 1997, sections 2.7 and 3.8.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.bootstrap import draw_patients
from vaescreen.statistics.clusters import Matrix, Vector

Statistic = Callable[[Matrix], tuple[Vector, Matrix]]

BLOCK = 1 << 20
FEW = 8
"""Fewer patients than this give draws of so few of them that a draw's own standard error means nothing."""
WIDEST = 2.0
"""How many times as wide as Student's t the bootstrap may make an end."""


@dataclass(frozen=True)
class Estimate:
    """A statistic and its interval."""

    value: float
    low: float
    high: float


def cluster_interval(
    statistic: Statistic,
    patients: int,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Put a bootstrap interval around a statistic, patients being drawn with all their images.

    It scales by the jackknife standard error and takes the wider, at each end, of the bootstrap's and Student's t, but
    at most `WIDEST` times the latter; below `FEW` patients, whose draws are mostly of one or two of them, it is
    Student's t alone. Percentiles of the draws and BCa are too narrow for a few dozen patients with unequal numbers of
    images. `benchmarks/statistics_simulation.py` measures how well each holds.

    Parameters
    ----------
    statistic : callable
        From weights `[rows, patients]` to values `[rows]` and derivatives `[rows, patients]`.
    patients : int
        Number of patients, at least two.
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
    value, error = (float(part[0]) for part in _value_and_error(statistic, np.ones((1, patients))))
    if not error > 1e-12 * abs(value):
        return Estimate(value, value, value)
    left_out = _value_and_error(statistic, np.ones((patients, patients)) - np.eye(patients))[0]
    least = float(stats.t.ppf((1 + level) / 2, patients - 1))
    low = high = least
    if patients >= FEW:
        tails = ((1 - level) / 2, (1 + level) / 2)
        t_low, t_high = np.quantile(studentised_draws(statistic, patients, draws, seed), tails)
        low, high = np.clip((t_high, -t_low), least, WIDEST * least).tolist()
    jackknife = float(np.sqrt((patients - 1) * left_out.var()))
    return Estimate(value, value - low * jackknife, value + high * jackknife)


def studentised_draws(statistic: Statistic, patients: int, draws: int, seed: int) -> Vector:
    """Error of each draw by its own standard error; draws without variance, of one patient alone, are left out.

    Returns
    -------
    ndarray
        `(drawn value - value) / drawn standard error`, at most `[draws]`.
    """
    value, error = _value_and_error(statistic, np.ones((1, patients)))
    drawn, errors = _value_and_error(statistic, draw_patients(patients, draws, seed))
    usable = errors > 1e-9 * error
    studentised: Vector = (drawn[usable] - value) / errors[usable]
    return studentised


def _value_and_error(statistic: Statistic, weights: Matrix) -> tuple[Vector, Vector]:
    """Value and standard error for each row of weights, in blocks that bound the memory."""
    n = weights.shape[1]
    rows = max(1, BLOCK // n)
    values, errors = np.empty(len(weights)), np.empty(len(weights))
    for start in range(0, len(weights), rows):
        block = slice(start, start + rows)
        values[block], derivatives = statistic(weights[block])
        errors[block] = np.sqrt(np.einsum("dp,dp,dp->d", weights[block], derivatives, derivatives))
    return values, errors * math.sqrt(n / (n - 1))
