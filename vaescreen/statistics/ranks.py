"""Ranks with ties: candidates that cannot be told apart share a rank, from one patient bootstrap shared by all.

Two candidates are told apart when their difference exceeds its standard error by more than a critical value
that the largest of all differences, each by its standard error in the draw, exceeds in only `1 - level` of the
draws, so that all statements together hold with probability `level` (single-step max-T). The intervals of ranks
follow from those statements: no better than one behind the candidates that are surely better, no worse than just
ahead of those surely worse. Percentiles of the ranks in the draws would not do: among equals they leave out the
true rank.

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

from vaescreen.statistics.bootstrap import draw_patients
from vaescreen.statistics.clusters import Matrix, Patients, Vector, checked


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


def shared_ranks(
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
        Patient of each row; with a single patient nothing is told apart.
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
    names = [str(name) for name in table.columns]
    values = checked(table.to_numpy(dtype=np.float64), patients, "ranks")
    means = values.mean(axis=0)
    sign = 1.0 if higher_is_better else -1.0
    order = sorted(range(len(names)), key=lambda i: (-sign * means[i], names[i]))
    groups = Patients.of(patients)
    totals = groups.totals(sign * (values - means)[:, order])
    weights = draw_patients(len(groups), draws, seed)
    drawn = sign * means[order] + weights @ totals / (weights @ groups.sizes)[:, None]
    better = _surely_better(sign * means[order], totals, groups.sizes, weights, level)
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
            p_best=float(p_best[place]) if len(groups) > 1 else math.nan,
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


def _surely_better(
    means: Vector, totals: Matrix, sizes: Vector, weights: Matrix, level: float
) -> NDArray[np.bool_]:
    """Whether the row's candidate is told apart from the column's, and better: `[candidates, candidates]`.

    `totals` are sums over the images of each patient of what exceeds the mean, `[patients, candidates]`.
    """
    patients, count = totals.shape
    better = np.zeros((count, count), dtype=bool)
    if patients < 2 or count < 2:
        return better
    first, second = np.triu_indices(count, 1)
    without = totals / (sizes.sum() - sizes)[:, None]
    errors = math.sqrt(patients - 1) * (without[:, first] - without[:, second]).std(axis=0)
    negligible = 1e-12 * max(float(np.abs(means).max()), float(np.abs(totals).max()))
    varying = errors > negligible
    critical = _critical(totals, sizes, weights, (first[varying], second[varying]), level)
    differences = means[first] - means[second]
    better[first, second] = (differences > negligible) & (
        differences > np.where(varying, critical * errors, 0.0)
    )
    return better


def _critical(
    totals: Matrix,
    sizes: Vector,
    weights: Matrix,
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]],
    level: float,
) -> float:
    """Quantile of the largest difference of a draw by its own standard error, pairs without variance apart."""
    first, second = pairs
    if not len(first):
        return 0.0
    patients, count = totals.shape
    row, column = np.triu_indices(count)
    place = np.zeros((count, count), dtype=np.intp)
    place[row, column] = np.arange(len(row))
    images = weights @ sizes
    drawn = weights @ totals / images[:, None]
    # Sum over drawn patients of (total_i - mean_i size)(total_j - mean_j size), multiplied out: one product.
    products = weights @ (totals[:, row] * totals[:, column])
    by_size = weights @ (totals * sizes[:, None])
    products -= drawn[:, row] * by_size[:, column] + drawn[:, column] * by_size[:, row]
    products += drawn[:, row] * drawn[:, column] * (weights @ sizes**2)[:, None]
    own = products[:, place.diagonal()]
    squares = own[:, first] + own[:, second] - 2 * products[:, place[first, second]]
    whole = (totals[:, first] - totals[:, second]).var(axis=0) * patients
    usable = squares > 1e-9 * whole
    moves = (drawn[:, first] - drawn[:, second]) * images[:, None]
    t = np.divide(
        np.abs(moves),
        np.sqrt(squares, where=usable, out=np.ones_like(squares)),
        where=usable,
        out=np.zeros_like(moves),
    )
    return float(np.quantile(t.max(axis=1), level)) * math.sqrt((patients - 1) / patients)
