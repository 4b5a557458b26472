"""The track record: predictions made before a training, kept beside what the training then reached."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor import fields
from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.files import load, shipped_path
from vaescreen.predictor.fitted import FittedPredictor, fit
from vaescreen.predictor.points import TARGETS, Point
from vaescreen.predictor.sample import Sample, Vector
from vaescreen.predictor.scores import tau_by_data
from vaescreen.storage import (
    beside_namesakes,
    cache_dir,
    digest,
    make_way,
    read_json,
    recall_json,
    write_json,
)
from vaescreen.superres.paths import point_path

if TYPE_CHECKING:
    from vaescreen.images.dataset import DataSet

PROTOCOL = "prediction-1"

Record = Mapping[str, Any]


@dataclass(frozen=True)
class TrackRecord:
    """How past predictions of one target fared; `mae` and `bias` (prediction less outcome) in dB.

    `hits` counts the outcomes inside their 90 % interval, of `bounded` predictions that had one. `tau` is the
    mean over data sets of Kendall's tau between predictions and outcomes, None if no set has two of them.
    `published_mae` and `published_tau` are those of the published rule, fitted to the same reference points.
    """

    target: str
    predictions: int
    bounded: int
    hits: int
    mae: float
    bias: float
    tau: float | None
    published_mae: float
    published_tau: float | None

    @property
    def hit_rate(self) -> float | None:
        """Share of the bounded predictions whose interval held the outcome."""
        return self.hits / self.bounded if self.bounded else None


def prediction_path(results: Path, recipe: str, data: str, candidate: str, seed: int) -> Path:
    """Where a prediction lies below the folder of results."""
    return results / "predictions" / recipe / data / f"{candidate}-seed{seed}.json"


def foresee(results: Path, recipe: str, data: "DataSet", candidate: str, seed: int) -> dict[str, Any] | None:
    """Forecast a training that is about to start, by the shipped predictor, if that can be done.

    What is foreseen is kept in the cache until `record_prediction` has written it beside the outcome: a run that
    is stopped in between is made up for by the next, which finds what was said before the training.

    Returns
    -------
    dict or None
        None if it is recorded already, or the run is finished and nothing was foreseen; no predictor is shipped for
        the recipe; neither `results` nor the cache has a score card of the candidate on these very images; or the
        card does not fit the predictor.
    """
    finished = point_path(results, recipe, data.name, candidate, seed)
    foreseen = prediction_path(results, recipe, data.name, candidate, seed)
    if _is_recorded(foreseen, data.fingerprint) or not shipped_path(recipe).is_file():
        return None
    kept = _kept_path(results, recipe, data.fingerprint, candidate, seed)
    known: dict[str, Any] | None = recall_json(kept, kept.stem)
    if known is not None or finished.is_file():
        return known
    for folder in (results, cache_dir() / "results"):
        path = folder / "scores" / data.name / f"{candidate}.json"
        if not path.is_file():
            continue
        try:
            card = read_json(path)
            if fields.field(card, path, "data", "fingerprint") == data.fingerprint:
                made = forecast(load(shipped_path(recipe)), card)
                write_json(kept, made, kept.stem)
                return made
        except ResultError:
            return None
    return None


def forecast(predictor: FittedPredictor, card: Record) -> dict[str, Any]:
    """Predict a candidate on a data set from points that do not include it, for `record_prediction` to keep.

    To be called before the training starts.

    Returns
    -------
    dict
        `targets` with value, interval (None if unbounded), `extrapolation`, `novelty` and what the `published` rule
        says from the same points, by target; `points`
        the number of reference points it rests on, `candidate_seen` whether any of them is of the same candidate
        on other data, and `predictor` their digest.

    Raises
    ------
    ResultError
        If the card does not fit the predictor, or too few points are left without it.
    """
    own = tuple(fields.field(card, "score card", *keys) for keys in (("candidate",), ("data", "fingerprint")))
    others = [point for point in predictor.points if (point.candidate, point.data_fingerprint) != own]
    unseen = predictor if len(others) == len(predictor.points) else fit(others, predictor.recipe)
    targets = {}
    for target in TARGETS:
        made = unseen.predict(card, target)
        bounded = np.isfinite([made.low, made.high]).all()
        targets[target] = {
            "value": made.value,
            "interval": [made.low, made.high] if bounded else None,
            "extrapolation": made.reason or None,
            "novelty": made.novelty.value,
            "published": _by_published_rule(unseen.points, card, target),
        }
    rests_on = [[point.candidate, point.data_fingerprint, point.targets] for point in others]
    return {
        "targets": targets,
        "points": len(others),
        "candidate_seen": any(point.candidate == own[0] for point in others),
        "predictor": digest(rests_on),
    }


def record_prediction(results: Path, made: Record, reference: Record) -> Path:
    """Write what was predicted beside what a finished reference run reached.

    Parameters
    ----------
    results : Path
        Folder of results; `prediction_path` says where in it.
    made : mapping
        Result of `forecast`, made before the run.
    reference : mapping
        The reference point, as in its JSON file.

    Returns
    -------
    Path
        The file. What is there of the same images stays: a prediction is made once.
    """
    recipe, data, candidate, seed = (
        fields.field(reference, "reference point", *keys)
        for keys in (("recipe", "name"), ("data", "name"), ("candidate",), ("seed",))
    )
    path = prediction_path(results, recipe, data, candidate, seed)
    if not _is_recorded(path, reference["data"]["fingerprint"]):
        make_way(path, reference["data"]["fingerprint"])
        outcome = {name: fields.number(reference, "reference point", "summary", name) for name in TARGETS}
        write_json(
            path,
            {
                "protocol": PROTOCOL,
                "candidate": candidate,
                "fingerprint": fields.field(reference, "reference point", "fingerprint"),
                "data": {key: reference["data"][key] for key in ("name", "fingerprint")},
                "recipe": recipe,
                "seed": seed,
                "prediction": dict(made),
                "outcome": outcome,
            },
        )
    _kept_path(results, recipe, reference["data"]["fingerprint"], candidate, seed).unlink(missing_ok=True)
    return path


def _is_recorded(path: Path, data: str) -> bool:
    """Whether a prediction on these images is at `path`, or made way for one on others of the same name.

    A file that cannot be read counts: it may be one, and is not written over.
    """
    for place in (path, beside_namesakes(path, data)):
        try:
            if place.is_file() and fields.field(read_json(place), place, "data", "fingerprint") == data:
                return True
        except ResultError:
            return True
    return False


def read_record(results: Path, recipe: str) -> list[dict[str, Any]]:
    """All stored predictions of a recipe with their outcomes, by data set, candidate and seed.

    Raises
    ------
    ResultError
        If a file is damaged or of another protocol.
    """
    entries = []
    for path in sorted((results / "predictions" / recipe).glob("*/*.json")):
        entry = read_json(path)
        found = fields.field(entry, path, "protocol")
        if found != PROTOCOL:
            raise ResultError(f"{path} has protocol {found!r}, not {PROTOCOL!r}; delete it")
        fields.field(entry, path, "prediction", "candidate_seen")
        for target in TARGETS:
            fields.number(entry, path, "outcome", target)
            for said in ("value", "published"):
                fields.number(entry, path, "prediction", "targets", target, said)
        entries.append(entry)
    return entries


def summarise(entries: Sequence[Record]) -> list[TrackRecord]:
    """Running figures of the track record for each target; none without entries."""
    return [_track(entries, target) for target in TARGETS] if entries else []


def track_record_json(entries: Sequence[Record]) -> list[dict[str, Any]]:
    """JSON-able form of `summarise`, `hit_rate` included."""
    return [asdict(track) | {"hit_rate": track.hit_rate} for track in summarise(entries)]


def _kept_path(results: Path, recipe: str, data_fingerprint: str, candidate: str, seed: int) -> Path:
    """Where a prediction waits in the cache for its outcome."""
    key = digest(str(results.resolve()), recipe, data_fingerprint, candidate, seed)
    return cache_dir() / "foreseen" / f"{key}.json"


def _track(entries: Sequence[Record], target: str) -> TrackRecord:
    made = [entry["prediction"]["targets"][target] for entry in entries]
    value, published = (np.array([each[said] for each in made]) for said in ("value", "published"))
    outcome = np.array([entry["outcome"][target] for entry in entries])
    inside = [
        each["interval"][0] <= reached <= each["interval"][1]
        for each, reached in zip(made, outcome, strict=True)
        if each["interval"]
    ]
    data = [entry["data"]["name"] for entry in entries]
    return TrackRecord(
        target=target,
        predictions=len(entries),
        bounded=len(inside),
        hits=sum(map(bool, inside)),
        mae=float(np.abs(value - outcome).mean()),
        bias=float((value - outcome).mean()),
        tau=_mean_tau(outcome, value, data),
        published_mae=float(np.abs(published - outcome).mean()),
        published_tau=_mean_tau(outcome, published, data),
    )


def _mean_tau(outcome: Vector, value: Vector, data: Sequence[str]) -> float | None:
    taus = tau_by_data(outcome, value, data)
    return float(np.mean(list(taus.values()))) if taus else None


def _by_published_rule(points: Sequence[Point], card: Record, target: str) -> float:
    """A straight line on the AE ceiling."""
    ceiling = np.array([fields.number(card, "score card", "summary", "psnr")])
    rule = PREDICTORS["published"].fit(Sample.of(points, target))
    return float(rule.predict({"ae_ceiling": ceiling}).item())
