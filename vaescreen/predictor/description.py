"""What a fitted predictor is, in words and numbers: coefficients with intervals, residuals, a model card."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.intervals import LEVEL, Novelty
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.sample import Sample


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
    """Intercept and slopes of a target's model with their intervals.

    By the jackknife over candidates, since points of one candidate are not independent: with G candidates and
    b_g the coefficient fitted to all points but g's, the variance is `(G - 1) / G * sum (b_g - mean b)^2`
    (Efron, Tibshirani: An Introduction to the Bootstrap, 1993, equation 11.5) and the quantile that of
    Student's t with G - 1 degrees of freedom. The form is held fixed: the intervals say how well the points
    determine the coefficients of the chosen form, not how sure the choice is.
    """
    model = fitted.targets[target].model
    sample = Sample.of(fitted.points, target)
    names = np.unique(sample.candidates)
    refits = [model.form.fit(sample.take(sample.candidates != name)) for name in names]
    left_out = np.array([(refit.intercept, *refit.coefficients) for refit in refits])
    variance = (len(names) - 1) * left_out.var(axis=0)
    half = stats.t.ppf((1 + LEVEL) / 2, len(names) - 1) * np.sqrt(variance)
    values = (model.intercept, *model.coefficients)
    free = [
        Coefficient(name, value, value - float(width), value + float(width))
        for name, value, width in zip(("intercept", *model.form.features), values, half, strict=True)
    ]
    fixed = [Coefficient(model.form.offset, 1.0, None, None)] if model.form.offset else []
    return [*fixed, *free]


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


def chosen_forms(fitted: FittedPredictor, target: str = TARGETS[0]) -> dict[str, int]:
    """How often each form was chosen when a candidate was left out, the most frequent first."""
    forms = [str(left.model.form) for left in fitted.targets[target].held_out[Novelty.CANDIDATE]]
    return dict(
        sorted(((form, forms.count(form)) for form in set(forms)), key=lambda pair: (-pair[1], str(pair[0])))
    )


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
