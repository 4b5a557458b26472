"""Power of paired tests of patient means: how many patients tell two candidates apart, or show them alike.

statsmodels' `TTestPower` serves neither: its power of some large effects is NaN, its `solve_power` finds no answer of
two patients, and it knows no equivalence by t tests.

References
----------
Cohen: Statistical Power Analysis for the Behavioral Sciences, 2nd edition. Erlbaum, 1988, section 2.3.
Phillips: Power of the two one-sided tests procedure in bioequivalence. Journal of Pharmacokinetics and
Biopharmaceutics 18(2), 1990; Owen: A special case of a bivariate non-central t-distribution. Biometrika 52, 1965.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy import integrate, optimize, stats

from vaescreen.errors import DataError

MOST_PATIENTS = 10_000_000


def power_of_difference(sd: float, difference: float, patients: int, alpha: float = 0.05) -> float:
    """Chance that the two-sided paired t test of patient means finds a true difference.

    Parameters
    ----------
    sd : float
        SD between patients of their mean differences, in dB or whatever unit `difference` has.
    difference : float
        True mean difference.
    patients : int
        At least two.
    alpha : float
        Level of the test.
    """
    _check(sd, alpha, patients)
    freedom = patients - 1
    shift = abs(difference) / sd * math.sqrt(patients)
    critical = float(stats.t.ppf(1 - alpha / 2, freedom))
    # The far tail mirrored: scipy's noncentral t has no cdf this far below its centre.
    return float(stats.nct.sf(critical, freedom, shift) + stats.nct.sf(critical, freedom, -shift))


def patients_for_difference(sd: float, difference: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Smallest number of patients that tells two candidates apart with the given power.

    Raises
    ------
    DataError
        If the difference is zero, or a value is out of range.
    """
    if difference == 0:
        raise DataError(
            "power: no number of patients shows a difference of 0; give the smallest that matters"
        )
    return _smallest(lambda n: power_of_difference(sd, difference, n, alpha), power)


def detectable_difference(sd: float, patients: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest true difference that this many patients show with the given power, in the unit of `sd`."""
    _check(sd, alpha, patients)
    _check_power(power, alpha)
    high = sd
    while power_of_difference(sd, high, patients, alpha) < power:
        high *= 2

    def surplus(difference: float) -> float:
        return power_of_difference(sd, difference, patients, alpha) - power

    return float(optimize.brentq(surplus, 0.0, high, xtol=1e-12 * high))


def power_of_equivalence(
    sd: float, margin: float, patients: int, difference: float = 0.0, alpha: float = 0.05
) -> float:
    """Chance that two one-sided t tests show equivalence when the true difference is `difference`.

    Exact: the normal probability of the mean's region of equivalence, averaged over the distribution of the
    sample SD.
    """
    _check(sd, alpha, patients)
    if not margin > 0:
        raise DataError(f"power: a margin of {margin} leaves no room; give a positive one")
    freedom, root = patients - 1, math.sqrt(patients)
    critical = float(stats.t.ppf(1 - alpha, freedom))
    widest = margin * root / (sd * critical)

    def given(ratio: float) -> float:
        reach = (margin * root / sd) - critical * ratio
        shift = difference * root / sd
        inside = stats.norm.cdf(reach - shift) - stats.norm.cdf(-reach - shift)
        return float(inside * stats.chi.pdf(ratio * math.sqrt(freedom), freedom) * math.sqrt(freedom))

    centre, width = 1.0, 1 / math.sqrt(2 * freedom)
    marks = [mark for k in (-8, -3, 0, 3, 8) if 0 < (mark := centre + k * width) < widest]
    edges = [0.0, *marks, min(widest, centre + 40 * width)]
    return float(sum(integrate.quad(given, a, b)[0] for a, b in pairwise(edges) if b > a))


def patients_for_equivalence(
    sd: float, margin: float, power: float = 0.8, difference: float = 0.0, alpha: float = 0.05
) -> int:
    """Smallest number of patients that shows equivalence within the margin with the given power.

    Raises
    ------
    DataError
        If the true difference is not inside the margin, or a value is out of range.
    """
    if not abs(difference) < margin:
        raise DataError(
            f"power: a true difference of {difference} is not inside the margin of {margin}; widen the margin"
        )
    return _smallest(lambda n: power_of_equivalence(sd, margin, n, difference, alpha), power)


def _smallest(reached: Callable[[int], float], power: float) -> int:
    _check_power(power, 0.0)
    high = 2
    while reached(high) < power:
        high *= 2
        if high > MOST_PATIENTS:
            raise DataError(
                f"power: more than {MOST_PATIENTS} patients would be needed; look for more than that"
            )
    low = max(high // 2, 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) >= power else (middle, high)
    return high


def _check(sd: float, alpha: float, patients: int) -> None:
    if not (sd > 0 and np.isfinite(sd)):
        raise DataError(f"power: an SD of {sd} between patients is not positive; measure it on some patients")
    if not 0 < alpha < 0.5:
        raise DataError(f"power: a level of {alpha} is not between 0 and 0.5")
    if patients < 2:
        raise DataError(f"power: {patients} patients; a test needs at least 2")


def _check_power(power: float, alpha: float) -> None:
    if not alpha < power < 1:
        raise DataError(f"power: {power} is not between {alpha} and 1")
