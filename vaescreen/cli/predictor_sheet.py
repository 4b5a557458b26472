"""What `vaescreen predictor show` prints: a fitted predictor, or the track record of past predictions."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from vaescreen.cli.printing import Sheet

if TYPE_CHECKING:
    from vaescreen.predictor.description import AverageSlope
    from vaescreen.predictor.fitted import FittedPredictor


class ShowJson(TypedDict):
    """A fitted predictor."""

    recipe: str
    definition: dict[str, Any]
    models: dict[str, str]
    average_slopes: dict[str, list[dict[str, Any]]]
    penalties: dict[str, float]
    residuals: dict[str, list[dict[str, Any]]]
    points: list[dict[str, Any]]


class RecordJson(TypedDict):
    """The track record."""

    recipe: str
    summary: list[dict[str, Any]]
    entries: list[dict[str, Any]]


def predictor_sheet(fitted: "FittedPredictor") -> Sheet:
    """Errors by candidate when left out; average slopes below."""
    from vaescreen.predictor import description
    from vaescreen.predictor.points import TARGETS
    from vaescreen.ranking.table import TARGET_NAMES

    residuals = {target: description.residuals(fitted, target) for target in TARGETS}
    slopes = {target: description.average_slopes(fitted, target) for target in TARGETS}
    equations = {target: description.equation(fitted, target) for target in TARGETS}
    records = [
        {"target": target, "candidate": each.candidate, "mean": each.mean, "worst": each.worst}
        for target, rows in residuals.items()
        for each in rows
    ]
    data_sets = sorted({point.data for point in fitted.points})
    cells = [
        [
            target,
            each.candidate,
            *(_text(value, signed=True) for value in (each.mean, each.worst)),
            *(_text(each.by_data.get(data), signed=True) for data in data_sets),
        ]
        for target, rows in residuals.items()
        for each in rows
    ]
    payload: ShowJson = {
        "recipe": fitted.recipe,
        "definition": fitted.definition._asdict(),
        "models": equations,
        "average_slopes": {target: [asdict(each) for each in rows] for target, rows in slopes.items()},
        "penalties": {target: fitted.targets[target].model.penalty for target in TARGETS},
        "residuals": {target: [asdict(each) for each in rows] for target, rows in residuals.items()},
        "points": [_point(fitted, place) for place in range(len(fitted.points))],
    }
    notes = [
        "Errors in dB, measured less predicted, with the candidate left out of fit and penalty.",
        *(f"{TARGET_NAMES[target]} = {line}" for target, line in equations.items()),
        "Average slopes of f in dB per unit with 90 % intervals over candidates, the largest effects first:",
        *(f"{TARGET_NAMES[target]}: {_slope(each)}" for target, rows in slopes.items() for each in rows),
    ]
    title = (
        f"Predictor of recipe {fitted.recipe}: {len(fitted.points)} reference points at {fitted.definition}"
    )
    headers = ["target", "candidate", "mean error", "worst", *data_sets]
    return Sheet(headers, cells, records, payload, title, notes, text_columns=2)


def record_sheet(results: Path, recipe: str) -> Sheet:
    """Predictions made before a training beside what it reached; the running figures below."""
    from vaescreen.predictor.points import TARGETS
    from vaescreen.predictor.track_record import read_record, summarise, track_record_json

    entries = read_record(results, recipe)
    records = []
    for entry in entries:
        for target in TARGETS:
            made, reached = entry["prediction"]["targets"][target], entry["outcome"][target]
            low, high = made["interval"] or (None, None)
            records.append(
                {
                    "data": entry["data"]["name"],
                    "candidate": entry["candidate"],
                    "seed": entry["seed"],
                    "target": target,
                    "predicted": made["value"],
                    "low": low,
                    "high": high,
                    "reached": reached,
                    "inside": None if low is None or high is None else low <= reached <= high,
                }
            )
    cells = [
        [
            *(str(row[key]) for key in ("data", "candidate", "target", "seed")),
            *(_text(row[key]) for key in ("predicted", "low", "high", "reached")),
            {True: "yes", False: "no", None: "no interval"}[row["inside"]],
        ]
        for row in records
    ]
    notes = [
        f"{track.target}: {track.hits} of {track.bounded} outcomes inside their 90 % interval "
        f"({_text(track.hit_rate)}), MAE {_text(track.mae)} dB, bias {_text(track.bias, signed=True)} dB, "
        f"tau {_text(track.tau)}; the published rule from the same points: MAE {_text(track.published_mae)} dB, "
        f"tau {_text(track.published_tau)}."
        for track in summarise(entries)
    ]
    payload: RecordJson = {"recipe": recipe, "summary": track_record_json(entries), "entries": entries}
    title = f"Track record of recipe {recipe}: {len(entries)} predictions made before a training"
    headers = ["data", "candidate", "target", "seed", "predicted", "low", "high", "reached", "inside"]
    return Sheet(headers, cells, records, payload, title, notes, text_columns=3)


def _point(fitted: "FittedPredictor", place: int) -> dict[str, Any]:
    point = fitted.points[place]
    return {
        "candidate": point.candidate,
        "data": point.data,
        "domain": point.domain,
        "geometry": str(point.geometry),
        "seeds": point.seeds,
        "seed_sd": point.seed_sd,
        **point.targets,
        **point.features,
    }


def _slope(each: "AverageSlope") -> str:
    from vaescreen.predictor.words import in_words

    return f"{in_words(each.name)} {_text(each.value, 3)} ({_text(each.low, 3)} to {_text(each.high, 3)})"


def _text(value: float | None, digits: int = 2, signed: bool = False) -> str:
    from vaescreen.ranking.columns import number

    return number(value, digits, signed)
