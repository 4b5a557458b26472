"""What predictors are worth on candidates, families and data sets that they have not seen."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor.intervals import LEVEL, Jackknife
from vaescreen.predictor.model import PREDICTORS, Predictor, Sample, Vector
from vaescreen.predictor.points import Point
from vaescreen.predictor.scores import explained, regret_by_data, tau_by_data

SCHEMES: dict[str, tuple[str, Callable[[Point], str]]] = {
    "leave-one-candidate-out": ("candidates", lambda point: point.candidate),
    "leave-one-family-out": ("families", lambda point: point.family),
    "leave-one-data-set-out": ("data sets", lambda point: point.data),
}


class Predictions(NamedTuple):
    """Predictions and ends of their intervals in dB, each `[n]`."""

    value: Vector
    low: Vector
    high: Vector


@dataclass(frozen=True)
class Scores:
    """Out-of-sample scores of a predictor; see `vaescreen.predictor.scores`.

    `mae`, `rmse`, `regret` and the mean `width` of the 90 % interval are in dB. `tau` is the smallest and
    `regret` the largest of the data sets. None marks what the points do not determine: no tau in data sets of
    one point, no interval from fewer than nine.
    """

    q2: float | None
    mae: float
    rmse: float
    tau: float | None
    regret: float | None
    coverage: float | None
    width: float | None
    tau_by_data: dict[str, float]
    regret_by_data: dict[str, float]


@dataclass(frozen=True)
class ValidationReport:
    """Scores by scheme and predictor; `absent` says why a scheme, or `scheme/predictor`, is not there."""

    recipe: str
    target: str
    points: int
    candidates: int
    data_sets: list[str]
    schemes: dict[str, dict[str, Scores]] = field(default_factory=dict)
    in_sample: dict[str, float | None] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON-able dictionary of all fields; `in_sample` is R^2 by predictor."""
        return asdict(self)


def validate(points: Sequence[Point], target: str = "sr_psnr") -> ValidationReport:
    """Score every predictor on points that were left out of its fit and of its choice of features.

    Parameters
    ----------
    points : sequence of Point
        Reference points of one recipe.
    target : str
        One of `vaescreen.predictor.points.TARGETS`.

    Returns
    -------
    ValidationReport
        A scheme needs two groups to leave out, and points enough to fit without one of them.
    """
    report = ValidationReport(
        recipe=points[0].recipe,
        target=target,
        points=len(points),
        candidates=len({point.candidate for point in points}),
        data_sets=sorted({point.data for point in points}),
    )
    sample = Sample.of(points, target)
    for name, predictor in PREDICTORS.items():
        try:
            fitted = predictor.fit(sample).predict(sample.columns)
        except ResultError as error:
            report.absent[f"in-sample/{name}"] = str(error)
        else:
            report.in_sample[name] = _finite(explained(sample.target, fitted))
    for scheme, (what, group_of) in SCHEMES.items():
        groups = [group_of(point) for point in points]
        if len(set(groups)) < 2:
            report.absent[scheme] = f"needs at least two {what}; there is one"
            continue
        report.schemes[scheme] = {}
        for name, predictor in PREDICTORS.items():
            try:
                predictions = predict_held_out(predictor, sample, groups)
            except ResultError as error:
                report.absent[f"{scheme}/{name}"] = str(error)
            else:
                scores = score(sample.target, predictions, [point.data for point in points])
                report.schemes[scheme][name] = scores
    return report


def predict_held_out(predictor: Predictor, sample: Sample, groups: Sequence[str]) -> Predictions:
    """Predict each point, with an interval, from the points of the other groups alone.

    Raises
    ------
    ResultError
        If the others do not determine the predictor.
    """
    labels = np.asarray(groups)
    value, low, high = np.empty((3, len(sample)))
    for group in np.unique(labels):
        out = labels == group
        columns = sample.take(out).columns
        jackknife = Jackknife.fit(predictor, sample.take(~out))
        value[out] = jackknife.model.predict(columns)
        low[out], high[out] = jackknife.interval(columns, LEVEL)
    return Predictions(value, low, high)


def score(target: Vector, predictions: Predictions, data: Sequence[str]) -> Scores:
    """Score predictions of points that belong to the data sets named in `data`."""
    value, low, high = predictions
    error = value - target
    bounded = bool(np.isfinite(high - low).all())
    taus = tau_by_data(target, value, data)
    regrets = regret_by_data(target, value, data)
    return Scores(
        q2=_finite(explained(target, value)),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        tau=min(taus.values(), default=None),
        regret=max(regrets.values(), default=None),
        coverage=float(((low <= target) & (target <= high)).mean()) if bounded else None,
        width=float((high - low).mean()) if bounded else None,
        tau_by_data=taus,
        regret_by_data=regrets,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
