"""Kernel ridge regression about a straight line, mostly smooth, whose strength is what transfers to what was left out.

With z the standardised features, p of them that vary, two score cards are as alike as

    k(z, z') = (1 - smooth) z.z' / p + smooth exp(-|z - z'|^2 / 2p),

and a target is a feature in dB, its offset, plus a straight line in a few features, its trend, plus a ridge regression
under that kernel: universal kriging, the mean of a Gaussian process about a line without a penalty (Cressie: Statistics
for Spatial Data, 1993, section 3.4; Rasmussen, Williams: Gaussian Processes for Machine Learning, 2006, 2.2 and 2.7).
2p is the mean |z - z'|^2 of two points, so the kernel has no width to choose. Far from all points the smooth part is
silent; the linear one, small as it is, lets the variance grow on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.spatial.distance import cdist
from sklearn import kernel_ridge
from sklearn.preprocessing import StandardScaler

from vaescreen.errors import ResultError
from vaescreen.predictor.sample import Sample, Vector, stack
from vaescreen.predictor.transfer import transfer_losses

_PENALTIES = np.logspace(-3, 1.5, 19)


@dataclass(frozen=True)
class KernelRidge:
    """`target = offset + trend + f(corrections)`, f of the kernel above, its strength chosen by the points.

    Features that not all points have are left out, but for the offset, and of a grid of penalties the one with the
    least `transfer_losses` is taken. No feature is chosen: with a few dozen points a choice differs with every
    candidate left out, and costs more than the features that it spares.

    Parameters
    ----------
    corrections
        Names of the features that may correct offset and trend.
    offsets
        By target, a feature in dB that it moves with one to one.
    trends
        By target, features whose slopes bear no penalty; an intercept is always there.
    smooth
        Share of the kernel that is smooth, in [0, 1].
    """

    corrections: tuple[str, ...]
    offsets: Mapping[str, str]
    trends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    smooth: float = 0.7

    def fit(self, sample: Sample) -> "KernelModel":
        """Choose the penalty by the points of `sample`, and fit to them.

        Raises
        ------
        ResultError
            If the points lack the offset, or are of one candidate.
        """
        offset, trend = self.offsets[sample.target_name], self.trends.get(sample.target_name, ())
        if offset not in sample.columns:
            raise ResultError(f"no {offset} in every score card, which a predictor needs; score again")
        if len(np.unique(sample.candidates)) < 2:
            raise ResultError("reference points of one candidate foresee no other; train more candidates")
        target = sample.target - sample.columns[offset]
        corrections, along = (
            tuple(name for name in names if name in sample.columns) for names in (self.corrections, trend)
        )
        kernel = Kernel(corrections, along, sample, self.smooth)
        losses = transfer_losses(kernel.hats(_PENALTIES), target, sample)
        penalty = float(_PENALTIES[losses.mean(axis=1).argmin()])
        ridge = kernel_ridge.KernelRidge(alpha=penalty, kernel="precomputed")
        weights = ridge.fit(kernel.beside_trend, kernel.without_trend @ target).dual_coef_
        slopes = kernel.to_trend @ (target - kernel.of_points @ weights)
        return KernelModel(kernel, offset, penalty, slopes, weights)


class Kernel:
    """The features of the points that a model was fitted to, and how alike others are to them."""

    def __init__(
        self, features: tuple[str, ...], trend: tuple[str, ...], sample: Sample, smooth: float
    ) -> None:
        self.features = features
        self.trend = trend
        self.smooth = smooth
        self._scaler = StandardScaler().fit(stack(features, sample.columns))
        self._rows = self.standardised(sample.columns)
        self._trend_of_points = self.trend_columns(sample.columns)
        # Those that do not vary keep a variance of zero.
        self._count = max(1, round(float(self._rows.var(axis=0).sum())))

    def standardised(self, columns: Mapping[str, Vector]) -> Vector:
        """Features `[m, p]` in units of the SD over the points, from their mean; constant ones in their own."""
        rows: Vector = self._scaler.transform(stack(self.features, columns))
        return rows

    def trend_columns(self, columns: Mapping[str, Vector]) -> Vector:
        """What the slopes of the trend belong to: ones and its features, `[m, 1 + q]`."""
        ones = np.ones(len(next(iter(columns.values()))))
        return np.column_stack([ones, *(columns[name] for name in self.trend)])

    def matrix(self, rows: Vector, others: Vector | None = None) -> Vector:
        """How alike standardised rows `[m, p]` are to others `[k, p]`, or to the points, `[m, k]`."""
        linear, smooth = self._parts(rows, self._rows if others is None else others)
        return linear + smooth

    def slopes(self, rows: Vector, weights: Vector) -> Vector:
        """Gradient of `matrix(rows) @ weights` by the features in their own units, `[m, p]`."""
        _, smooth = self._parts(rows, self._rows)
        linear = (1 - self.smooth) * (weights @ self._rows)
        towards = (smooth * weights) @ self._rows - (smooth @ weights)[:, None] * rows
        slopes: Vector = (linear + towards) / self._count / self._scaler.scale_
        return slopes

    def covariance(self, columns: Mapping[str, Vector], penalty: float) -> Vector:
        """Posterior covariance at cards with these features, `[m, m]`, in units of the variance of an error.

        That of the trend is part of it (Rasmussen, Williams, equation 2.42, with the penalty as noise).
        """
        rows, size, vectors = self.standardised(columns), *self.spectrum
        # What least squares through the points would make of the values there.
        line = self.trend_columns(columns) @ self.to_trend
        alike = self.matrix(rows)
        beside = (alike - line @ self.of_points) @ self.without_trend @ vectors
        crossed = alike @ line.T
        prior = self.matrix(rows, rows) - crossed - crossed.T + line @ self.of_points @ line.T
        covariance: Vector = (prior - (beside / (size + penalty)) @ beside.T) / penalty + line @ line.T
        return covariance

    def hats(self, penalties: Vector) -> Vector:
        """Hat matrices of fits with these penalties, trend and all, `[penalties, n, n]`."""
        size, vectors = self.spectrum
        shrunk = size / (size + penalties[:, None])
        return (vectors * shrunk[:, None, :]) @ vectors.T + self._trend_of_points @ self.to_trend

    @cached_property
    def of_points(self) -> Vector:
        """Kernel of the points, `[n, n]`."""
        return self.matrix(self._rows)

    @cached_property
    def to_trend(self) -> Vector:
        """What makes slopes of values at the points by least squares, `[1 + q, n]`."""
        return np.linalg.pinv(self._trend_of_points).astype(np.float64)

    @cached_property
    def without_trend(self) -> Vector:
        """What takes its trend from values at the points, `[n, n]`."""
        residuals: Vector = np.eye(len(self._rows)) - self._trend_of_points @ self.to_trend
        return residuals

    @cached_property
    def beside_trend(self) -> Vector:
        """Kernel of the functions less their trend over the points, `[n, n]`."""
        beside: Vector = self.without_trend @ self.of_points @ self.without_trend
        return beside

    @cached_property
    def spectrum(self) -> tuple[Vector, Vector]:
        """Eigenvalues `[n]` and eigenvectors `[n, n]` of `beside_trend`."""
        size, vectors = np.linalg.eigh(self.beside_trend)
        return size.clip(min=0.0), vectors

    def _parts(self, rows: Vector, others: Vector) -> tuple[Vector, Vector]:
        apart = cdist(rows, others, "sqeuclidean")
        linear, smooth = rows @ others.T / self._count, np.exp(-apart / (2 * self._count))
        return (1 - self.smooth) * linear, self.smooth * smooth


@dataclass(frozen=True, eq=False)
class KernelModel:
    """What a fit gives.

    Parameters
    ----------
    kernel, offset, penalty
        As they were chosen.
    trend : ndarray
        Intercept in dB and slope of each of the kernel's trend features in dB per unit, `[1 + q]`.
    weights : ndarray
        Of each point that it was fitted to, `[n]`, in dB.
    """

    kernel: Kernel
    offset: str
    penalty: float
    trend: Vector
    weights: Vector

    @property
    def used(self) -> tuple[str, ...]:
        """Names of all features that it needs, the offset first."""
        return tuple(dict.fromkeys((self.offset, *self.kernel.trend, *self.kernel.features)))

    def predict(self, columns: Mapping[str, Vector]) -> Vector:
        """Target in dB, `[m]`, from features by name, each `[m]`."""
        trend = self.kernel.trend_columns(columns) @ self.trend
        corrections = self.kernel.matrix(self.kernel.standardised(columns)) @ self.weights
        predicted: Vector = columns[self.offset] + trend + corrections
        return predicted

    def slopes(self, columns: Mapping[str, Vector]) -> dict[str, Vector]:
        """DB per unit of every feature at cards with these features, each `[m]`."""
        gradient = self.kernel.slopes(self.kernel.standardised(columns), self.weights)
        slopes = dict(zip(self.kernel.features, gradient.T, strict=True))
        straight = {self.offset: 1.0} | dict(zip(self.kernel.trend, self.trend[1:].tolist(), strict=True))
        return slopes | {
            name: slopes.get(name, 0.0) + np.full(len(gradient), each) for name, each in straight.items()
        }

    def covariance(self, columns: Mapping[str, Vector]) -> Vector:
        """Posterior covariance of the target at cards with these features; see `Kernel.covariance`."""
        return self.kernel.covariance(columns, self.penalty)

    def leverage(self, columns: Mapping[str, Vector]) -> Vector:
        """Variance of predictions of new cards with these features, `[m]`, in units of the variance of an error."""
        return np.diag(self.covariance(columns))

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
        own = np.diag(self.kernel.hats(np.array([self.penalty]))[0])
        return float((own / (1 - own)).mean())
