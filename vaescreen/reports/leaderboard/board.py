"""Everything the pages show: a board for each data set, a study for each recipe with its predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.images.degradation import Degradation
from vaescreen.predictor.best import indistinguishable, probability_of_best
from vaescreen.predictor.catalogue import OURS, PREDICTORS, PUBLISHED
from vaescreen.predictor.fitted import FittedPredictor, Prediction, fit
from vaescreen.predictor.intervals import LEVEL
from vaescreen.predictor.points import TARGETS, Definition, Point, card_definition, load_points
from vaescreen.predictor.sample import Sample
from vaescreen.predictor.track_record import read_record
from vaescreen.predictor.validation import ValidationReport, predict_held_out, validate
from vaescreen.ranking.lint import ResultFile
from vaescreen.ranking.results import ByCandidate, Results, read_results
from vaescreen.ranking.standings import standings_of, with_measured_ranks, with_shared_ranks
from vaescreen.ranking.table import Record, Row, build_rows, title
from vaescreen.screening.view import View
from vaescreen.superres.baselines.files import read_baselines

SHOWN = (PUBLISHED, "constant", "probe", OURS)
"""Predictors that the pages compare."""


@dataclass(frozen=True)
class Outcome:
    """A reference point, and its SR PSNR as predicted from the points of all other candidates."""

    point: Point
    ours: Prediction | None
    published: Prediction | None


@dataclass(frozen=True)
class Study:
    """All reference points of a recipe; `fitted` is None if there are too few, and `reason` then says so.

    `without` has what is fitted to the points of all other candidates, by candidate; `foreseen` the predictions
    made before a training, with what it reached.
    """

    recipe: str
    outcomes: tuple[Outcome, ...]
    fitted: FittedPredictor | None
    reason: str
    without: dict[str, FittedPredictor | None]
    reports: dict[str, ValidationReport] = field(default_factory=dict)
    foreseen: Sequence[Record] = ()

    @property
    def definition(self) -> Definition:
        """What the score cards of its points are of."""
        return self.outcomes[0].point.definition

    def predict(self, card: Record, target: str = TARGETS[0]) -> Prediction | None:
        """Predict a target of a score card; leave its candidate out if the card is a reference point's."""
        place = (card["candidate"], card["data"]["name"])
        known = any(place == (outcome.point.candidate, outcome.point.data) for outcome in self.outcomes)
        return _prediction(self.without[card["candidate"]] if known else self.fitted, card, target)


@dataclass(frozen=True)
class Board:
    """One data set: its score cards by candidate, the rows, and the reference points of `study`'s recipe.

    `seeds` has the record of every seed of a reference point, `references` their means.
    """

    data: str
    cards: dict[str, Record]
    rows: list[Row]
    study: Study | None
    references: dict[str, Record]
    seeds: dict[str, list[Record]]

    @property
    def title(self) -> str:
        """Say which images, and what ranks the candidates."""
        recipe = self.study.recipe if self.study else None
        return title(list(self.cards.values()), self.rows, recipe)


@dataclass(frozen=True)
class Leaderboard:
    """All boards by data set, real ones first, and all studies by recipe."""

    boards: tuple[Board, ...]
    studies: tuple[Study, ...]


def assemble(folder: Path) -> Leaderboard:
    """Read a folder of results and predict every score card that a recipe of it fits.

    Raises
    ------
    ResultError
        If a result file is missing, damaged or implausible, or does not fit the others.
    """
    results = read_results(folder)
    studies = tuple(_study(folder, recipe, results) for recipe in results.references)
    boards = [_board(folder, data, files, results, studies) for data, files in results.cards.items()]
    boards.sort(key=lambda board: next(iter(board.cards.values()))["data"]["kind"] != "real")
    return Leaderboard(tuple(boards), studies)


def _study(folder: Path, recipe: str, results: Results) -> Study:
    points = load_points(folder, recipe)
    try:
        fitted, reason = fit(points, recipe), ""
    except ResultError as error:
        fitted, reason = None, str(error)
    without = {
        candidate: _fit([point for point in points if point.candidate != candidate], recipe)
        for candidate in dict.fromkeys(point.candidate for point in points)
    }
    outcomes = tuple(
        Outcome(
            point,
            _prediction(
                without[point.candidate], results.cards[point.data][point.candidate].record, TARGETS[0]
            ),
            published,
        )
        for point, published in zip(points, _published(points), strict=True)
    )
    shown = {name: PREDICTORS[name] for name in SHOWN}
    reports = {target: validate(points, target, predictors=shown) for target in TARGETS}
    return Study(recipe, outcomes, fitted, reason, without, reports, read_record(folder, recipe))


