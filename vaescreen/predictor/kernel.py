"""Kernel ridge regression, half linear and half smooth, whose strength is what transfers to what was left out.

With z the standardised features, p of them that vary, two score cards are as alike as

    k(z, z') = (1 - smooth) z.z' / p + smooth exp(-|z - z'|^2 / 2p),

a ridge regression (Hoerl, Kennard, 1970) and a smooth function under one penalty (Saunders, Gammerman, Vovk:
Ridge regression learning algorithm in dual variables, ICML 1998), in other words the mean of a Gaussian process
with a linear and a squared-exponential part (Rasmussen, Williams: Gaussian Processes for Machine Learning, 2006,
sections 2.2 and 2.7). 2p is the mean |z - z'|^2 of two points, so the kernel has no width to choose. Far from all
points the smooth part is silent and the linear one speaks alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial.distance import cdist
from sklearn import kernel_ridge
from sklearn.preprocessing import KernelCenterer, StandardScaler

from vaescreen.errors import ResultError
from vaescreen.predictor.sample import Sample, Vector, stack
from vaescreen.predictor.transfer import transfer_losses

_PENALTIES = np.logspace(-3, 1.5, 19)


@dataclass(frozen=True)
class KernelRidge:
    """`target = offset + intercept + f(corrections)`, f of the kernel above, its strength chosen by the points.

    Corrections that not all points have are left out, and of a grid of penalties the one with the least
    `transfer_losses` is taken. No feature is chosen: with a few dozen points a choice differs with every
    candidate left out, and costs more than the features that it spares.

    Parameters
    ----------
    corrections
        Names of the features that may correct the offset.
    offsets
        By target, a feature in dB that it moves with one to one.
    smooth
        Share of the kernel that is smooth, in [0, 1]; with 0 it is linear ridge regression.
    """

    corrections: tuple[str, ...]
    offsets: Mapping[str, str]
    smooth: float = 0.5

    def fit(self, sample: Sample) -> "KernelModel":
        """Choose the penalty by the points of `sample`, and fit to them.

        Raises
        ------
        ResultError
            If the points lack the offset, or are of one candidate.
        """
        offset = self.offsets[sample.target_name]
        if offset not in sample.columns:
            raise ResultError(f"no {offset} in every score card, which a predictor needs; score again")
        if len(np.unique(sample.candidates)) < 2:
            raise ResultError("reference points of one candidate foresee no other; train more candidates")
        target = sample.target - sample.columns[offset]
        kernel = Kernel(
            tuple(name for name in self.corrections if name in sample.columns), sample, self.smooth
        )
        size, vectors = kernel.spectrum
        losses = transfer_losses(_hats(size, vectors), target, sample)
        penalty = float(_PENALTIES[losses.mean(axis=1).argmin()])
        ridge = kernel_ridge.KernelRidge(alpha=penalty, kernel="precomputed")
        weights = ridge.fit(kernel.centred_points, target - target.mean()).dual_coef_
        intercept = float(target.mean() - kernel.means @ weights)
        return KernelModel(kernel, offset, penalty, intercept, weights)


class Kernel:
    """The features of the points that a model was fitted to, and how alike others are to them."""

    def __init__(self, features: tuple[str, ...], sample: Sample, smooth: float) -> None:
        self.features = features
        self.smooth = smooth
        self._scaler = StandardScaler().fit(stack(features, sample.columns))
        self._rows = self.standardised(sample.columns)
        # Those that do not vary keep a variance of zero.
        self._count = max(1, round(float(self._rows.var(axis=0).sum())))

    def __len__(self) -> int:
        return len(self._rows)

    def standardised(self, columns: Mapping[str, Vector]) -> Vector:
        """Features `[m, p]` in units of the SD over the points, from their mean; constant ones in their own."""
        rows: Vector = self._scaler.transform(stack(self.features, columns))
        return rows

    def matrix(self, rows: Vector, others: Vector | None = None) -> Vector:
        """How alike standardised rows `[m, p]` are to others `[k, p]`, or to the points, `[m, k]`."""
        others = self._rows if others is None else others
        linear, smooth = self._parts(rows, others)
        return linear + smooth

    def slopes(self, rows: Vector, weights: Vector) -> Vector:
        """Gradient of `matrix(rows) @ weights` by the features in their own units, `[m, p]`."""
        _, smooth = self._parts(rows, self._rows)
        linear = (1 - self.smooth) * (weights @ self._rows)
        towards = (smooth * weights) @ self._rows - (smooth @ weights)[:, None] * rows
        slopes: Vector = (linear + towards) / self._count / self._scaler.scale_
        return slopes

    @cached_property
    def means(self) -> Vector:
        """Mean kernel of each point with all points, `[n]`."""
        means: Vector = self._of_points.mean(axis=0)
        return means

    @cached_property
    def centred_points(self) -> Vector:
        """Kernel of the points, centred, `[n, n]`."""
        centred: Vector = KernelCenterer().fit_transform(self._of_points)
        return centred

    @cached_property
    def spectrum(self) -> tuple[Vector, Vector]:
        """Eigenvalues `[n]` and eigenvectors `[n, n]` of the points' kernel, centred."""
        size, vectors = np.linalg.eigh(self.centred_points)
        return size.clip(min=0.0), vectors

    @cached_property
    def _of_points(self) -> Vector:
        return self.matrix(self._rows)

    def centred(self, rows: Vector, others: Vector | None = None) -> Vector:
        """Kernel of the functions less their mean over the points, `[m, k]`."""
        left = self.matrix(rows).mean(axis=1)
        right = self.means if others is None else self.matrix(others).mean(axis=1)
        centred: Vector = self.matrix(rows, others) - left[:, None] - right + self.means.mean()
        return centred

    def _parts(self, rows: Vector, others: Vector) -> tuple[Vector, Vector]:
        apart = cdist(rows, others, "sqeuclidean")
        linear, smooth = rows @ others.T / self._count, np.exp(-apart / (2 * self._count))
        return (1 - self.smooth) * linear, self.smooth * smooth


