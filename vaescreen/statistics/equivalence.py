"""Equivalence: two one-sided t tests of patient means show that a difference lies inside a margin.

References
----------
Schuirmann: A comparison of the two one-sided tests procedure and the power approach for assessing the
equivalence of average bioavailability. Journal of Pharmacokinetics and Biopharmaceutics 15, 1987.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import at_least, pair
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
    differences: ArrayLike, patients: Sequence[str], margin: float, alpha: float = 0.05
) -> Equivalence:
    """Test whether paired differences are on average within a margin; each patient counts once.

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
    nearest = margin - abs(mean)
    t = nearest / error if error else math.copysign(math.inf, nearest)
    p = float(stats.t.sf(t, n - 1))
    reach = float(stats.t.ppf(1 - alpha, n - 1)) * error
    return Equivalence(mean, mean - reach, mean + reach, margin, p, p <= alpha, n)
