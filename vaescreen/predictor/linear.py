"""Linear forms of SR PSNR: least squares, their error on groups left out, leverage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import ResultError
from vaescreen.predictor.sample import Labels, Sample, Vector

_SINGULAR = 1e-8


class _Basis(NamedTuple):
    """Singular value decomposition `left * size @ right` of the features less their `mean`."""

    mean: Vector
    left: Vector
    size: Vector
    right: Vector


@dataclass(frozen=True)
class Form:
    """`target = offset + intercept + sum of slope * feature`; the offset, if any, is a feature of slope 1."""

    features: tuple[str, ...]
    offset: str | None = None

    @property
    def parameters(self) -> int:
        """Number of estimated coefficients, the intercept included."""
        return len(self.features) + 1

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
        basis, target = self._basis(sample), self.response(sample)
        slopes = basis.right.T @ ((basis.left.T @ target) / basis.size)
        intercept = target.mean() - basis.mean @ slopes
        return LinearModel(self, tuple(float(slope) for slope in slopes), float(intercept))

    def leverage(self, sample: Sample, columns: Mapping[str, Vector]) -> Vector:
        """Leverage that points with these features would have in the fit to `sample`, `[m]`."""
        basis = self._basis(sample)
        direction = (stack(self.features, columns) - basis.mean) @ basis.right.T / basis.size
        leverage: Vector = 1 / len(sample) + (direction**2).sum(axis=1)
        return leverage

    def response(self, sample: Sample) -> Vector:
        """What the coefficients have to explain: the target, less the offset if there is one, `[n]`."""
        return sample.target - sample.columns[self.offset] if self.offset else sample.target

    def _basis(self, sample: Sample) -> _Basis:
        absent = [name for name in self.used if name not in sample.columns]
        if absent:
            raise ResultError(f"no {absent[0]} in every score card, which {self} needs; score again")
        if len(sample) <= self.parameters:
            raise ResultError(f"{len(sample)} reference points do not determine {self}; train more")
        features = stack(self.features, sample.columns)
        mean = features.mean(axis=0)
        left, size, right = np.linalg.svd(features - mean, full_matrices=False)
        if (size <= _SINGULAR * np.linalg.norm(features)).any():
            raise ResultError(f"the reference points vary too little to determine {self}; train others")
        return _Basis(mean, left, size, right)

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


def stack(names: Sequence[str], columns: Mapping[str, Vector]) -> Vector:
    """Features side by side, `[m, len(names)]`."""
    if not names:
        return np.empty((len(next(iter(columns.values()))), 0))
    return np.column_stack([columns[name] for name in names])


def held_out_errors(forms: Sequence[Form], sample: Sample, groups: Labels) -> Vector:
    """Error of each point when predicted without its group, target less prediction, in dB, `[forms, n]`.

    Not refitted: with the columns of Q an orthonormal basis of the design and e the residuals of the fit to
    all points, the residuals of a group g predicted without g are `(I - Q_g Q_g')^-1 e_g` (Cook, Weisberg:
    Residuals and Influence in Regression, 1982), which is `e_g + Q_g (I - Q_g' Q_g)^-1 Q_g' e_g` (Woodbury).
    Infinite for forms that points or groups do not determine.
    """
    errors = np.full((len(forms), len(sample)), np.inf)
    _, group = np.unique(groups, return_inverse=True)
    for parameters in {form.parameters for form in forms}:
        equal = [
            place
            for place, form in enumerate(forms)
            if form.parameters == parameters and all(name in sample.columns for name in form.used)
        ]
        if equal and parameters < len(sample):
            features = np.stack([stack(forms[place].features, sample.columns) for place in equal])
            targets = np.stack([forms[place].response(sample) for place in equal])
            errors[equal] = _errors(features, targets, group)
    return errors


def _errors(features: Vector, targets: Vector, group: NDArray[np.intp]) -> Vector:
    """Held-out errors `[F, n]` of fits to `features` `[F, n, p]` and `targets` `[F, n]`."""
    n, p = features.shape[1:]
    left, size, _ = np.linalg.svd(features - features.mean(axis=1, keepdims=True), full_matrices=False)
    determined = (size > _SINGULAR * np.linalg.norm(features, axis=(1, 2))[:, None]).all(axis=1)
    basis = np.concatenate([np.full((len(left), n, 1), n**-0.5), left], axis=2)
    residuals = targets[:, :, None] - basis @ (basis.swapaxes(1, 2) @ targets[:, :, None])
    member = np.equal.outer(np.arange(group.max() + 1), group).astype(float)
    squares = (basis[:, :, :, None] * basis[:, :, None, :]).reshape(len(basis), n, -1)
    remaining = np.eye(p + 1) - (member @ squares).reshape(len(basis), len(member), p + 1, p + 1)
    determined &= (np.linalg.det(remaining) > _SINGULAR).all(axis=1)
    remaining[~determined] = np.eye(p + 1)
    correction = np.linalg.solve(remaining, (member @ (basis * residuals))[..., None])[..., 0]
    errors: Vector = residuals[:, :, 0] + (basis * correction[:, group]).sum(axis=2)
    errors[~determined] = np.inf
    return errors
