"""Effect sizes of paired candidates, with intervals that count patients.

References
----------
Cohen: Statistical Power Analysis for the Behavioral Sciences, 2nd edition. Erlbaum, 1988, sections 2.2, 2.3, 6.2.
Cliff: Dominance statistics: ordinal analyses to answer ordinal questions. Psychological Bulletin 114(3), 1993.
"""

import math

import numpy as np

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import Matrix, Pairs, Patients, Vector, at_least
from vaescreen.statistics.intervals import Estimate, Statistic, cluster_interval
from vaescreen.statistics.paired import mean_and_error


def mean_difference(pairs: Pairs, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Estimate:
    """Mean over images of first less second, with a studentised cluster-bootstrap interval."""
    at_least(pairs.patients, 2, "interval of a mean difference")
    statistic = mean_statistic(pairs.differences, pairs.patients)
    return cluster_interval(statistic, len(pairs.patients), level, draws, seed)


def cohens_d(pairs: Pairs, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Estimate:
    """Cohen's d as published: mean difference over images by the pooled SD of the two candidates' values.

    NaN, with an interval of NaN, if neither candidate's values vary.
    """
    at_least(pairs.patients, 2, "interval of Cohen's d")
    if np.ptp(pairs.first) == 0 and np.ptp(pairs.second) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    return cluster_interval(_d_statistic(pairs), len(pairs.patients), level, draws, seed)


def d_z(pairs: Pairs) -> float:
    """Mean of the patients' differences by their SD; infinite if all differ by the same, 0 if none differs."""
    at_least(pairs.patients, 2, "d_z")
    mean, error = mean_and_error(pairs.patient_differences)
    if error == 0:
        return math.copysign(math.inf, mean) if mean else 0.0
    return mean / (error * math.sqrt(len(pairs.patients)))


def cliffs_delta(pairs: Pairs, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Estimate:
    """Cliff's delta over images: P(first > second) - P(first < second) for two images drawn at random."""
    at_least(pairs.patients, 2, "interval of Cliff's delta")
    found = cluster_interval(_delta_statistic(pairs), len(pairs.patients), level, draws, seed)
    return Estimate(found.value, max(found.low, -1.0), min(found.high, 1.0))


def cohens_h_of_shares(pairs: Pairs, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Estimate:
    """Cohen's h of two mean shares, 2 asin sqrt p1 - 2 asin sqrt p2, with a clustered interval.

    Parameters
    ----------
    pairs : Pairs
        Shares of each image (of its pixels, say), in [0, 1].

    Raises
    ------
    DataError
        If a share is outside [0, 1] or there are fewer than two patients.
    """
    at_least(pairs.patients, 2, "interval of Cohen's h")
    if min(pairs.first.min(), pairs.second.min()) < 0 or max(pairs.first.max(), pairs.second.max()) > 1:
        raise DataError("Cohen's h: an image has a share outside 0 to 1; give shares, not percentages")
    if (pairs.first == pairs.second).all():
        return Estimate(0.0, 0.0, 0.0)
    return cluster_interval(_h_statistic(pairs), len(pairs.patients), level, draws, seed)


def mean_statistic(values: Vector, patients: Patients) -> Statistic:
    """Mean over images as a statistic of weighted patients: a ratio of sums."""
    totals, sizes = patients.totals(values), patients.sizes

    def statistic(weights: Matrix) -> tuple[Vector, Matrix]:
        images = weights @ sizes
        means = weights @ totals / images
        return means, (totals - means[:, None] * sizes) / images[:, None]

    return statistic


def _d_statistic(pairs: Pairs) -> Statistic:
    sizes, n = pairs.patients.sizes, len(pairs.first)
    centre = (pairs.first.mean() + pairs.second.mean()) / 2
    values = np.stack([pairs.first, pairs.second]) - centre
    (a, b), (aa, bb) = (np.array([pairs.patients.totals(v) for v in power]) for power in (values, values**2))
    unbiased = math.sqrt((n - 1) / n)
    tiny = 1e-12 * float(values.var(axis=1).sum())

    def statistic(weights: Matrix) -> tuple[Vector, Matrix]:
        images = (weights @ sizes)[:, None]
        mean_a, mean_b = (weights @ a)[:, None] / images, (weights @ b)[:, None] / images
        variance = ((weights @ (aa + bb))[:, None] / images - mean_a**2 - mean_b**2) / 2
        variance = np.maximum(variance, tiny)
        difference, sd = mean_a - mean_b, np.sqrt(variance)
        by_mean = a - b - difference * sizes
        by_variance = (
            (aa + bb) / 2 - mean_a * a - mean_b * b + ((mean_a**2 + mean_b**2) / 2 - variance) * sizes
        )
        derivatives = (by_mean - difference / (2 * variance) * by_variance) / (sd * images)
        return unbiased * (difference / sd)[:, 0], unbiased * derivatives

    return statistic


def _delta_statistic(pairs: Pairs) -> Statistic:
    patients, sizes = pairs.patients, pairs.patients.sizes
    dominance = np.empty((len(patients), len(patients)))
    for column in range(len(patients)):
        others = np.sort(pairs.second[patients.owner == column])
        below = np.searchsorted(others, pairs.first, "left") + np.searchsorted(others, pairs.first, "right")
        dominance[:, column] = patients.totals(below - float(len(others)))

    def statistic(weights: Matrix) -> tuple[Vector, Matrix]:
        images = (weights @ sizes)[:, None]
        forward = weights @ dominance
        delta = (forward * weights).sum(axis=1, keepdims=True) / images**2
        return delta[:, 0], (forward + weights @ dominance.T) / images**2 - 2 * delta * sizes / images

    return statistic


def _h_statistic(pairs: Pairs) -> Statistic:
    shares = [mean_statistic(values, pairs.patients) for values in (pairs.first, pairs.second)]

    def statistic(weights: Matrix) -> tuple[Vector, Matrix]:
        (p1, by_1), (p2, by_2) = (share(weights) for share in shares)
        h = 2 * (np.arcsin(np.sqrt(p1)) - np.arcsin(np.sqrt(p2)))
        return h, _slope(p1) * by_1 - _slope(p2) * by_2

    return statistic


def _slope(p: Vector) -> Matrix:
    """Derivative of 2 asin sqrt p; 0 at the ends, where every share is the same."""
    variance = p * (1 - p)
    return np.divide(1.0, np.sqrt(variance), out=np.zeros_like(p), where=variance > 0)[:, None]
