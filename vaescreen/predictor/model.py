"""Linear predictors of SR PSNR whose features are chosen by the error on candidates left out.

A predictor is a list of forms. Fitting takes the form with the smallest leave-one-candidate-out error on the
points it is given and nothing else: whoever validates a predictor by leaving points out thereby leaves them
out of the choice too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import ResultError
from vaescreen.predictor.points import Point

Vector = NDArray[np.float64]

_SINGULAR = 1e-8


@dataclass(frozen=True)
class Sample:
    """Points as columns: features by name and the target, each `[n]`, in dB where they are PSNRs."""

    columns: dict[str, Vector]
    target: Vector
    candidates: NDArray[np.str_]

    @classmethod
    def of(cls, points: Sequence[Point], target: str) -> "Sample":
        """Columns of the features that all points have, and of one of their targets."""
        names = [name for name in points[0].features if all(name in point.features for point in points)]
        return cls(
            columns={name: np.array([point.features[name] for point in points]) for name in names},
            target=np.array([point.targets[target] for point in points]),
            candidates=np.array([point.candidate for point in points]),
        )

    def take(self, keep: NDArray[np.bool_]) -> "Sample":
        """Only the points where `keep` is true."""
        columns = {name: column[keep] for name, column in self.columns.items()}
        return Sample(columns, self.target[keep], self.candidates[keep])

    def __len__(self) -> int:
        return len(self.target)


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

    def fit(self, sample: Sample) -> "LinearModel":
        """Ordinary least squares.

        Raises
        ------
        ResultError
            If the points do not determine the coefficients.
        """
        basis, target = self._basis(sample), self._response(sample)
        slopes = basis.right.T @ ((basis.left.T @ target) / basis.size)
        intercept = target.mean() - basis.mean @ slopes
        return LinearModel(self, tuple(float(slope) for slope in slopes), float(intercept))

    def held_out_error(self, sample: Sample) -> float:
        """Mean squared error of each candidate's points when predicted without them, in dB^2.

        Not refitted: with H the hat matrix and e the residuals of the fit to all points, the residuals of a
        group g predicted without g are `(I - H_gg)^-1 e_g` (Cook, Weisberg: Residuals and Influence in
        Regression, 1982). Infinite where points or candidates do not suffice.
        """
        try:
            basis = self._basis(sample)
        except ResultError:
            return float("inf")
        n = len(sample)
        design = np.column_stack([np.full(n, n**-0.5), basis.left])
        target = self._response(sample)
        _, group, counts = np.unique(sample.candidates, return_inverse=True, return_counts=True)
        order = np.argsort(group, kind="stable")
        within = np.empty(n, dtype=np.intp)
        within[order] = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = np.zeros((len(counts), counts.max(), design.shape[1]))
        rows[group, within] = design
        residuals = np.zeros((len(counts), counts.max(), 1))
        residuals[group, within, 0] = target - design @ (design.T @ target)
        remaining = np.eye(counts.max()) - rows @ rows.transpose(0, 2, 1)
        if np.linalg.eigvalsh(remaining).min() < _SINGULAR:
            return float("inf")
        return float((np.linalg.solve(remaining, residuals) ** 2).sum() / n)

    def leverage(self, sample: Sample, columns: Mapping[str, Vector]) -> Vector:
        """Leverage that points with these features would have in the fit to `sample`, `[m]`."""
        basis = self._basis(sample)
        direction = (_stack(self.features, columns) - basis.mean) @ basis.right.T / basis.size
        leverage: Vector = 1 / len(sample) + (direction**2).sum(axis=1)
        return leverage

    def _response(self, sample: Sample) -> Vector:
        return sample.target - sample.columns[self.offset] if self.offset else sample.target

    def _basis(self, sample: Sample) -> _Basis:
        if len(sample) <= self.parameters:
            raise ResultError(f"{len(sample)} reference points do not determine {self}; train more")
        features = _stack(self.features, sample.columns)
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

    def predict(self, columns: Mapping[str, Vector]) -> Vector:
        """Target in dB, `[m]`, from features by name, each `[m]`."""
        used = (*self.form.features, *([self.form.offset] if self.form.offset else []))
        slopes = (*self.coefficients, *([1.0] if self.form.offset else []))
        predicted: Vector = np.full(len(next(iter(columns.values()))), self.intercept)
        for name, slope in zip(used, slopes, strict=True):
            predicted = predicted + slope * columns[name]
        return predicted


@dataclass(frozen=True)
class Predictor:
    """Forms among which the points decide; the order settles ties."""

    forms: tuple[Form, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features of any form, sorted."""
        offsets = {form.offset for form in self.forms if form.offset}
        return tuple(sorted(offsets.union(*(form.features for form in self.forms))))

    def fit(self, sample: Sample) -> LinearModel:
        """Fit the form that predicts left-out candidates of `sample` best.

        Raises
        ------
        ResultError
            If the points determine no form.
        """
        if len(self.forms) == 1:
            return self.forms[0].fit(sample)
        return min(self.forms, key=lambda form: form.held_out_error(sample)).fit(sample)


def _stack(names: Sequence[str], columns: Mapping[str, Vector]) -> Vector:
    if not names:
        return np.empty((len(next(iter(columns.values()))), 0))
    return np.column_stack([columns[name] for name in names])


_AE, _BICUBIC, _RIDGE, _CONV = "ae_ceiling", "bicubic_psnr", "ridge_probe_psnr", "conv_probe_psnr"

PREDICTORS: dict[str, Predictor] = {
    "published": Predictor((Form((_AE,)),)),
    "ae-plus-bicubic": Predictor((Form((_AE, _BICUBIC)),)),
    "ridge-probe": Predictor((Form((_RIDGE, _BICUBIC)),)),
    "conv-probe": Predictor((Form((_CONV,)),)),
    "conv-probe-gap": Predictor((Form((), offset=_CONV),)),
    "ours": Predictor(
        (
            Form((), offset=_CONV),
            Form((_CONV,)),
            Form((_AE,), offset=_CONV),
            Form((_BICUBIC,), offset=_CONV),
            Form((_CONV, _AE)),
            Form((_CONV, _BICUBIC)),
            Form((_CONV, _RIDGE)),
            Form((_CONV, _AE, _BICUBIC)),
            Form((_CONV, _AE, _BICUBIC, _RIDGE)),
        )
    ),
}
