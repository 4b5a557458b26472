"""Ridge regression whose strength is what transfers best to candidates and to data sets left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor.linear import Form, LinearModel, Scale, group_errors, stack
from vaescreen.predictor.sample import Sample, Vector

_PENALTIES = np.logspace(-1, 3, 25)


@dataclass(frozen=True)
class Ridge:
    """`target = offset + intercept + sum of slope * correction`, with a penalty on the slopes (Hoerl, Kennard, 1970).

    Corrections are standardised, those that not all points have are left out, and of a grid of penalties the
    one with the least `transfer_losses` is taken. No feature is chosen: with a few dozen points a choice
    differs with every candidate left out, and costs more than the features that it spares.

    Parameters
    ----------
    corrections
        Names of the features that may correct the offset.
    offset
        A feature in dB that the target moves with one to one.
    """

    corrections: tuple[str, ...]
    offset: str

    def fit(self, sample: Sample) -> LinearModel:
        """Choose the penalty by the points of `sample`, and fit to them.

        Raises
        ------
        ResultError
            If the points lack the offset, or are of one candidate.
        """
        form = Form(tuple(name for name in self.corrections if name in sample.columns), self.offset)
        if self.offset not in sample.columns:
            raise ResultError(f"no {self.offset} in every score card, which {form} needs; score again")
        if len(np.unique(sample.candidates)) < 2:
            raise ResultError("reference points of one candidate foresee no other; train more candidates")
        target = form.response(sample)
        scale = Scale.of(stack(form.features, sample.columns))
        left, size, right = np.linalg.svd(
            scale.apply(stack(form.features, sample.columns)), full_matrices=False
        )
        losses = transfer_losses(_roots(left, size, _PENALTIES), target, sample)
        penalty = float(_PENALTIES[losses.mean(axis=1).argmin()])
        slopes = right.T @ (size / (size**2 + penalty) * (left.T @ target)) / scale.sd
        return LinearModel.of(form, slopes, float(target.mean() - scale.mean @ slopes), penalty)


def transfer_losses(roots: Vector, targets: Vector, sample: Sample) -> Vector:
    """Loss of fits at each point, in dB^2, `[F, n]`.

    The squared error at the point without its candidate, averaged with that without its data set where the
    points have more than one: what is fitted must transfer to both.

    Parameters
    ----------
    roots, targets
        See `vaescreen.predictor.linear.group_errors`.
    sample
        The points.
    """
    _, candidates = np.unique(sample.candidates, return_inverse=True)
    _, data = np.unique(sample.data, return_inverse=True)
    losses: Vector = group_errors(roots, targets, candidates) ** 2
    if data.max() > 0:
        losses = (losses + group_errors(roots, targets, data) ** 2) / 2
    return losses


def _roots(left: Vector, size: Vector, penalties: Sequence[float] | Vector) -> Vector:
    """Roots of the hat matrices, `[penalties, n, 1 + min(n, p)]`, the first column that of the intercept."""
    n = len(left)
    shrunk = [left * np.sqrt(size**2 / (size**2 + penalty)) for penalty in penalties]
    return np.stack([np.column_stack([np.full(n, n**-0.5), each]) for each in shrunk])
