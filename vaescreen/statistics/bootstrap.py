"""Cluster bootstrap of mean scores: patients are drawn with all their images, and candidates share each draw.

Images of one patient resemble each other, so that drawing images would give intervals that are too narrow;
and because every candidate is averaged over the same drawn images, differences between columns of one draw
are paired.

References
----------
Davison, Hinkley: Bootstrap Methods and their Application. Cambridge University Press, 1997, section 3.8.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaescreen.statistics.clusters import Patients, checked


class Interval(NamedTuple):
    """Lower and upper ends, one value a candidate."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def patient_bootstrap(
    values: NDArray[np.floating], patients: Sequence[str], draws: int = 2000, seed: int = 0
) -> NDArray[np.float64]:
    """Bootstrap the mean over images of each candidate, resampling patients with replacement.

    Each draw takes as many patients as there are, and averages over all images of those drawn, an image as
    often as its patient was drawn. The result depends on neither the order of the images nor the number of
    candidates.

    Parameters
    ----------
    values : ndarray
        Finite scores, `[images, candidates]`.
    patients : sequence of str
        Patient of each image, in the order of the rows of `values`.
    draws : int
        Number of bootstrap draws.
    seed : int
        Seed of the draws.

    Returns
    -------
    ndarray
        Mean score of each candidate in each draw, `[draws, candidates]`, float64.

    Raises
    ------
    DataError
        If there are no images, the patients do not match the rows, or a value is not finite.
    """
    table = checked(values, patients, "bootstrap")
    groups = Patients.of(patients)
    weights = draw_patients(len(groups), draws, seed)
    means: NDArray[np.float64] = (weights @ groups.totals(table)) / (weights @ groups.sizes)[:, None]
    return means


def draw_patients(patients: int, draws: int, seed: int) -> NDArray[np.float64]:
    """Count how often each patient is drawn, `[draws, patients]`; each row sums to the number of patients."""
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(patients, np.full(patients, 1 / patients), size=draws)
    return counts.astype(np.float64)


def interval(draws: NDArray[np.floating], level: float = 0.95) -> Interval:
    """Percentile interval of bootstrap draws.

    Parameters
    ----------
    draws : ndarray
        `[draws, candidates]`, as `patient_bootstrap` returns it, or any function of it draw by draw.
    level : float
        Share of the draws inside, in (0, 1).

    Returns
    -------
    Interval
        `low` and `high`, each `[candidates]`.
    """
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return Interval(low, high)
