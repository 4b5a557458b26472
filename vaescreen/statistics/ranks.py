"""Ranks with ties: candidates that cannot be told apart share a rank, from one patient bootstrap shared by all.

Two candidates are told apart when their difference exceeds its standard error by more than a critical value
that the largest of all studentised differences reaches in only `1 - level` of the draws, so that all statements
together hold with probability `level` (single-step max-T). The intervals of ranks follow from those statements:
no better than one behind the candidates that are surely better, no worse than just ahead of those surely worse.
Percentiles of the ranks in the draws would not do: among equals they leave out the true rank.

References
----------
Romano, Wolf: Exact and approximate stepdown methods for multiple hypothesis testing. JASA 100, 2005.
Mogstad, Romano, Shaikh, Wilhelm: Inference for ranks with applications to mobility across neighbourhoods and
academic achievement across countries. Review of Economic Studies 91(1), 2024.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.bootstrap import patient_bootstrap
from vaescreen.statistics.clusters import Matrix, Vector


@dataclass(frozen=True)
class Standing:
    """Where one candidate stands among all.

    Attributes
    ----------
    candidate : str
        Name.
    mean : float
        Mean over images.
    rank : int
        1 is best; no two candidates of one rank are told apart, and the next rank counts them all (1, 1, 3).
    rank_low, rank_high : int
        Interval of the rank; those of all candidates hold together.
    p_best : float
        Share of the draws in which the candidate is best, ties shared out; NaN with a single patient.
    """

    candidate: str
    mean: float
    rank: int
    rank_low: int
    rank_high: int
    p_best: float


def rank_candidates(
    table: pd.DataFrame,
    patients: Sequence[str],
    *,
    higher_is_better: bool = True,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[Standing, ...]:
    """Rank candidates measured on the same images.

    Parameters
    ----------
    table : DataFrame
        Finite values, a row an image, a column a candidate.
    patients : sequence of str
        Patient of each row.
    higher_is_better : bool
        Whether the largest mean ranks first.
    level : float
        Joint confidence, in (0, 1).
    draws, seed : int
        Of the bootstrap.

    Returns
    -------
    tuple of Standing
        Best first; equal means by name.

    Raises
    ------
    DataError
        If there are no images, the patients do not match the rows, or a value is not finite.
    """
    values = table.to_numpy(dtype=np.float64)
    drawn = patient_bootstrap(values, patients, draws, seed)
    return rank_draws(
        list(map(str, table.columns)),
        values.mean(axis=0),
        drawn,
        len(set(patients)),
        higher_is_better=higher_is_better,
        level=level,
    )


def rank_draws(
    names: Sequence[str],
    means: NDArray[np.floating],
    draws: NDArray[np.floating],
    patients: int,
    *,
    higher_is_better: bool = True,
    level: float = 0.95,
) -> tuple[Standing, ...]:
    """Rank candidates from draws that all of them share.

    Parameters
    ----------
    names : sequence of str
        Candidates.
    means : ndarray
        Their means, `[candidates]`.
    draws : ndarray
        Their means in each draw of `patient_bootstrap`, `[draws, candidates]`.
    patients : int
        How many patients were drawn from; with one, nothing is told apart.
    higher_is_better : bool
        Whether the largest mean ranks first.
    level : float
        Joint confidence, in (0, 1).

    Raises
    ------
    DataError
        If the shapes do not fit.
    """
    if draws.ndim != 2 or draws.shape[1] != len(names) or len(means) != len(names) or not len(draws):
        raise DataError(
            f"ranks: {len(names)} candidates, means of shape {means.shape} and draws of shape {draws.shape}; "
            "give one column a candidate"
        )
    sign = 1.0 if higher_is_better else -1.0
    order = sorted(range(len(names)), key=lambda i: (-sign * means[i], names[i]))
    centre = sign * np.asarray(means, dtype=np.float64)[order]
    drawn = sign * np.asarray(draws, dtype=np.float64)[:, order]
    better = _surely_better(centre, drawn, patients, level)
    ranks = _shared(better)
    winners = drawn == drawn.max(axis=1, keepdims=True)
    p_best = (winners / winners.sum(axis=1, keepdims=True)).mean(axis=0)
    return tuple(
        Standing(
            candidate=names[i],
            mean=float(means[i]),
            rank=ranks[place],
            rank_low=1 + int(better[:, place].sum()),
            rank_high=len(names) - int(better[place].sum()),
            p_best=float(p_best[place]) if patients > 1 else math.nan,
        )
        for place, i in enumerate(order)
    )


def _shared(better: NDArray[np.bool_]) -> list[int]:
    """Ranks of candidates in order: one joins the rank above unless told apart from any who has it."""
    ranks: list[int] = []
    first = 0
    for place in range(len(better)):
        if better[first:place, place].any():
            first = place
        ranks.append(first + 1)
    return ranks


def _surely_better(centre: Vector, drawn: Matrix, patients: int, level: float) -> NDArray[np.bool_]:
    """Whether the row's candidate is told apart from the column's, and better: `[candidates, candidates]`."""
    count = len(centre)
    if patients < 2 or count < 2:
        return np.zeros((count, count), dtype=bool)
    deviations = drawn - centre
    covariance = np.atleast_2d(np.cov(deviations, rowvar=False)) * patients / (patients - 1)
    variances = np.diag(covariance)
    spread = np.maximum(variances[:, None] + variances - 2 * covariance, 0)
    negligible = 1e-12 * np.maximum(np.abs(centre).max(), 1e-300)
    errors = np.sqrt(spread)
    errors[errors <= negligible] = 0
    critical = _critical(deviations, errors, patients, level)
    differences = centre[:, None] - centre
    better: NDArray[np.bool_] = (differences > negligible) & (differences > critical * errors)
    return better


def _critical(deviations: Matrix, errors: Matrix, patients: int, level: float) -> float:
    """Quantile of the largest studentised difference of a draw, with the tails of t for few patients."""
    largest = np.zeros(len(deviations))
    for i in range(len(errors) - 1):
        error = errors[i, i + 1 :]
        moves = np.abs(deviations[:, i, None] - deviations[:, i + 1 :])
        np.maximum(
            largest,
            np.divide(moves, error, out=np.zeros_like(moves), where=error > 0).max(axis=1),
            out=largest,
        )
    normal = float(np.quantile(largest, level)) * math.sqrt(patients / (patients - 1))
    return float(stats.t.isf(stats.norm.sf(normal), patients - 1))
