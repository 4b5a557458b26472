"""A fitted predictor as JSON: its points, the weight of each, and all that an interval around them needs."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import ResultError
from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.intervals import HeldOut, Jackknife, Novelty
from vaescreen.predictor.kernel import Kernel, KernelModel
from vaescreen.predictor.points import Definition, Point
from vaescreen.predictor.sample import Sample
from vaescreen.storage import read_json, write_json

SCHEMA = 6

_SHARED = ("recipe", "definition")


def save(fitted: FittedPredictor, path: Path) -> None:
    """Write a fitted predictor as JSON."""
    points = [
        {key: value for key, value in asdict(point).items() if key not in _SHARED}
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
            "targets": {target: _jackknife_record(each) for target, each in fitted.targets.items()},
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
    span = {name: (low, high) for name, (low, high) in record["span"].items()}
    targets = {
        target: _jackknife(stored, Sample.of(points, target)) for target, stored in record["targets"].items()
    }
    return FittedPredictor(record["recipe"], tuple(points), targets, span)


def _jackknife_record(fitted: Jackknife[KernelModel]) -> dict[str, Any]:
    held_out = {
        novelty.value: [{"group": left.group, **_model_record(left.model)} for left in each]
        for novelty, each in fitted.held_out.items()
    }
    return {"model": _model_record(fitted.model), "held_out": held_out}


def _jackknife(record: Mapping[str, Any], sample: Sample) -> Jackknife[KernelModel]:
    held_out = {}
    for stored, each in record["held_out"].items():
        novelty = Novelty(stored)
        groups = novelty.groups(sample)
        held_out[novelty] = tuple(
            HeldOut(
                left["group"],
                _model(left, sample.take(groups != left["group"])),
                sample.take(groups == left["group"]),
            )
            for left in each
        )
    return Jackknife(_model(record["model"], sample), held_out)


def _model_record(model: KernelModel) -> dict[str, Any]:
    return {
        "offset": model.offset,
        "features": list(model.kernel.features),
        "along": list(model.kernel.trend),
        "smooth": model.kernel.smooth,
        "penalty": model.penalty,
        "trend": model.trend.tolist(),
        "weights": model.weights.tolist(),
    }


def _model(record: Mapping[str, Any], sample: Sample) -> KernelModel:
    kernel = Kernel(tuple(record["features"]), tuple(record["along"]), sample, record["smooth"])
    weights = np.array(record["weights"], float)
    if weights.shape != (len(sample),):
        raise ValueError(f"{len(weights)} weights of {len(sample)} points")
    return KernelModel(kernel, record["offset"], record["penalty"], np.array(record["trend"], float), weights)
