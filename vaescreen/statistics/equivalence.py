"""Equivalence: two one-sided tests of patient means show that a difference lies inside a margin.

References
----------
Schuirmann: A comparison of the two one-sided tests procedure and the power approach for assessing the
equivalence of average bioavailability. Journal of Pharmacokinetics and Biopharmaceutics 15, 1987.
Efron, Tibshirani: An Introduction to the Bootstrap. Chapman & Hall, 1993, section 12.5 (bootstrap-t).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import Patients, Vector, at_least, pair
from vaescreen.statistics.effects import mean_statistic
from vaescreen.statistics.intervals import studentised_draws
from vaescreen.statistics.paired import mean_and_error


@dataclass(frozen=True)
class Equivalence:
    """Whether a mean difference lies inside `-margin` to `margin`.

    Attributes
    ----------
    difference : float
        Mean over patients of each patient's mean difference.
    low, high : float
        Interval of level `1 - 2 alpha`: inside the margin exactly when `equivalent`.
    margin : float
        Largest difference that does not matter, in the unit of the differences.
    p : float
        The larger p of the two one-sided tests.
    equivalent : bool
        `p <= alpha`. False means not shown, not that the candidates differ.
    patients : int
        Independent units.
    """

    difference: float
    low: float
    high: float
    margin: float
    p: float
    equivalent: bool
    patients: int


def equivalence(
    differences: ArrayLike,
    patients: Sequence[str],
    margin: float,
    alpha: float = 0.05,
    draws: int = 2000,
    seed: int = 0,
) -> Equivalence:
    """Test whether paired differences are on average within a margin; each patient counts once.

    Both one-sided tests are made twice, against Student's t and against its bootstrap distribution, which follows
    skewed differences; the larger p and the wider end count. So the level holds in simulation for symmetric
    differences from 10 patients on and for clearly skewed ones (skewness about 1) from 40 on; with fewer of those
    it is up to 7 % instead of 5 (`benchmarks/statistics_simulation.py`).

    Parameters
    ----------
    differences : array_like
        Finite paired differences, `[images]`: of two candidates, or of a gap under two conditions.
    patients : sequence of str
        Patient of each image.
    margin : float
        Positive; chosen before looking at the data.
    alpha : float
        Level of each one-sided test, in (0, 0.5).
    draws, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        If the margin is not positive, there are fewer than two patients, or a value is not finite.
    """
    if not margin > 0:
        raise DataError(f"equivalence: a margin of {margin} leaves no room; give a positive one")
    pairs = pair(differences, [0.0] * len(patients), patients)
    at_least(pairs.patients, 2, "equivalence")
    n = len(pairs.patients)
    mean, error = mean_and_error(pairs.patient_differences)
    if error == 0:
        inside = abs(mean) < margin
        return Equivalence(mean, mean, mean, margin, float(not inside), inside, n)
    drawn = _studentised_means(pairs.patient_differences, draws, seed)
    p = max(_p((margin - mean) / error, -drawn, n), _p((margin + mean) / error, drawn, n))
    low = mean - error * _critical(drawn, alpha, n)
    high = mean + error * _critical(-drawn, alpha, n)
    return Equivalence(mean, low, high, margin, p, p <= alpha, n)


def _studentised_means(means: Vector, draws: int, seed: int) -> Vector:
    own = Patients.of([f"{place:09d}" for place in range(len(means))])
    return studentised_draws(mean_statistic(means - means.mean(), own), len(means), draws, seed)


def _p(t: float, drawn: Vector, n: int) -> float:
    """Chance of t or more: the larger of Student's and the bootstrap's."""
    by_bootstrap = (1 + int((drawn >= t).sum())) / (1 + len(drawn))
    return max(float(stats.t.sf(t, n - 1)), by_bootstrap)


def _critical(drawn: Vector, alpha: float, n: int) -> float:
    """Find the t above which `_p` is at most alpha."""
    most = math.floor(alpha * (1 + len(drawn)) + 1e-9) - 1
    by_bootstrap = float(np.sort(drawn)[len(drawn) - 1 - most]) if most >= 0 else math.inf
    return max(float(stats.t.isf(alpha, n - 1)), by_bootstrap)
