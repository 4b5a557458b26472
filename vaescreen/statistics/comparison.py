"""All pairs of candidates on the same images: differences, tests, effect sizes, corrected for their number.

References
----------
Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6(2), 1979.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import Pairs, pair
from vaescreen.statistics.effects import cliffs_delta, cohens_d, d_z, mean_difference
from vaescreen.statistics.equivalence import Equivalence, equivalence
from vaescreen.statistics.intervals import Estimate
from vaescreen.statistics.mixed import MixedModel, mixed_model
from vaescreen.statistics.paired import Tested, rank_biserial, t_test, wilcoxon_images, wilcoxon_patients


@dataclass(frozen=True)
class Comparison:
    """First candidate against second on the same images; differences are first less second.

    Attributes
    ----------
    first, second : str
        Candidates.
    images, patients : int
        How many.
    difference : Estimate
        Mean over images, with a studentised cluster-bootstrap interval.
    t, wilcoxon : Tested
        Of patient means.
    wilcoxon_images : Tested
        Of images taken to be independent, as published; it rejects a true null too often.
    p_holm, wilcoxon_p_holm : float
        `t.p` and `wilcoxon.p` with Holm's correction for all pairs compared.
    cohens_d : Estimate
        Over images with pooled SD, as published.
    d_z, rank_biserial : float
        Of patient means.
    cliffs_delta : Estimate
        Over images.
    mixed : MixedModel
        Patients as a random effect.
    patient_difference, patient_sd : float
        Mean and SD over patients of each patient's mean difference.
    equivalence : Equivalence or None
        Within the margin, if one was given.
    """

    first: str
    second: str
    images: int
    patients: int
    difference: Estimate
    t: Tested
    wilcoxon: Tested
    wilcoxon_images: Tested
    p_holm: float
    wilcoxon_p_holm: float
    cohens_d: Estimate
    d_z: float
    rank_biserial: float
    cliffs_delta: Estimate
    mixed: MixedModel
    patient_difference: float
    patient_sd: float
    equivalence: Equivalence | None = None


def compare_all(
    table: pd.DataFrame,
    patients: Sequence[str],
    *,
    margin: float | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[Comparison, ...]:
    """Compare every pair of candidates, the earlier column first.

    Parameters
    ----------
    table : DataFrame
        Finite values, a row an image, a column a candidate.
    patients : sequence of str
        Patient of each row.
    margin : float or None
        Largest difference that does not matter: adds a test of equivalence.
    level : float
        Of the intervals, in (0, 1).
    draws, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        If there are fewer than two candidates or patients, or a value is not finite.
    """
    if table.shape[1] < 2:
        raise DataError(f"comparison: {table.shape[1]} candidate; give two or more")
    found = [
        _compare(str(a), str(b), pair(table[a], table[b], patients), patients, margin, level, draws, seed)
        for a, b in combinations(table.columns, 2)
    ]
    by_t = holm([comparison.t.p for comparison in found])
    by_wilcoxon = holm([comparison.wilcoxon.p for comparison in found])
    return tuple(
        replace(comparison, p_holm=float(p), wilcoxon_p_holm=float(q))
        for comparison, p, q in zip(found, by_t, by_wilcoxon, strict=True)
    )


def holm(p: Sequence[float]) -> NDArray[np.float64]:
    """Adjust the p-values of a family of tests by Holm's step-down method.

    The same as `statsmodels.stats.multitest.multipletests`, which collects Python's garbage at every call: with torch
    loaded a sixth of a second for each metric of a comparison.

    Parameters
    ----------
    p
        In [0, 1], of all tests of the family.

    Returns
    -------
    numpy.ndarray
        Adjusted, in the order given: a test is significant at a level for the family if its value is below it.
    """
    given = np.asarray(p, dtype=float)
    order = np.argsort(given)
    steps = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1)).clip(max=1)
    adjusted = np.empty_like(given)
    adjusted[order] = steps
    return adjusted


def _compare(
    first: str,
    second: str,
    pairs: Pairs,
    patients: Sequence[str],
    margin: float | None,
    level: float,
    draws: int,
    seed: int,
) -> Comparison:
    t, wilcoxon, means = t_test(pairs), wilcoxon_patients(pairs), pairs.patient_differences
    return Comparison(
        first=first,
        second=second,
        images=len(pairs.first),
        patients=len(pairs.patients),
        difference=mean_difference(pairs, level, draws, seed),
        t=t,
        wilcoxon=wilcoxon,
        wilcoxon_images=wilcoxon_images(pairs),
        p_holm=t.p,
        wilcoxon_p_holm=wilcoxon.p,
        cohens_d=cohens_d(pairs, level, draws, seed),
        d_z=d_z(pairs),
        rank_biserial=rank_biserial(pairs),
        cliffs_delta=cliffs_delta(pairs, level, draws, seed),
        mixed=mixed_model(pairs, level),
        patient_difference=float(means.mean()),
        patient_sd=float(np.std(means, ddof=1)),
        equivalence=None if margin is None else equivalence(pairs.differences, patients, margin, 1 - level),
    )