def _fit(points: Sequence[Point], recipe: str) -> FittedPredictor | None:
    try:
        return fit(points, recipe)
    except ResultError:
        return None


def _published(points: Sequence[Point]) -> Sequence[Prediction | None]:
    sample = Sample.of(points, TARGETS[0])
    try:
        held_out = predict_held_out(PREDICTORS[PUBLISHED], sample, sample.candidates)
    except ResultError:
        return [None] * len(points)
    return [
        Prediction(float(value), float(low), float(high), False, "")
        for value, low, high in zip(*held_out, strict=True)
    ]


def _over_seeds(files: Sequence[ResultFile]) -> Record:
    """Give the record of the first seed with the mean over all of them of every number that all have."""
    summaries = [file.record["summary"] for file in files]
    shared = [name for name in summaries[0] if all(other.get(name) is not None for other in summaries)]
    means = {name: fmean(summary[name] for summary in summaries) for name in shared}
    return {**files[0].record, "summary": means}


def _prediction(fitted: FittedPredictor | None, card: Record, target: str) -> Prediction | None:
    """Predict, or give None for a card without the probes that the predictor needs."""
    try:
        return fitted.predict(card, target) if fitted else None
    except ResultError:
        return None


def _board(folder: Path, data: str, files: ByCandidate, results: Results, studies: Sequence[Study]) -> Board:
    cards: dict[str, Record] = {candidate: file.record for candidate, file in files.items()}
    definition = card_definition(next(iter(cards.values())))
    fitting = [study for study in studies if study.definition == definition]
    fitting.sort(key=lambda study: data not in results.references[study.recipe])
    study = fitting[0] if fitting else None
    points = results.references[study.recipe].get(data, {}) if study else {}
    references = {candidate: _over_seeds(list(seeds.values())) for candidate, seeds in points.items()}
    forecast = {
        target: {
            candidate: prediction
            for candidate, card in cards.items()
            if study and (prediction := study.predict(card, target)) is not None
        }
        for target in TARGETS
    }
    predictions = forecast[TARGETS[0]]
    summaries = {candidate: record["summary"] for candidate, record in references.items()}
    baselines = _baselines(folder, next(iter(cards.values())))
    rows = build_rows(
        list(cards.values()),
        summaries,
        forecast,
        baselines=baselines,
        **_comparisons(study.fitted if study else None, cards, predictions),
    )
    if not predictions:
        tables = {candidate: [file.images] for candidate, file in files.items()}
        rows = with_shared_ranks(rows, standings_of(tables, "conv_probe_psnr"))
    measured = {candidate: [file.images for file in seeds.values()] for candidate, seeds in points.items()}
    rows = with_measured_ranks(rows, standings_of(measured, "sr_psnr"))
    trained = {candidate: [file.record for file in seeds.values()] for candidate, seeds in points.items()}
    return Board(data, cards, rows, study, references, trained)


def _comparisons(
    fitted: FittedPredictor | None, cards: Mapping[str, Record], predictions: Mapping[str, Prediction]
) -> dict[str, Any]:
    """What `build_rows` takes on how candidates compare."""
    errors = fitted.errors([cards[name] for name in predictions]) if fitted and predictions else None
    if errors is None:
        return {}
    values = np.array([prediction.value for prediction in predictions.values()])
    chances = probability_of_best(values, errors).tolist()
    return {
        "p_best": dict(zip(predictions, chances, strict=True)),
        "indistinguishable": indistinguishable(errors, LEVEL),
    }


def _baselines(folder: Path, card: Record) -> dict[str, float]:
    """SR PSNR of baselines on the images of a card, at its size and degradation."""
    view, data = card["view"], card["data"]
    if view["size"] is None:
        return {}
    degradation = Degradation.from_description(view["degradation"])
    return read_baselines(folder, View(view["size"], degradation), data["name"], data["fingerprint"])
