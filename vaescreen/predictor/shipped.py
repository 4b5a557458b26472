"""A fitted predictor as JSON: its points, its coefficients, and all that an interval around them needs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import ResultError
from vaescreen.predictor.intervals import HeldOut, Jackknife
from vaescreen.predictor.model import PREDICTORS, Form, LinearModel, Sample
from vaescreen.predictor.points import TARGETS, Definition, Point, card_definition, card_features
from vaescreen.storage import read_json, write_json

SCHEMA = 1
OURS = "ours"

_FEWEST_POINTS = 9
_FEWEST_CANDIDATES = 3
_HIGH_LEVERAGE = 3
_MARGIN = 0.01


class Prediction(NamedTuple):
    """Predicted PSNR in dB with its 90 % interval; `reason` says why it is an extrapolation, if it is."""

    value: float
    low: float
    high: float
    extrapolation: bool
    reason: str


@dataclass(frozen=True)
class FittedPredictor:
    """A predictor of all targets of one recipe.

    `span` holds the smallest and the largest value among the points of each feature that the predictor may
    use, whether it chose to or not.
    """

    recipe: str
    points: tuple[Point, ...]
    targets: dict[str, Jackknife]
    span: dict[str, tuple[float, float]]

    @property
    def definition(self) -> Definition:
        """What score cards it takes: those measured as the ones of its points were."""
        return self.points[0].definition

    def predict(self, card: Mapping[str, Any], target: str = "sr_psnr") -> Prediction:
        """Predict what training on the candidate and data of a score card would reach.

        It is an extrapolation if a feature lies outside `span` by more than 1 % of it, or if the leverage is
        above three times its mean p / n over the points.

        Parameters
        ----------
        card : mapping
            Score card as read from its JSON file.
        target : str
            One of `vaescreen.predictor.points.TARGETS`.

        Raises
        ------
        ResultError
            If the card is of another size, degradation or protocol than the points, or incomplete.
        """
        definition = card_definition(card)
        if definition != self.definition:
            raise ResultError(
                f"recipe {self.recipe!r} is predicted from score cards of {self.definition}, not of "
                f"{definition}; score again with `--recipe {self.recipe}`"
            )
        features = card_features(card)
        columns = {name: np.array([value]) for name, value in features.items()}
        jackknife = self.targets[target]
        low, high = jackknife.interval(columns)
        reasons = self._outside(features)
        form = jackknife.model.form
        leverage = form.leverage(Sample.of(self.points, target), columns).item()
        if leverage > _HIGH_LEVERAGE * form.parameters / len(self.points):
            reasons.append(f"leverage {leverage:.2f} is high")
        value = jackknife.model.predict(columns).item()
        return Prediction(value, low.item(), high.item(), bool(reasons), "; ".join(reasons))

    def _outside(self, features: Mapping[str, float]) -> list[str]:
        reasons = []
        for name, (smallest, largest) in self.span.items():
            margin = _MARGIN * (largest - smallest)
            if not smallest - margin <= features[name] <= largest + margin:
                reasons.append(
                    f"{name} {features[name]:.2f} is outside the reference points' "
                    f"{smallest:.2f} to {largest:.2f}"
                )
        return reasons


def fit(points: Sequence[Point], recipe: str) -> FittedPredictor:
    """Fit our predictor to reference points, for every target.

    Raises
    ------
    ResultError
        If points are of another recipe, or there are fewer than 9 points or 3 candidates.
    """
    strangers = [point for point in points if point.recipe != recipe]
    if strangers:
        raise ResultError(
            f"{strangers[0].candidate} on {strangers[0].data} is of recipe {strangers[0].recipe!r}, "
            f"not {recipe!r}; fit each recipe by itself"
        )
    candidates = len({point.candidate for point in points})
    if len(points) < _FEWEST_POINTS or candidates < _FEWEST_CANDIDATES:
        raise ResultError(
            f"recipe {recipe!r} has {len(points)} reference points of {candidates} candidates but needs "
            f"{_FEWEST_POINTS} of {_FEWEST_CANDIDATES} at least; train more with `vaescreen reference train`"
        )
    predictor = PREDICTORS[OURS]
    samples = {target: Sample.of(points, target) for target in TARGETS}
    columns = samples[TARGETS[0]].columns
    return FittedPredictor(
        recipe=recipe,
        points=tuple(points),
        targets={target: Jackknife.fit(predictor, sample) for target, sample in samples.items()},
        span={name: (float(columns[name].min()), float(columns[name].max())) for name in predictor.features},
    )


def save(fitted: FittedPredictor, path: Path) -> None:
    """Write a fitted predictor as JSON."""
    targets = {}
    for target, jackknife in fitted.targets.items():
        held_out = [
            {"candidate": left.candidate, **_model_record(left.model), "errors": list(left.errors)}
            for left in jackknife.held_out
        ]
        targets[target] = {"model": _model_record(jackknife.model), "held_out": held_out}
    shared = {"recipe", "definition"}
    points = [
        {key: value for key, value in asdict(point).items() if key not in shared}
        | {"geometry": point.geometry._asdict()}
        for point in fitted.points
    ]
    write_json(
        path,
        {
            "schema": SCHEMA,
            "recipe": fitted.recipe,
            "definition": fitted.definition._asdict(),
            "span": {name: list(ends) for name, ends in fitted.span.items()},
            "targets": targets,
            "points": points,
        },
    )


def load(path: Path) -> FittedPredictor:
    """Read a fitted predictor; it predicts exactly what the one that was saved predicts.

    Raises
    ------
    ResultError
        If the file is missing, of another schema, or damaged.
    """
    record = read_json(path)
    found = record.get("schema") if isinstance(record, dict) else None
    if found != SCHEMA:
        raise ResultError(
            f"{path} has schema {found!r}, not {SCHEMA}; fit again with `vaescreen predictor fit`"
        )
    try:
        return _from_record(record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultError(
            f"{path} is damaged ({error!r}); fit again with `vaescreen predictor fit`"
        ) from error


def shipped_path(recipe: str) -> Path:
    """Where the package keeps the fitted predictor of a recipe."""
    return Path(__file__).with_name("shipped") / f"{recipe}.json"


def _from_record(record: Mapping[str, Any]) -> FittedPredictor:
    shared = {"recipe": record["recipe"], "definition": Definition(**record["definition"])}
    points = [
        Point(**(point | shared | {"geometry": Geometry(**point["geometry"])})) for point in record["points"]
    ]
    targets = {}
    for target, stored in record["targets"].items():
        held_out = [
            HeldOut(left["candidate"], _model(left), tuple(left["errors"])) for left in stored["held_out"]
        ]
        targets[target] = Jackknife(_model(stored["model"]), tuple(held_out))
    span = {name: (low, high) for name, (low, high) in record["span"].items()}
    return FittedPredictor(record["recipe"], tuple(points), targets, span)


def _model_record(model: LinearModel) -> dict[str, Any]:
    coefficients = dict(zip(model.form.features, model.coefficients, strict=True))
    return {"offset": model.form.offset, "intercept": model.intercept, "coefficients": coefficients}


def _model(record: Mapping[str, Any]) -> LinearModel:
    coefficients = record["coefficients"]
    form = Form(tuple(coefficients), record["offset"])
    return LinearModel(form, tuple(coefficients.values()), record["intercept"])
