"""Linear models of SR PSNR by least squares: the published rule and the like."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor.sample import Sample, Vector, stack

_SINGULAR = 1e-8


@dataclass(frozen=True)
class Form:
    """`target = offset + intercept + sum of slope * feature`; the offset, if any, is a feature of slope 1."""

    features: tuple[str, ...]
    offset: str | None = None

    @property
    def used(self) -> tuple[str, ...]:
        """Names of all features that it needs, the offset among them."""
        return (*self.features, *([self.offset] if self.offset else []))

    def fit(self, sample: Sample) -> "LinearModel":
        """Ordinary least squares.

        Raises
        ------
        ResultError
            If the points do not determine the coefficients.
        """
        absent = [name for name in self.used if name not in sample.columns]
        if absent:
            raise ResultError(f"no {absent[0]} in every score card, which {self} needs; score again")
        if len(sample) <= len(self.features) + 1:
            raise ResultError(f"{len(sample)} reference points do not determine {self}; train more")
        features, target = stack(self.features, sample.columns), self.response(sample)
        mean = features.mean(axis=0)
        left, size, right = np.linalg.svd(features - mean, full_matrices=False)
        if (size <= _SINGULAR * np.linalg.norm(features)).any():
            raise ResultError(f"the reference points vary too little to determine {self}; train others")
        slopes = right.T @ ((left.T @ target) / size)
        return LinearModel(
            self, tuple(float(slope) for slope in slopes), float(target.mean() - mean @ slopes)
        )

    def response(self, sample: Sample) -> Vector:
        """What the coefficients have to explain: the target, less the offset if there is one, `[n]`."""
        return sample.target - sample.columns[self.offset] if self.offset else sample.target

    def __str__(self) -> str:
        """Its terms, such as `1 + ae_ceiling`."""
        return " + ".join((*([f"[{self.offset}]"] if self.offset else []), "1", *self.features))


@dataclass(frozen=True)
class LinearModel:
    """A form with its coefficients: `coefficients` belong to `form.features`, all in dB per unit."""

    form: Form
    coefficients: tuple[float, ...]
    intercept: float

    @property
    def slopes(self) -> dict[str, float]:
        """DB per unit of every feature that it uses; 1 for the offset."""
        return dict(
            zip(self.form.used, (*self.coefficients, *([1.0] if self.form.offset else [])), strict=True)
        )

    def predict(self, columns: Mapping[str, Vector]) -> Vector:
        """Target in dB, `[m]`, from features by name, each `[m]`."""
        predicted: Vector = np.full(len(next(iter(columns.values()))), self.intercept)
        for name, slope in self.slopes.items():
            predicted = predicted + slope * columns[name]
        return predicted
