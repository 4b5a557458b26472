"""The six published reference points, as a check from outside of what they allow to be checked.

They give AE ceiling, bicubic and SR PSNR, of another recipe at another image size: predictors on these two
features alone can be tried on them. No probe was measured, so ours cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.points import Point
from vaescreen.predictor.sample import Sample
from vaescreen.predictor.scores import Predictions, Scores, score
from vaescreen.storage import read_json

_CHECKED = ("published", "constant", "bicubic", "ae-plus-bicubic")


@dataclass(frozen=True)
class ExternalCheck:
    """Scores on the published points, and the `bias` in dB: mean of prediction less published value."""

    source: str
    scores: dict[str, Scores]
    bias: dict[str, float]


def published_points() -> tuple[str, dict[str, list[float]], list[str]]:
    """Source, values by name in dB, and data set of each published point."""
    record = read_json(Path(__file__).with_name("published.json"))
    points = record["points"]
    values = {
        name: [float(point[name]) for point in points] for name in ("ae_ceiling", "bicubic_psnr", "sr_psnr")
    }
    return record["source"], values, [point["data"] for point in points]


def external_check(points: Sequence[Point]) -> ExternalCheck:
    """Fit the predictors that need no probe to our reference points, and predict the published ones."""
    source, values, data = published_points()
    columns = {name: np.array(column) for name, column in values.items()}
    target = columns.pop("sr_psnr")
    sample = Sample.of(points, "sr_psnr")
    scores, bias = {}, {}
    for name in _CHECKED:
        try:
            value = PREDICTORS[name].fit(sample).predict(columns)
        except ResultError:
            continue
        unbounded = np.full_like(value, np.inf)
        scores[name] = score(target, Predictions(value, -unbounded, unbounded), data)
        bias[name] = float((value - target).mean())
    return ExternalCheck(source, scores, bias)
