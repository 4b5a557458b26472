"""Everything the pages show: a board for each data set, a study for each recipe with its predictions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from vaescreen.errors import ResultError
from vaescreen.images.degradation import Degradation
from vaescreen.predictor import files
from vaescreen.predictor.catalogue import OURS, PREDICTORS, PUBLISHED
from vaescreen.predictor.fitted import FittedPredictor, Prediction, fit
from vaescreen.predictor.forecast import predict_all
from vaescreen.predictor.points import TARGETS, Definition, Point, card_definition, load_points
from vaescreen.predictor.sample import Sample
from vaescreen.predictor.track_record import read_record
from vaescreen.predictor.validation import ValidationReport, predict_held_out, validate
from vaescreen.ranking.lint import ResultFile
from vaescreen.ranking.results import ByCandidate, Results, read_results
from vaescreen.ranking.standings import standings_of, with_measured_ranks, with_shared_ranks
from vaescreen.ranking.table import Record, Row, build_rows, title
from vaescreen.ranking.verdict import Verdict, verdict_of
from vaescreen.screening.view import View
from vaescreen.superres.baselines.files import read_baselines
from vaescreen.superres.paths import point_files
from vaescreen.superres.recipes import RECIPES

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

    `foreseen` has the predictions made before a training, with what it reached.
    """

    recipe: str
    outcomes: tuple[Outcome, ...]
    fitted: FittedPredictor | None
    reason: str
    reports: dict[str, ValidationReport] = field(default_factory=dict)
    foreseen: Sequence[Record] = ()

    @property
    def definition(self) -> Definition:
        """What the score cards of its points are of."""
        return self.outcomes[0].point.definition


@dataclass(frozen=True)
class Board:
    """One data set: its score cards by candidate, the rows, and the reference points of `study`'s recipe.

    `recipe` is what `predictor`, if there is one, predicts. `seeds` has the record of every seed of a reference point,
    `references` their means.
    """

    data: str
    cards: dict[str, Record]
    rows: list[Row]
    verdict: Verdict
    study: Study | None
    predictor: FittedPredictor | None
    references: dict[str, Record]
    seeds: dict[str, list[Record]]

    @property
    def recipe(self) -> str | None:
        """Whose outcome is predicted; None if nothing is."""
        return self.predictor.recipe if self.predictor else None

    @property
    def title(self) -> str:
        """Say which images, and what ranks the candidates."""
        return title(list(self.cards.values()), self.rows, self.recipe)

    @property
    def is_real(self) -> bool:
        """Whether its images are of patients or the world, not generated."""
        return bool(next(iter(self.cards.values()))["data"]["kind"] == "real")


@dataclass(frozen=True)
class Leaderboard:
    """All boards by data set, real ones first, and all studies by recipe; `doubts` says which results are left out."""

    boards: tuple[Board, ...]
    studies: tuple[Study, ...]
    doubts: tuple[str, ...] = ()


def assemble(folder: Path, data: Collection[str] = (), candidates: Collection[str] = ()) -> Leaderboard:
    """Read a folder of results and predict every score card that a recipe of it, or a shipped predictor, fits.

    Parameters
    ----------
    folder
        Of the results.
    data
        Data sets that get a board; by default all that are not private.
    candidates
        Candidates that are shown; by default all.

    Raises
    ------
    ResultError
        If there are no score cards, or none of those asked for.
    """
    doubts: list[str] = []
    results = read_results(folder, doubts)
    studies = tuple(
        study
        for recipe in results.references
        if (study := _study(folder, recipe, results, doubts)) is not None
    )
    shown = {
        name: chosen
        for name, files in results.cards.items()
        if (name in data if data else not _is_private(files))
        and (chosen := {each: file for each, file in files.items() if not candidates or each in candidates})
    }
    absent = [name for name in data if name not in shown]
    if absent or not shown:
        raise ResultError(
            f"{folder} has no score cards of {', '.join(absent) or 'what is asked for'}; it has some on "
            f"{', '.join(results.cards)}"
        )
    boards = [_board(folder, name, files, results, studies) for name, files in shown.items()]
    boards.sort(key=lambda board: not board.is_real)
    return Leaderboard(tuple(boards), studies, tuple(doubts))


def _is_private(files: ByCandidate) -> bool:
    return any(file.record["data"]["description"].get("private") for file in files.values())


