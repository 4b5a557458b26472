"""What predictors are worth on candidates, geometries, domains and data sets that they have not seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.intervals import Novelty, jackknife
from vaescreen.predictor.model import Fits, Model
from vaescreen.predictor.points import Point
from vaescreen.predictor.sample import Labels, Sample, Vector, without_each
from vaescreen.predictor.scores import Predictions, Scores, explained, finite, score

Key = Callable[[Point], str]


class Scheme(NamedTuple):
    """What is left out of a fit: the points that share any of these keys with those that are predicted.

    `judged` says which points are predicted; the others are only learnt from.
    """

    what: str
    keys: tuple[Key, ...]
    judged: Callable[[Point], bool] = lambda point: True


def _geometry(point: Point) -> str:
    return str(point.geometry)


def _data(point: Point) -> str:
    return point.data


SCHEMES = {
    "leave-one-candidate-out": Scheme("candidates", (lambda point: point.candidate,)),
    "leave-one-family-out": Scheme("families", (lambda point: point.family,)),
    "leave-one-geometry-out": Scheme("geometries", (_geometry,)),
    "leave-one-domain-out": Scheme("domains", (lambda point: point.domain,)),
    "leave-one-data-set-out": Scheme("data sets", (_data,)),
    "geometry-and-data-set-out": Scheme("geometries and data sets", (_geometry, _data)),
    "published-out": Scheme(
        "origins", (lambda point: str(point.is_ours),), judged=lambda point: not point.is_ours
    ),
}
"""The domain is what the autoencoder was trained on. A published autoencoder of a new kind on a user's data is the case
of `geometry-and-data-set-out`; `published-out` fits to autoencoders of this project and predicts those of others."""


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


def validate(
    points: Sequence[Point],
    target: str = "sr_psnr",
    *,
    predictors: Mapping[str, Fits[Model]] = PREDICTORS,
) -> ValidationReport:
    """Score every predictor on points that were left out of its fit and of its choice of features.

    Parameters
    ----------
    points : sequence of Point
        Reference points of one recipe.
    target : str
        One of `vaescreen.predictor.points.TARGETS`.
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
        points=len(points),
        candidates=len({point.candidate for point in points}),
        data_sets=sorted({point.data for point in points}),
    )
    sample = Sample.of(points, target)
    for name, predictor in predictors.items():
        try:
            fitted = predictor.fit(sample).predict(sample.columns)
        except ResultError as error:
            report.absent[f"in-sample/{name}"] = str(error)
        else:
            report.in_sample[name] = finite(explained(sample.target, fitted))
    for name, scheme in SCHEMES.items():
        groups = [np.array([key(point) for point in points]) for key in scheme.keys]
        judged = np.array([scheme.judged(point) for point in points])
        if not judged.any() or any(len(np.unique(each)) < 2 for each in groups):
            report.absent[name] = f"needs at least two {scheme.what}; there is one"
            continue
        report.schemes[name] = {}
        for predictor_name, predictor in predictors.items():
            try:
                made = predict_held_out(predictor, sample, *groups, judged=judged)
            except ResultError as error:
                report.absent[f"{name}/{predictor_name}"] = str(error)
            else:
                shown = Predictions(*(each[judged] for each in made))
                report.schemes[name][predictor_name] = score(
                    sample.target[judged], shown, sample.data[judged]
                )
    return report


def predict_held_out(
    predictor: Fits[Model], sample: Sample, *groups: Labels, judged: NDArray[np.bool_] | None = None
) -> Predictions:
    """Predict each point, with an interval, from the points that are of none of its groups.

    Parameters
    ----------
    predictor, sample
        What is fitted, and to what.
    groups : ndarray
        Group of each point, `[n]`, by one or several ways to group them.
    judged : ndarray, optional
        Which points are predicted, `[n]`; NaN stands for the others.

    Raises
    ------
    ResultError
        If the others do not determine the predictor.
    """
    value, low, high = np.full((3, len(sample)), np.nan)
    wanted = np.ones(len(sample), bool) if judged is None else judged
    for group in sorted(set(zip(*(each[wanted] for each in groups), strict=True))):
        same = [each == name for each, name in zip(groups, group, strict=True)]
        out = np.logical_and.reduce([*same, wanted])
        known = sample.take(~np.logical_or.reduce(same))
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
    for known, out in without_each(groups):
        value[out] = predictor.fit(sample.take(known)).predict(sample.take(out).columns)
    return value


def _novelty(sample: Sample, out: NDArray[np.bool_], known: Sample) -> dict[int, Novelty]:
    return {
        int(row): Novelty.of(
            geometry_known=bool((known.geometries == sample.geometries[row]).any()),
            data_known=bool((known.data == sample.data[row]).any()),
        )
        for row in np.flatnonzero(out)
    }
