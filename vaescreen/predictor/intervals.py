"""Prediction intervals by jackknife+, a candidate with all its points being left out at a time.

With models mu_-g fitted without candidate g, and R_i = |y_i - mu_-g(i)(x_i)| the error of each reference
point when its candidate was left out, the interval of a new x reaches from the floor(alpha (n + 1))-th
smallest mu_-g(i)(x) - R_i to the ceil((1 - alpha)(n + 1))-th smallest mu_-g(i)(x) + R_i (Barber, Candes,
Ramdas, Tibshirani: Predictive inference with the jackknife+, Annals of Statistics 49(1), 2021, equation 1.4
and section 2). Their guarantee is 1 - 2 alpha for exchangeable points, 1 - alpha in practice; here candidates
take the place of points, so that several data sets of one candidate do not vouch for each other.
"""

import math
from dataclasses import dataclass

import numpy as np

from vaescreen.predictor.model import LinearModel, Predictor, Sample, Vector

LEVEL = 0.9


@dataclass(frozen=True)
class HeldOut:
    """The model fitted without one candidate, and its absolute errors on that candidate's points, in dB."""

    candidate: str
    model: LinearModel
    errors: tuple[float, ...]


@dataclass(frozen=True)
class Jackknife:
    """A model fitted to all points, and the ones fitted without each candidate."""

    model: LinearModel
    held_out: tuple[HeldOut, ...]

    @classmethod
    def fit(cls, predictor: Predictor, sample: Sample) -> "Jackknife":
        """Fit the predictor, its choice of features included, to all points and again without each candidate.

        Raises
        ------
        ResultError
            If the points do not determine one of the models.
        """
        held_out = []
        for candidate in np.unique(sample.candidates):
            out = sample.candidates == candidate
            model = predictor.fit(sample.take(~out))
            left = sample.take(out)
            errors = np.abs(left.target - model.predict(left.columns))
            held_out.append(HeldOut(str(candidate), model, tuple(float(error) for error in errors)))
        return cls(predictor.fit(sample), tuple(held_out))

    def interval(self, columns: dict[str, Vector], level: float = LEVEL) -> tuple[Vector, Vector]:
        """Put an interval around each prediction.

        Parameters
        ----------
        columns : dict
            Features by name, each `[m]`.
        level : float
            Nominal coverage, in (0, 1).

        Returns
        -------
        tuple of ndarray
            Low and high ends in dB, each `[m]`; infinite where there are fewer than `level / (1 - level)`
            reference points. Widened, where need be, to hold the prediction itself.
        """
        predicted = [(left.model.predict(columns), error) for left in self.held_out for error in left.errors]
        lower = np.sort([value - error for value, error in predicted], axis=0)
        upper = np.sort([value + error for value, error in predicted], axis=0)
        n = len(predicted)
        rank = math.ceil(round(level * (n + 1), 9))
        centre = self.model.predict(columns)
        if rank > n:
            return np.full_like(centre, -np.inf), np.full_like(centre, np.inf)
        return np.minimum(lower[n - rank], centre), np.maximum(upper[rank - 1], centre)
