"""The reference points of a recipe: the predictor fitted to them, and what it says of each that was left out."""

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import OURS, PREDICTORS, PUBLISHED
from vaescreen.predictor.fitted import FittedPredictor, fit
from vaescreen.predictor.points import TARGETS, Definition, Point, load_points
from vaescreen.predictor.sample import Sample
from vaescreen.predictor.track_record import read_record
from vaescreen.predictor.validation import predict_held_out, validate
from vaescreen.ranking.table import Record
from vaescreen.storage import digest
from vaescreen.superres.paths import point_files

SHOWN = (PUBLISHED, "constant", "probe", OURS)
"""Predictors that the pages compare."""


@dataclass(frozen=True)
class HeldOut:
    """SR PSNR in dB predicted without the candidate, and the ends of its 90 % interval; None if it has none."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Outcome:
    """A reference point, and its SR PSNR in dB as predicted from the points of all other candidates."""

    candidate: str
    domain: str
    data: str
    sr_psnr: float
    ae_ceiling: float
    bicubic_psnr: float
    ours: HeldOut | None
    published: HeldOut | None

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Outcome":
        """Make it of what `asdict` gave."""
        held_out = {name: HeldOut(**record[name]) if record[name] else None for name in ("ours", "published")}
        return cls(**record | held_out)


@dataclass(frozen=True)
class Study:
    """All sound reference points of a recipe, and the predictions that were made before a training."""

    recipe: str
    points: tuple[Point, ...]
    foreseen: Sequence[Record]

    @property
    def key(self) -> str:
        """Hash of all that is known of it."""
        return digest(repr(self.points), list(self.foreseen))

    @property
    def definition(self) -> Definition:
        """What the score cards of its points are of."""
        return self.points[0].definition

    @property
    def fitted(self) -> FittedPredictor | None:
        """Our predictor, None if there are too few points."""
        return self._fit[0]

    @property
    def reason(self) -> str:
        """Why there is no predictor, if there is none."""
        return self._fit[1]

    @cached_property
    def _fit(self) -> tuple[FittedPredictor | None, str]:
        try:
            return fit(self.points, self.recipe), ""
        except ResultError as error:
            return None, str(error)

    def evaluate(self) -> dict[str, Any]:
        """Leave out what is new, each way: JSON-able `outcomes`, `reports` by target, `reason` and track record."""
        held_out = zip(self.points, self._held_out(OURS), self._held_out(PUBLISHED), strict=True)
        outcomes = [
            Outcome(
                point.candidate,
                point.domain,
                point.data,
                point.targets[TARGETS[0]],
                point.features["ae_ceiling"],
                point.features["bicubic_psnr"],
                ours,
                published,
            )
            for point, ours, published in held_out
        ]
        shown = {name: PREDICTORS[name] for name in SHOWN}
        return {
            "recipe": self.recipe,
            "reason": self.reason,
            "outcomes": [asdict(outcome) for outcome in outcomes],
            "reports": {
                target: validate(self.points, target, predictors=shown).as_json() for target in TARGETS
            },
        }

    def _held_out(self, predictor: str) -> list[HeldOut | None]:
        sample = Sample.of(self.points, TARGETS[0])
        try:
            held_out = predict_held_out(PREDICTORS[predictor], sample, sample.candidates)
        except ResultError:
            return [None] * len(self.points)
        return [
            HeldOut(float(value), *((float(low), float(high)) if math.isfinite(high - low) else (None, None)))
            for value, low, high in zip(*held_out, strict=True)
        ]


def read_study(folder: Path, recipe: str, sound: Collection[Path]) -> Study:
    """Read the sound reference points of a recipe, whose files are named.

    Raises
    ------
    ResultError
        If they do not go together.
    """
    others = [file.path for file in point_files(folder, recipe) if file.path not in sound]
    return Study(recipe, tuple(load_points(folder, recipe, others)), read_record(folder, recipe))
