"""What a fitted predictor is, in words and numbers: average slopes with intervals, residuals, sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.intervals import LEVEL, Novelty
from vaescreen.predictor.kernel import KernelModel
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.sample import Sample, Vector
from vaescreen.predictor.words import in_words


@dataclass(frozen=True)
class AverageSlope:
    """Mean slope of a feature over the reference points with its 90 % interval, in dB per unit of the feature."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Residual:
    """Errors on a candidate's points when it was left out: target less prediction, in dB, by data set."""

    candidate: str
    mean: float
    worst: float
    by_data: dict[str, float]


def average_slopes(fitted: FittedPredictor, target: str = TARGETS[0]) -> list[AverageSlope]:
    """Mean slopes of a target's model over the reference points, those with the largest effect first.

    The offset's is 1 always, and not among them. Intervals are by the jackknife over candidates, since points of
    one candidate are not independent: with G candidates and b_g the slope of the model fitted without g, the
    variance is `(G - 1) / G * sum (b_g - mean b)^2` (Efron, Tibshirani: An Introduction to the Bootstrap, 1993,
    equation 11.5) and the quantile that of Student's t with G - 1 degrees of freedom. The penalty is chosen anew
    each time.
    """
    columns = Sample.of(fitted.points, target).columns
    slopes = _mean_slopes(fitted.targets[target].model, columns)
    left_out = [
        _mean_slopes(left.model, columns) for left in fitted.targets[target].held_out[Novelty.CANDIDATE]
    ]
    count = len(left_out)
    quantile = stats.t.ppf((1 + LEVEL) / 2, count - 1)
    rows = []
    for name in by_effect(fitted, target):
        half = quantile * ((count - 1) * float(np.var([each[name] for each in left_out]))) ** 0.5
        rows.append(AverageSlope(name, slopes[name], slopes[name] - half, slopes[name] + half))
    return rows


def by_effect(fitted: FittedPredictor, target: str = TARGETS[0]) -> list[str]:
    """Corrections of a target's model, the one that moves the predictions of the points most first."""
    columns = Sample.of(fitted.points, target).columns
    model = fitted.targets[target].model
    effect = {
        name: float(np.abs(slopes).mean() * np.std(columns[name]))
        for name, slopes in model.slopes(columns).items()
        if name != model.offset
    }
    return sorted(effect, key=lambda name: -effect[name])


def _mean_slopes(model: KernelModel, columns: Mapping[str, Vector]) -> dict[str, float]:
    return {name: float(slopes.mean()) for name, slopes in model.slopes(columns).items()}


def residuals(fitted: FittedPredictor, target: str = TARGETS[0]) -> list[Residual]:
    """Errors by candidate when it was left out, choice of form included; the worst candidate first."""
    rows = [
        Residual(
            left.group,
            float(left.errors.mean()),
            float(max(left.errors, key=abs)),
            dict(zip(left.points.data.tolist(), left.errors.tolist(), strict=True)),
        )
        for left in fitted.targets[target].held_out[Novelty.CANDIDATE]
    ]
    return sorted(rows, key=lambda row: -abs(row.worst))


def equation(fitted: FittedPredictor, target: str = TARGETS[0]) -> str:
    """The model as one line; f is that of `vaescreen.predictor.kernel`."""
    model = fitted.targets[target].model
    slopes = zip(model.kernel.trend, model.trend[1:], strict=True)
    trend = "".join(f" {slope:+.3f} x {in_words(name)}" for name, slope in slopes)
    return f"{in_words(model.offset)}{trend} {model.trend[0]:+.3f} + f({len(model.kernel.features)} features)"


def sources(fitted: FittedPredictor) -> dict[str, Sequence[str]]:
    """What the reference points are of: candidates, geometries, domains and data sets by name."""
    points = fitted.points
    return {
        "candidates": sorted({point.candidate for point in points}),
        "geometries": sorted({str(point.geometry) for point in points}),
        "domains": sorted({point.domain for point in points}),
        "data_sets": sorted({point.data for point in points}),
    }
