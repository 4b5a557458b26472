"""Linear models of SR PSNR by least squares: the published rule and the like."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor.sample import Sample, Vector, stack

_SINGULAR = 1e-8


@dataclass(frozen=True)
class Form:
    """`target = intercept + sum of slope * feature`."""

    features: tuple[str, ...]

    def fit(self, sample: Sample) -> "LinearModel":
        """Ordinary least squares.

        Raises
        ------
        ResultError
            If the points do not determine the coefficients.
        """
        absent = [name for name in self.features if name not in sample.columns]
        if absent:
            raise ResultError(f"no {absent[0]} in every score card, which {self} needs; score again")
        if len(sample) <= len(self.features) + 1:
            raise ResultError(f"{len(sample)} reference points do not determine {self}; train more")
        features = stack(self.features, sample.columns)
        mean = features.mean(axis=0)
        slopes, _, _, sizes = np.linalg.lstsq(features - mean, sample.target)
        if (sizes <= _SINGULAR * np.linalg.norm(features)).any():
            raise ResultError(f"the reference points vary too little to determine {self}; train others")
        return LinearModel(self, tuple(slopes.tolist()), float(sample.target.mean() - mean @ slopes))

    def __str__(self) -> str:
        """Its terms, such as `1 + ae_ceiling`."""
        return " + ".join(("1", *self.features))


@dataclass(frozen=True)
class LinearModel:
    """A form with its coefficients: `coefficients` belong to `form.features`, all in dB per unit."""

    form: Form
    coefficients: tuple[float, ...]
    intercept: float

    def predict(self, columns: Mapping[str, Vector]) -> Vector:
        """Target in dB, `[m]`, from features by name, each `[m]`."""
        predicted: Vector = stack(self.form.features, columns) @ np.array(self.coefficients) + self.intercept
        return predicted

    def spread(self, columns: Mapping[str, Vector]) -> Vector:
        """One for all cards, `[m]`: what a few slopes miss is hardly more at one card than at another."""
        return np.ones(len(next(iter(columns.values()))))
