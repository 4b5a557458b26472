"""The error of (penalised) least squares on candidates and data sets left out, without refitting."""

import numpy as np
from numpy.typing import NDArray

from vaescreen.predictor.sample import Sample, Vector

_SINGULAR = 1e-8


def transfer_losses(roots: Vector, targets: Vector, sample: Sample) -> Vector:
    """Loss of fits at each point, in dB^2, `[F, n]`.

    The squared error at the point without its candidate, averaged with that without its data set where the
    points have more than one: what is fitted must transfer to both.

    Parameters
    ----------
    roots, targets
        See `group_errors`.
    sample
        The points.
    """
    _, candidates = np.unique(sample.candidates, return_inverse=True)
    _, data = np.unique(sample.data, return_inverse=True)
    losses: Vector = group_errors(roots, targets, candidates) ** 2
    if data.max() > 0:
        losses = (losses + group_errors(roots, targets, data) ** 2) / 2
    return losses


def group_errors(root: Vector, targets: Vector, group: NDArray[np.intp]) -> Vector:
    """Error of each point when predicted without its group, target less prediction, `[F, n]`.

    Not refitted: with H the hat matrix of a (penalised) least-squares fit and e its residuals, the residuals
    of a group g predicted without g are `(I - H_gg)^-1 e_g` (Cook, Weisberg: Residuals and Influence in
    Regression, 1982). With H = Q Q' that is `e_g + Q_g (I - Q_g' Q_g)^-1 Q_g' e_g` (Woodbury).

    Parameters
    ----------
    root : ndarray
        Q of each of F fits, `[F, n, q]`.
    targets : ndarray
        `[F, n]`, or `[n]` for all fits.
    group : ndarray
        Number of each point's group, from 0, `[n]`.

    Returns
    -------
    ndarray
        Infinite for fits that are not determined without one of the groups.
    """
    count, _, width = root.shape
    values = np.broadcast_to(targets, (count, len(group)))[:, :, None]
    residuals = values - root @ (root.swapaxes(1, 2) @ values)
    member = np.equal.outer(np.arange(group.max() + 1), group).astype(float)
    squares = (root[:, :, :, None] * root[:, :, None, :]).reshape(count, len(group), -1)
    remaining = np.eye(width) - (member @ squares).reshape(count, len(member), width, width)
    determined = np.asarray((np.linalg.det(remaining) > _SINGULAR).all(axis=1))
    remaining[~determined] = np.eye(width)
    correction = np.linalg.solve(remaining, (member @ (root * residuals))[..., None])[..., 0]
    errors: Vector = residuals[:, :, 0] + (root * correction[:, group]).sum(axis=2)
    errors[~determined] = np.inf
    return errors
