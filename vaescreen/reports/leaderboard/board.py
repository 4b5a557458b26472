"""The board of one data set: its candidates ranked as `vaescreen rank` ranks them, beside what was measured."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean

from vaescreen.images.degradation import Degradation
from vaescreen.predictor import files
from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.forecast import predict_all
from vaescreen.predictor.points import TARGETS, Definition, card_definition
from vaescreen.ranking.lint import CONTROLS, ResultFile
from vaescreen.ranking.reproduction import read_record
from vaescreen.ranking.results import BySeed
from vaescreen.ranking.standings import standings_of, with_measured_ranks, with_shared_ranks
from vaescreen.ranking.table import Record, Row, build_rows, doubt_of_the_images, title
from vaescreen.ranking.verdict import Verdict, verdict_of
from vaescreen.reports.leaderboard.source import Source
from vaescreen.reports.leaderboard.study import Study
from vaescreen.screening.view import View
from vaescreen.superres.baselines.files import read_baselines
from vaescreen.superres.recipes import RECIPES


@dataclass(frozen=True)
class Board:
    """One data set: its score cards by candidate, and what is made of them.

    Attributes
    ----------
    rows : list of Row
        Candidates and floors, ranked.
    controls : list of Row
        Linear codecs and what is made to fail, not ranked; empty where nothing else is shown.
    doubt : str or None
        What is unlike the reference points in most candidates, and so lies in the images.
    recipe : str or None
        Whose outcome is predicted, and whose trainings are shown; None if nothing is known of any.
    is_predicted : bool
        Whether predictions rank, not the probe.
    references : dict
        By candidate, the mean over seeds of what its trainings reached.
    reproduced : dict
        By candidate, what is written down of the reproduction of its score card; the others are self-reported.
    """

    data: str
    cards: dict[str, Record]
    rows: list[Row]
    controls: list[Row]
    doubt: str | None
    verdict: Verdict
    recipe: str | None
    is_predicted: bool
    references: dict[str, Record]
    reproduced: dict[str, Record]

    @property
    def predicted_recipe(self) -> str | None:
        """Whose outcome ranks; None if the probe does."""
        return self.recipe if self.is_predicted else None

    @property
    def title(self) -> str:
        """Say which images, and what ranks the candidates."""
        return title(list(self.cards.values()), self.rows, self.predicted_recipe)

    @property
    def is_real(self) -> bool:
        """Whether its images are of patients or the world, not generated."""
        return bool(next(iter(self.cards.values()))["data"]["kind"] == "real")


def board_of(source: Source, studies: Sequence[Study], candidates: Collection[str] = ()) -> Board:
    """Rank the candidates on one data set.

    Parameters
    ----------
    source
        Its results, one score card at least.
    studies
        Reference points that may predict it; else a shipped predictor does.
    candidates
        Those that are shown; by default all.
    """
    found = {
        candidate: file
        for candidate, file in source.results.cards[source.data].items()
        if not candidates or candidate in candidates
    }
    cards: dict[str, Record] = {candidate: file.record for candidate, file in found.items()}
    chosen, controls = _apart(list(cards.values()), candidates)
    definition = card_definition(chosen[0])
    study = _fitting(studies, definition, source.data)
    predictor = study.fitted if study else shipped(definition)
    recipe = study.recipe if study else predictor.recipe if predictor else None
    points = _points(source, study, cards)
    references = {candidate: _over_seeds(list(seeds.values())) for candidate, seeds in points.items()}
    measured = {candidate: record["summary"] for candidate, record in references.items()}
    forecast = predict_all(predictor, chosen)
    rows = build_rows(
        chosen,
        measured,
        forecast.predictions,
        baselines=_baselines(source, chosen[0]),
        p_best=forecast.p_best,
        indistinguishable=forecast.indistinguishable,
    )
    names = [card["candidate"] for card in chosen]
    if not forecast.predictions[TARGETS[0]]:
        tables = {name: [found[name].images] for name in names}
        rows = with_shared_ranks(rows, standings_of(tables, "conv_probe_psnr"))
    rows, doubt = doubt_of_the_images(rows)
    tables = {name: [file.images for file in points[name].values()] for name in names if name in points}
    rows = with_measured_ranks(rows, standings_of(tables, "sr_psnr"))
    others = build_rows(controls, measured, predict_all(predictor, controls).predictions)
    return Board(
        source.data,
        cards,
        rows,
        [replace(row, rank=None, undominated=False) for row in others if not row.floor],
        doubt,
        verdict_of(
            rows,
            TARGETS[0],
            tolerance=forecast.indistinguishable,
            doubtful=doubt is not None,
        ),
        recipe,
        bool(forecast.predictions[TARGETS[0]]),
        references,
        {name: record for name, card in cards.items() if (record := read_record(source.folder, card))},
    )


def shipped(definition: Definition) -> FittedPredictor | None:
    """The predictor that comes with the package and takes such score cards."""
    paths = [path for recipe in RECIPES if (path := files.shipped_path(recipe)).is_file()]
    predictors = (_loaded(path, path.stat().st_mtime_ns) for path in paths)
    return next((each for each in predictors if each.definition == definition), None)


@cache
def _loaded(path: Path, changed: int) -> FittedPredictor:
    """A predictor, read once for all data sets; `changed` says that another lies there now."""
    return files.load(path)


def _apart(cards: Sequence[Record], named: Collection[str]) -> tuple[list[Record], list[Record]]:
    """Cards of what a user could choose, and of controls; those named, or without others, are candidates."""
    controls = [
        card for card in cards if card["family"].startswith(CONTROLS) and card["candidate"] not in named
    ]
    chosen = [card for card in cards if card not in controls]
    return (chosen, controls) if chosen else (controls, [])


def _fitting(studies: Sequence[Study], definition: Definition, data: str) -> Study | None:
    """The study of such score cards, best one that has points on the data set."""
    fitting = [study for study in studies if study.definition == definition]
    fitting.sort(key=lambda study: all(point.data != data for point in study.points))
    return fitting[0] if fitting else None


def _points(source: Source, study: Study | None, cards: Collection[str]) -> dict[str, BySeed]:
    found = source.results.references.get(study.recipe, {}).get(source.data, {}) if study else {}
    return {candidate: seeds for candidate, seeds in found.items() if candidate in cards}


def _over_seeds(files: Sequence[ResultFile]) -> Record:
    """Give the record of the first seed with the mean over all of them of every number that all have."""
    summaries = [file.record["summary"] for file in files]
    shared = [name for name in summaries[0] if all(other.get(name) is not None for other in summaries)]
    means = {name: fmean(summary[name] for summary in summaries) for name in shared}
    return {**files[0].record, "summary": means}


def _baselines(source: Source, card: Record) -> dict[str, float]:
    """SR PSNR of baselines on the images of a card, at its size and degradation."""
    view, data = card["view"], card["data"]
    if view["size"] is None:
        return {}
    degradation = Degradation.from_description(view["degradation"])
    return read_baselines(source.folder, View(view["size"], degradation), data["name"], data["fingerprint"])
