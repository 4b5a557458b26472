"""Linear models of SR PSNR: least squares, and the error on groups left out without refitting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import ResultError
from vaescreen.predictor.sample import Sample, Vector

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
        return LinearModel.of(self, slopes, float(target.mean() - mean @ slopes))

    def response(self, sample: Sample) -> Vector:
        """What the coefficients have to explain: the target, less the offset if there is one, `[n]`."""
        return sample.target - sample.columns[self.offset] if self.offset else sample.target

    def __str__(self) -> str:
        """Its terms, such as `1 + ae_ceiling`."""
        return " + ".join((*([f"[{self.offset}]"] if self.offset else []), "1", *self.features))


@dataclass(frozen=True)
class LinearModel:
    """A form with its coefficients: `coefficients` belong to `form.features`, all in dB per unit.

    `penalty` is the strength of a ridge penalty on the slopes of standardised features, 0 for least squares.
    """

    form: Form
    coefficients: tuple[float, ...]
    intercept: float
    penalty: float = 0.0

    @classmethod
    def of(cls, form: Form, slopes: Vector, intercept: float, penalty: float = 0.0) -> "LinearModel":
        """Model from an array of slopes."""
        return cls(form, tuple(float(slope) for slope in slopes), intercept, penalty)

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

    def leverage(self, sample: Sample, columns: Mapping[str, Vector]) -> Vector:
        """Leverage that points with these features would have in the fit to `sample`, `[m]`.

        `1 / n + z' (Z'Z + penalty I)^-1 z` with the rows of Z the standardised features of the sample; its sum
        over the sample is the effective number of parameters (Hastie, Tibshirani, Friedman: The Elements of
        Statistical Learning, 2nd edition, 2009, equation 3.50, and the intercept).
        """
        scale = Scale.of(stack(self.form.features, sample.columns))
        rows = scale.apply(stack(self.form.features, sample.columns))
        new = scale.apply(stack(self.form.features, columns))
        inverse = np.linalg.pinv(rows.T @ rows + self.penalty * np.eye(rows.shape[1]))
        leverage: Vector = 1 / len(sample) + np.einsum("ij,jk,ik->i", new, inverse, new)
        return leverage


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of features, the latter 1 where a feature does not vary; each `[p]`."""

    mean: Vector
    sd: Vector

    @classmethod
    def of(cls, features: Vector) -> "Scale":
        """That of features `[n, p]`."""
        mean, sd = features.mean(axis=0), features.std(axis=0)
        return cls(mean, np.where(sd > _SINGULAR * np.abs(mean), sd, 1.0))

    def apply(self, features: Vector) -> Vector:
        """Standardise features `[m, p]`."""
        standardised: Vector = (features - self.mean) / self.sd
        return standardised


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


def stack(names: Sequence[str], columns: Mapping[str, Vector]) -> Vector:
    """Features side by side, `[m, len(names)]`."""
    if not names:
        return np.empty((len(next(iter(columns.values()))), 0))
    return np.column_stack([columns[name] for name in names])
