"""Everything that is asked of predictors of one target: schemes, noise, robustness."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vaescreen.predictor.floor import NoiseFloor, noise_floor
from vaescreen.predictor.points import Point
from vaescreen.predictor.robustness import Robustness, Rung, learning_curve, robustness
from vaescreen.predictor.validation import ValidationReport, validate


@dataclass(frozen=True)
class Examination:
    """The report, and what puts it into perspective."""

    report: ValidationReport
    floor: NoiseFloor | None
    learning_curve: list[Rung]
    robustness: Robustness

    def as_json(self) -> dict[str, Any]:
        """JSON-able dictionary: the report's fields, with those of this class beside them."""
        return self.report.as_json() | {
            "noise_floor": asdict(self.floor) if self.floor else None,
            "learning_curve": [asdict(rung) for rung in self.learning_curve],
            "robustness": asdict(self.robustness) | {"permutation_p": self.robustness.permutation_p},
        }


def examine(points: Sequence[Point], target: str = "sr_psnr") -> Examination:
    """Validate every predictor, and ours under every interference.

    Raises
    ------
    ResultError
        If the points do not determine our predictor.
    """
    return Examination(
        report=validate(points, target),
        floor=noise_floor(points, target),
        learning_curve=learning_curve(points, target),
        robustness=robustness(points, target),
    )
