"""Tests of paired differences: by patient means, where patients are independent, and by image as published.

References
----------
Wilcoxon: Individual comparisons by ranking methods. Biometrics Bulletin 1(6), 1945.
Kerby: The simple difference formula. Comprehensive Psychology 3, 2014 (matched-pairs rank-biserial).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from vaescreen.statistics.clusters import Pairs, Vector, at_least


@dataclass(frozen=True)
class Tested:
    """A two-sided test of no difference.

    Attributes
    ----------
    statistic : float
        t, or for Wilcoxon's test the smaller sum of signed ranks.
    p : float
        Two-sided.
    n : int
        Independent differences the test counts: patients, or images where said.
    """

    statistic: float
    p: float
    n: int


def t_test(pairs: Pairs) -> Tested:
    """Paired t test of patient means: each patient counts once, `n - 1` degrees of freedom.

    Differences that are all the same have an infinite t and p = 0, or t = 0 and p = 1 where they are zero.

    Raises
    ------
    DataError
        If there are fewer than two patients.
    """
    at_least(pairs.patients, 2, "paired t test")
    differences = pairs.patient_differences
    mean, error = mean_and_error(differences)
    if error == 0:
        return Tested(math.copysign(math.inf, mean) if mean else 0.0, float(mean == 0), len(differences))
    result = stats.ttest_1samp(differences, 0)
    return Tested(float(result.statistic), float(result.pvalue), len(differences))


def wilcoxon_patients(pairs: Pairs) -> Tested:
    """Wilcoxon's signed-rank test of patient means; its null is that differences are symmetric about zero.

    Exact up to 50 patients without ties. With five patients or fewer no result can be significant at 5 %.

    Raises
    ------
    DataError
        If there are fewer than two patients.
    """
    at_least(pairs.patients, 2, "Wilcoxon's test")
    return _wilcoxon(pairs.patient_differences)


def wilcoxon_images(pairs: Pairs) -> Tested:
    """Wilcoxon's signed-rank test of images as if they were independent, the way results are often published.

    It rejects a true null far too often where patients have several images: give it beside the test of
    patients, never instead.
    """
    return _wilcoxon(pairs.differences)


def rank_biserial(pairs: Pairs) -> float:
    """Matched-pairs rank-biserial correlation of patient means: (W+ - W-) / (W+ + W-), in [-1, 1].

    Patients without difference are left out, as in Wilcoxon's test; 0 if there is no other patient.
    """
    differences = _settled(pairs.patient_differences)
    moved = differences[differences != 0]
    if not len(moved):
        return 0.0
    ranks = stats.rankdata(np.abs(moved))
    return float((ranks * np.sign(moved)).sum() / ranks.sum())


def mean_and_error(differences: Vector) -> tuple[float, float]:
    """Mean and its standard error; an error that is rounding error of equal values is zero."""
    settled = _settled(differences)
    if np.ptp(settled) <= 1e-12 * np.abs(settled).max(initial=0):
        return float(settled[0]), 0.0
    return float(settled.mean()), float(settled.std(ddof=1) / math.sqrt(len(settled)))


def _wilcoxon(differences: Vector) -> Tested:
    settled = _settled(differences)
    if not settled.any():
        return Tested(0.0, 1.0, len(settled))
    result = stats.wilcoxon(settled)
    return Tested(float(result.statistic), float(result.pvalue), len(settled))


def _settled(differences: Vector) -> Vector:
    """Round to 12 decimals: differences of equal values are ties, whatever the last bits say."""
    return np.round(differences, 12)
