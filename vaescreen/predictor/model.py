"""Predictors: linear forms among which the reference points decide, by the error on what was left out.

Whoever validates a predictor by leaving points out thereby leaves them out of the choice too: `fit` sees
nothing but the points that it is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from vaescreen.predictor.linear import Form, LinearModel, held_out_errors
from vaescreen.predictor.sample import Labels, Sample, Vector


class Model(Protocol):
    """What a fit gives."""

    def predict(self, columns: Mapping[str, Vector]) -> Vector:
        """Target in dB, `[m]`, from features by name, each `[m]`."""
        ...


M_co = TypeVar("M_co", bound=Model, covariant=True)


class Fits(Protocol[M_co]):
    """What validation asks of a predictor."""

    def fit(self, sample: Sample) -> M_co:
        """Model of the points, and of nothing else.

        Raises
        ------
        ResultError
            If the points do not determine it.
        """
        ...


@dataclass(frozen=True)
class Predictor:
    """Forms among which the points decide; the order settles ties.

    The loss of a form at a point is its squared error there without the point's candidate, averaged with that
    without the point's data set where the points have more than one: a form must transfer to both. Of the
    forms whose mean loss is at most one standard error above the least, the one with the fewest parameters is
    taken, and among equals the one with the least loss. The standard error is that of the difference of both
    losses, candidates being the independent units (the one-standard-error rule of Breiman, Friedman, Olshen,
    Stone: Classification and Regression Trees, 1984, section 3.4.3, on paired losses).
    """

    forms: tuple[Form, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features of any form, sorted."""
        return tuple(sorted({name for form in self.forms for name in form.used}))

    def fit(self, sample: Sample) -> LinearModel:
        """Choose a form by the points of `sample`, and fit it to them.

        Raises
        ------
        ResultError
            If the points determine no form.
        """
        return self.choose(sample).fit(sample)

    def choose(self, sample: Sample) -> Form:
        """Form that transfers best to candidates and data sets left out of `sample`; see the class."""
        if len(self.forms) == 1:
            return self.forms[0]
        losses = _losses(self.forms, sample)
        means = losses.mean(axis=1)
        least = int(means.argmin())
        if not np.isfinite(means[least]):
            return self.forms[least]
        near = np.flatnonzero(_within_one_error(losses, losses[least], sample.candidates))
        return self.forms[min(near, key=lambda place: (self.forms[place].parameters, means[place]))]


def _losses(forms: Sequence[Form], sample: Sample) -> Vector:
    losses: Vector = held_out_errors(forms, sample, sample.candidates) ** 2
    if len(np.unique(sample.data)) > 1:
        losses = (losses + held_out_errors(forms, sample, sample.data) ** 2) / 2
    return losses


def _within_one_error(losses: Vector, least: Vector, candidates: Labels) -> NDArray[np.bool_]:
    """Whether the mean of each row of `losses` is at most a standard error above that of `least`."""
    _, group = np.unique(candidates, return_inverse=True)
    determined: NDArray[np.bool_] = np.asarray(np.isfinite(losses).all(axis=1))
    excess = np.where(determined[:, None], losses - least, 0.0)
    member = np.equal.outer(group, np.arange(group.max() + 1)).astype(float)
    sums = excess @ member
    errors = np.sqrt(sums.shape[1]) * sums.std(axis=1, ddof=1) / len(group)
    near: NDArray[np.bool_] = np.logical_and(determined, excess.mean(axis=1) <= errors)
    return near