@dataclass(frozen=True, eq=False)
class KernelModel:
    """What a fit gives: the weight of each point that it was fitted to, `[n]`, in dB."""

    kernel: Kernel
    offset: str
    penalty: float
    intercept: float
    weights: Vector

    @property
    def used(self) -> tuple[str, ...]:
        """Names of all features that it needs, the offset among them."""
        return (self.offset, *(name for name in self.kernel.features if name != self.offset))

    def predict(self, columns: Mapping[str, Vector]) -> Vector:
        """Target in dB, `[m]`, from features by name, each `[m]`."""
        corrections = self.kernel.matrix(self.kernel.standardised(columns)) @ self.weights
        predicted: Vector = columns[self.offset] + self.intercept + corrections
        return predicted

    def slopes(self, columns: Mapping[str, Vector]) -> dict[str, Vector]:
        """DB per unit of every feature at cards with these features, each `[m]`."""
        gradient = self.kernel.slopes(self.kernel.standardised(columns), self.weights)
        slopes = dict(zip(self.kernel.features, gradient.T, strict=True))
        return slopes | {self.offset: slopes.get(self.offset, 0.0) + np.ones(len(gradient))}

    def covariance(self, columns: Mapping[str, Vector]) -> Vector:
        """Posterior covariance of the correction at cards with these features, `[m, m]`, the intercept's apart.

        In units of the variance of a point's error (Rasmussen, Williams, equation 2.24, with the penalty as noise).
        """
        rows = self.kernel.standardised(columns)
        size, vectors = self.kernel.spectrum
        towards = self.kernel.centred(rows) @ vectors
        explained = (towards / (size + self.penalty)) @ towards.T
        covariance: Vector = (self.kernel.centred(rows, rows) - explained) / self.penalty
        return covariance

    def leverage(self, columns: Mapping[str, Vector]) -> Vector:
        """Variance of predictions of new cards with these features, `[m]`, in units of the variance of an error."""
        leverage: Vector = 1 / len(self.kernel) + np.diag(self.covariance(columns))
        return leverage

    def spread(self, columns: Mapping[str, Vector]) -> Vector:
        """SD of new targets about their predictions, `[m]`, in units of the SD of an error of the points.

        It grows with the distance from the points (Rasmussen, Williams, section 2.2).
        """
        spread: Vector = np.sqrt(1 + self.leverage(columns))
        return spread

    @cached_property
    def usual_leverage(self) -> float:
        """Mean leverage of the points, each for the fit to the others.

        With h the diagonal of the hat matrix that is the mean of `h / (1 - h)` (Cook, Weisberg: Residuals and
        Influence in Regression, 1982, equation 2.2.8).
        """
        size, vectors = self.kernel.spectrum
        own = 1 / len(self.kernel) + vectors**2 @ (size / (size + self.penalty))
        return float((own / (1 - own)).mean())


def _hats(size: Vector, vectors: Vector) -> Vector:
    """Hat matrices of all penalties, the intercept's part with them, `[penalties, n, n]`."""
    shrunk = size / (size + _PENALTIES[:, None])
    return (vectors * shrunk[:, None, :]) @ vectors.T + 1 / len(size)
