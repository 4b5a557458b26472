"""The error of (penalised) least squares on candidates and data sets left out, without refitting."""

import numpy as np
from numpy.typing import NDArray

from vaescreen.predictor.sample import Sample, Vector

_SINGULAR = 1e-8


def transfer_losses(hats: Vector, targets: Vector, sample: Sample) -> Vector:
    """Loss of fits at each point, in dB^2, `[F, n]`.

    The squared error at the point without its candidate, averaged with that without its data set where the
    points have more than one: what is fitted must transfer to both.

    Parameters
    ----------
    hats, targets
        See `group_errors`.
    sample
        The points.
    """
    _, candidates = np.unique(sample.candidates, return_inverse=True)
    _, data = np.unique(sample.data, return_inverse=True)
    losses: Vector = group_errors(hats, targets, candidates) ** 2
    if data.max() > 0:
        losses = (losses + group_errors(hats, targets, data) ** 2) / 2
    return losses


def group_errors(hats: Vector, targets: Vector, group: NDArray[np.intp]) -> Vector:
    """Error of each point when predicted without its group, target less prediction, `[F, n]`.

    Not refitted: with H the hat matrix of a (penalised) least-squares fit and e its residuals, the residuals
    of a group g predicted without g are `(I - H_gg)^-1 e_g` (Cook, Weisberg: Residuals and Influence in
    Regression, 1982).

    Parameters
    ----------
    hats : ndarray
        H of each of F fits, `[F, n, n]`.
    targets : ndarray
        `[F, n]`, or `[n]` for all fits.
    group : ndarray
        Number of each point's group, from 0, `[n]`.

    Returns
    -------
    ndarray
        Infinite for fits that are not determined without one of the groups.
    """
    values = np.broadcast_to(targets, hats.shape[:2])[:, :, None]
    residuals = values - hats @ values
    errors, never = np.empty(hats.shape[:2]), np.zeros(len(hats), bool)
    for number in range(group.max() + 1):
        rows = np.flatnonzero(group == number)
        remaining = np.eye(len(rows)) - hats[:, rows[:, None], rows]
        singular = np.linalg.det(remaining) <= _SINGULAR
        remaining[singular] = np.eye(len(rows))
        errors[:, rows] = np.linalg.solve(remaining, residuals[:, rows])[:, :, 0]
        never |= singular
    errors[never] = np.inf
    return errors
