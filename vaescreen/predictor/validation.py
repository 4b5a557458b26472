"""What predictors are worth on candidates, geometries, domains and data sets that they have not seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.intervals import Novelty, jackknife
from vaescreen.predictor.model import Fits, Model
from vaescreen.predictor.points import Point
from vaescreen.predictor.sample import Labels, Sample, Vector
from vaescreen.predictor.scores import Predictions, Scores, explained, finite, score

SCHEMES: dict[str, tuple[str, Callable[[Point], str]]] = {
    "leave-one-candidate-out": ("candidates", lambda point: point.candidate),
    "leave-one-geometry-out": ("geometries", lambda point: str(point.geometry)),
    "leave-one-domain-out": ("domains", lambda point: point.domain),
    "leave-one-data-set-out": ("data sets", lambda point: point.data),
}
"""What is left out, and what tells the groups: the domain is what the autoencoder was trained on."""


@dataclass(frozen=True)
class ValidationReport:
    """Scores by scheme and predictor; `absent` says why a scheme, or `scheme/predictor`, is not there."""

    recipe: str
    target: str
    budget: str | None
    points: int
    candidates: int
    data_sets: list[str]
    schemes: dict[str, dict[str, Scores]] = field(default_factory=dict)
    in_sample: dict[str, float | None] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON-able dictionary of all fields; `in_sample` is R^2 by predictor."""
        return asdict(self)


def validate(
    points: Sequence[Point],
    target: str = "sr_psnr",
    *,
    budget: str | None = None,
    predictors: Mapping[str, Fits[Model]] = PREDICTORS,
) -> ValidationReport:
    """Score every predictor on points that were left out of its fit and of its choice of features.

    Parameters
    ----------
    points : sequence of Point
        Reference points of one recipe.
    target : str
        One of `vaescreen.predictor.points.TARGETS`.
    budget : str, optional
        One of `vaescreen.predictor.points.BUDGETS`: against references of that share of the training.
    predictors : mapping
        By name.

    Returns
    -------
    ValidationReport
        A scheme needs two groups to leave out, and points enough to fit without one of them.
    """
    report = ValidationReport(
        recipe=points[0].recipe,
        target=target,
        budget=budget,
        points=len(points),
        candidates=len({point.candidate for point in points}),
        data_sets=sorted({point.data for point in points}),
    )
    sample = Sample.of(points, target, budget)
    for name, predictor in predictors.items():
        try:
            fitted = predictor.fit(sample).predict(sample.columns)
        except ResultError as error:
            report.absent[f"in-sample/{name}"] = str(error)
        else:
            report.in_sample[name] = finite(explained(sample.target, fitted))
    for scheme, (what, group_of) in SCHEMES.items():
        groups = np.array([group_of(point) for point in points])
        if len(np.unique(groups)) < 2:
            report.absent[scheme] = f"needs at least two {what}; there is one"
            continue
        report.schemes[scheme] = {}
        for name, predictor in predictors.items():
            try:
                predictions = predict_held_out(predictor, sample, groups)
            except ResultError as error:
                report.absent[f"{scheme}/{name}"] = str(error)
            else:
                report.schemes[scheme][name] = score(sample.target, predictions, sample.data)
    return report


def predict_held_out(predictor: Fits[Model], sample: Sample, groups: Labels) -> Predictions:
    """Predict each point, with an interval, from the points of the other groups alone.

    Raises
    ------
    ResultError
        If the others do not determine the predictor.
    """
    value, low, high = np.empty((3, len(sample)))
    for group in np.unique(groups):
        out = groups == group
        known = sample.take(~out)
        novelty = _novelty(sample, out, known)
        fitted = jackknife(predictor, known, tuple(dict.fromkeys(novelty.values())))
        for row, what in novelty.items():
            columns = {name: column[[row]] for name, column in sample.columns.items()}
            value[row] = fitted.model.predict(columns).item()
            low[row], high[row] = (end.item() for end in fitted.interval(columns, what))
    return Predictions(value, low, high)


def values_held_out(predictor: Fits[Model], sample: Sample, groups: Labels) -> Vector:
    """Predict each point from the points of the other groups alone, without an interval, `[n]`."""
    value = np.empty(len(sample))
    for group in np.unique(groups):
        out = groups == group
        value[out] = predictor.fit(sample.take(~out)).predict(sample.take(out).columns)
    return value


def _novelty(sample: Sample, out: NDArray[np.bool_], known: Sample) -> dict[int, Novelty]:
    return {
        int(row): Novelty.of(
            geometry_known=bool((known.geometries == sample.geometries[row]).any()),
            data_known=bool((known.data == sample.data[row]).any()),
        )
        for row in np.flatnonzero(out)
    }