def _study(folder: Path, recipe: str, results: Results, doubts: list[str]) -> Study | None:
    sound = {
        folder / file.path
        for data, candidates in results.references[recipe].items()
        for candidate, seeds in candidates.items()
        if candidate in results.cards.get(data, {})
        for file in seeds.values()
    }
    try:
        doubtful = [file.path for file in point_files(folder, recipe) if file.path not in sound]
        points = load_points(folder, recipe, doubtful)
    except ResultError as error:
        doubts.append(str(error))
        return None
    try:
        fitted, reason = fit(points, recipe), ""
    except ResultError as error:
        fitted, reason = None, str(error)
    outcomes = tuple(
        Outcome(point, ours, published)
        for point, ours, published in zip(
            points, _held_out(points, OURS), _held_out(points, PUBLISHED), strict=True
        )
    )
    shown = {name: PREDICTORS[name] for name in SHOWN}
    reports = {target: validate(points, target, predictors=shown) for target in TARGETS}
    return Study(recipe, outcomes, fitted, reason, reports, read_record(folder, recipe))


def _held_out(points: Sequence[Point], predictor: str) -> Sequence[Prediction | None]:
    """SR PSNR of points, each predicted from those of other candidates."""
    sample = Sample.of(points, TARGETS[0])
    try:
        held_out = predict_held_out(PREDICTORS[predictor], sample, sample.candidates)
    except ResultError:
        return [None] * len(points)
    return [
        Prediction(float(value), float(low), float(high), False, "")
        for value, low, high in zip(*held_out, strict=True)
    ]


def _shipped(definition: Definition) -> FittedPredictor | None:
    """The predictor that comes with the package and takes such score cards."""
    for recipe in RECIPES:
        path = files.shipped_path(recipe)
        if path.is_file() and (predictor := files.load(path)).definition == definition:
            return predictor
    return None


def _over_seeds(files: Sequence[ResultFile]) -> Record:
    """Give the record of the first seed with the mean over all of them of every number that all have."""
    summaries = [file.record["summary"] for file in files]
    shared = [name for name in summaries[0] if all(other.get(name) is not None for other in summaries)]
    means = {name: fmean(summary[name] for summary in summaries) for name in shared}
    return {**files[0].record, "summary": means}


def _board(folder: Path, data: str, found: ByCandidate, results: Results, studies: Sequence[Study]) -> Board:
    cards: dict[str, Record] = {candidate: file.record for candidate, file in found.items()}
    definition = card_definition(next(iter(cards.values())))
    fitting = [study for study in studies if study.definition == definition]
    fitting.sort(key=lambda study: data not in results.references[study.recipe])
    study = fitting[0] if fitting else None
    predictor = study.fitted if study else _shipped(definition)
    points = results.references[study.recipe].get(data, {}) if study else {}
    points = {candidate: seeds for candidate, seeds in points.items() if candidate in cards}
    references = {candidate: _over_seeds(list(seeds.values())) for candidate, seeds in points.items()}
    forecast = predict_all(predictor, list(cards.values()))
    predictor = predictor if forecast.predictions[TARGETS[0]] else None
    rows = build_rows(
        list(cards.values()),
        {candidate: record["summary"] for candidate, record in references.items()},
        forecast.predictions,
        baselines=_baselines(folder, next(iter(cards.values()))),
        p_best=forecast.p_best,
        indistinguishable=forecast.indistinguishable,
    )
    if predictor is None:
        tables = {candidate: [file.images] for candidate, file in found.items()}
        rows = with_shared_ranks(rows, standings_of(tables, "conv_probe_psnr"))
    measured = {candidate: [file.images for file in seeds.values()] for candidate, seeds in points.items()}
    rows = with_measured_ranks(rows, standings_of(measured, "sr_psnr"))
    verdict = verdict_of(rows, TARGETS[0], tolerance=forecast.indistinguishable, data=data)
    trained = {candidate: [file.record for file in seeds.values()] for candidate, seeds in points.items()}
    return Board(data, cards, rows, verdict, study, predictor, references, trained)


def _baselines(folder: Path, card: Record) -> dict[str, float]:
    """SR PSNR of baselines on the images of a card, at its size and degradation."""
    view, data = card["view"], card["data"]
    if view["size"] is None:
        return {}
    degradation = Degradation.from_description(view["degradation"])
    return read_baselines(folder, View(view["size"], degradation), data["name"], data["fingerprint"])
