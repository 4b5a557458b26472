"""What a fitted predictor is, in words and numbers: coefficients with intervals, residuals, a model card."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.intervals import LEVEL, Novelty
from vaescreen.predictor.points import TARGETS


@dataclass(frozen=True)
class Coefficient:
    """A coefficient with its 90 % interval, in dB per unit of the feature; a fixed one has no interval."""

    name: str
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Residual:
    """Errors on a candidate's points when it was left out: target less prediction, in dB, by data set."""

    candidate: str
    mean: float
    worst: float
    by_data: dict[str, float]


def coefficients(fitted: FittedPredictor, target: str = TARGETS[0]) -> list[Coefficient]:
    """Offset, intercept and slopes of a target's model with their intervals, those with the largest effect first.

    By the jackknife over candidates, since points of one candidate are not independent: with G candidates and
    b_g the coefficient fitted to all points but g's, the variance is `(G - 1) / G * sum (b_g - mean b)^2`
    (Efron, Tibshirani: An Introduction to the Bootstrap, 1993, equation 11.5) and the quantile that of
    Student's t with G - 1 degrees of freedom. The penalty is chosen anew each time.
    """
    model = fitted.targets[target].model
    refits = [left.model for left in fitted.targets[target].held_out[Novelty.CANDIDATE]]
    left_out = np.array([(refit.intercept, *refit.coefficients) for refit in refits])
    half = stats.t.ppf((1 + LEVEL) / 2, len(refits) - 1) * np.sqrt((len(refits) - 1) * left_out.var(axis=0))
    values = dict(
        zip(("intercept", *model.form.features), (model.intercept, *model.coefficients), strict=True)
    )
    widths = dict(zip(values, half, strict=True))
    free = [
        Coefficient(
            name, values[name], values[name] - float(widths[name]), values[name] + float(widths[name])
        )
        for name in ("intercept", *by_effect(fitted, target))
        if name in values
    ]
    fixed = [Coefficient(model.form.offset, 1.0, None, None)] if model.form.offset else []
    return [*fixed, *free]


def by_effect(fitted: FittedPredictor, target: str = TARGETS[0]) -> list[str]:
    """Features of a target's model, the one that moves the predictions of the points most first."""
    slopes = fitted.targets[target].model.slopes
    effect = {
        name: abs(slope) * float(np.std([point.features[name] for point in fitted.points]))
        for name, slope in slopes.items()
    }
    return sorted(effect, key=lambda name: -effect[name])


def residuals(fitted: FittedPredictor, target: str = TARGETS[0]) -> list[Residual]:
    """Errors by candidate when it was left out, choice of form included; the worst candidate first."""
    rows = [
        Residual(
            left.group,
            float(np.mean(left.errors)),
            float(max(left.errors, key=abs)),
            dict(zip(left.data, left.errors, strict=True)),
        )
        for left in fitted.targets[target].held_out[Novelty.CANDIDATE]
    ]
    return sorted(rows, key=lambda row: -abs(row.worst))


def equation(fitted: FittedPredictor, target: str = TARGETS[0]) -> str:
    """The model as one line."""
    model = fitted.targets[target].model
    slopes = zip(model.coefficients, model.form.features, strict=True)
    terms = [f"{model.intercept:+.3f}", *(f"{slope:+.3f} {name}" for slope, name in slopes)]
    return " ".join([*([model.form.offset] if model.form.offset else []), *terms]).removeprefix("+")


def sources(fitted: FittedPredictor) -> dict[str, Sequence[str]]:
    """What the reference points are of: candidates, geometries, domains and data sets by name."""
    points = fitted.points
    return {
        "candidates": sorted({point.candidate for point in points}),
        "geometries": sorted({str(point.geometry) for point in points}),
        "domains": sorted({point.domain for point in points}),
        "data_sets": sorted({point.data for point in points}),
    }
