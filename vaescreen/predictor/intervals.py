"""Prediction intervals by jackknife+, leaving out what will be new.

With models mu_-g fitted without group g, s_-g their spread, which grows with the distance from the points that they
were fitted to, and R_i = |y_i - mu_-g(i)(x_i)| / s_-g(i)(x_i) the error of each reference point when its group was left
out, the interval of a new x reaches from the floor(alpha (n + 1))-th smallest mu_-g(i)(x) - R_i s_-g(i)(x) to the
ceil((1 - alpha)(n + 1))-th smallest mu_-g(i)(x) + R_i s_-g(i)(x) (Barber, Candes, Ramdas, Tibshirani: Predictive
inference with the jackknife+, Annals of Statistics 49(1), 2021, equation 1.4 and section 2; errors by their spread as
in Lei, G'Sell, Rinaldo, Tibshirani, Wasserman: Distribution-free predictive inference for regression, JASA 113, 2018,
section 5.2). Their guarantee is 1 - 2 alpha for exchangeable points, 1 - alpha in practice. Without the spread a card
like many points would have the same interval as one far from all: too wide there and too narrow here.

Here groups take the place of points, and which groups depends on what the predictor has not seen: a candidate of a
geometry that it knows, on data that it knows, is as hard to foresee as the candidates were; one of a new geometry as
the geometries were; any candidate on a new data set as the data sets were.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor.model import Fits, Model
from vaescreen.predictor.sample import Labels, Sample, Vector, without_each

LEVEL = 0.9

M = TypeVar("M", bound=Model)


class Novelty(StrEnum):
    """What of a (candidate, data set) the reference points have not: the most that applies."""

    CANDIDATE = "candidate"
    GEOMETRY = "geometry"
    DATA = "data set"

    @classmethod
    def of(cls, geometry_known: bool, data_known: bool) -> "Novelty":
        """Say what is new; the candidate always is."""
        if not data_known:
            return cls.DATA
        return cls.CANDIDATE if geometry_known else cls.GEOMETRY

    def groups(self, sample: Sample) -> Labels:
        """What each point of a sample is left out with."""
        return {
            Novelty.CANDIDATE: sample.candidates,
            Novelty.GEOMETRY: sample.geometries,
            Novelty.DATA: sample.data,
        }[self]


@dataclass(frozen=True)
class HeldOut(Generic[M]):
    """The model fitted without one group, and the group's points."""

    group: str
    model: M
    points: Sample

    @cached_property
    def errors(self) -> Vector:
        """Target less prediction of each point, in dB."""
        return self.points.target - self.model.predict(self.points.columns)

    @cached_property
    def by_spread(self) -> Vector:
        """Sizes of the errors in units of the model's spread at each point."""
        return np.abs(self.errors) / self.model.spread(self.points.columns)


@dataclass(frozen=True)
class Jackknife(Generic[M]):
    """A model fitted to all points, and those fitted without each group, by what the groups are."""

    model: M
    held_out: dict[Novelty, tuple[HeldOut[M], ...]]

    def interval(
        self, columns: Mapping[str, Vector], novelty: Novelty, level: float = LEVEL
    ) -> tuple[Vector, Vector]:
        """Put an interval around each prediction.

        Parameters
        ----------
        columns : mapping
            Features by name, each `[m]`.
        novelty : Novelty
            What is new about all of them.
        level : float
            Nominal coverage, in (0, 1).

        Returns
        -------
        tuple of ndarray
            Low and high ends in dB, each `[m]`; infinite where there are fewer than `level / (1 - level)`
            errors, or one group only. Widened, where need be, to hold the prediction itself.
        """
        held_out, centre = self.held_out[novelty], self.model.predict(columns)
        n = sum(len(left.points) for left in held_out)
        rank = math.ceil(round(level * (n + 1), 9))
        if rank > n:
            return np.full_like(centre, -np.inf), np.full_like(centre, np.inf)
        lower, upper = (
            np.sort(np.concatenate([_ends(left, columns, side) for left in held_out]), axis=0)
            for side in (-1, 1)
        )
        return np.minimum(lower[n - rank], centre), np.maximum(upper[rank - 1], centre)

    def errors_within_data(self, novelty: Novelty) -> Vector:
        """Held-out errors less their mean within each data set, in dB: what moves candidates against each other.

        Scaled by sqrt(n / (n - 1)) for the mean taken from the n errors of a data set themselves; empty if no
        data set has two.
        """
        errors: dict[str, list[float]] = {}
        for left in self.held_out[novelty]:
            for data, error in zip(left.points.data, left.errors, strict=True):
                errors.setdefault(data, []).append(error)
        parts = [
            (np.array(each) - np.mean(each)) * math.sqrt(len(each) / (len(each) - 1))
            for each in errors.values()
            if len(each) > 1
        ]
        return np.concatenate(parts) if parts else np.empty(0)


def jackknife(
    predictor: Fits[M], sample: Sample, novelties: Sequence[Novelty] = tuple(Novelty)
) -> Jackknife[M]:
    """Fit a predictor, its choice of form included, to all points and again without each group.

    Where there is one group alone, or the points left without one do not determine the predictor, nothing is known
    of its errors on such groups: `held_out` is empty for them.

    Raises
    ------
    ResultError
        If all points together do not determine the model.
    """
    model = predictor.fit(sample)
    held_out = {}
    for novelty in novelties:
        try:
            held_out[novelty] = _held_out(predictor, sample, novelty.groups(sample))
        except ResultError:
            held_out[novelty] = ()
    return Jackknife(model, held_out)


def _held_out(predictor: Fits[M], sample: Sample, groups: Labels) -> tuple[HeldOut[M], ...]:
    return tuple(
        HeldOut(str(groups[out][0]), predictor.fit(sample.take(known)), sample.take(out))
        for known, out in without_each(groups)
    )


def _ends(left: HeldOut[M], columns: Mapping[str, Vector], side: int) -> Vector:
    """Where each error of a group left out puts one end of the intervals, `[errors, m]`."""
    value, spread = left.model.predict(columns), left.model.spread(columns)
    ends: Vector = value + side * left.by_spread[:, None] * spread
    return ends
