"""The main job: screen candidates on a data set and rank them by the SR PSNR that a recipe would reach."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from vaescreen.autoencoders.weights import available, locate
from vaescreen.candidate import Candidate, HubSource, WebSource
from vaescreen.errors import CandidateError, ResultError
from vaescreen.execution import LOCAL, Device, Engine
from vaescreen.images import Skipped
from vaescreen.leaderboard.standings import standings_of, with_shared_ranks
from vaescreen.leaderboard.table import Record, Row, build_rows, rank_payload, title
from vaescreen.predictor import shipped
from vaescreen.predictor.shipped import FittedPredictor, Prediction
from vaescreen.registry import Registry
from vaescreen.scoring import all_failed, score
from vaescreen.screening.campaign import OnProgress, ignore
from vaescreen.screening.cards import card_path
from vaescreen.storage import cache_dir


@dataclass(frozen=True)
class Missing:
    """A candidate that is not on this machine; `command` fetches it, if anything does."""

    candidate: str
    size_mb: float | None
    command: str | None


@dataclass(frozen=True)
class Failed:
    """A candidate that could not be scored, and why."""

    candidate: str
    reason: str


@dataclass(frozen=True)
class Ranking:
    """Candidates on one data set, best first, with everything that was left out and why.

    Attributes
    ----------
    rows : tuple of Row
        One for each candidate, and the bicubic floor.
    cards : tuple of dict
        The score cards behind the rows.
    recipe : str
        Whose SR PSNR is predicted; it decides image size and degradation.
    missing : tuple of Missing
        Candidates not on this machine.
    skipped : tuple of Skipped
        Images that cannot be used.
    failed : tuple of Failed
        Candidates that could not be scored.
    predictor : FittedPredictor or None
        None if none is shipped for the recipe: the rows are then ranked by the convolutional probe.
    """

    rows: tuple[Row, ...]
    cards: tuple[Record, ...]
    recipe: str
    missing: tuple[Missing, ...]
    skipped: tuple[Skipped, ...]
    failed: tuple[Failed, ...]
    predictor: FittedPredictor | None

    @property
    def title(self) -> str:
        """One line: which images, how many, and what ranks the candidates."""
        return title(self.cards, self.rows, self.recipe)

    def as_json(self) -> dict[str, Any]:
        """Give the object that `vaescreen rank --format json` prints."""
        return {
            **rank_payload(
                self.cards,
                self.rows,
                self.recipe,
                missing=[asdict(entry) for entry in self.missing],
                skipped=[asdict(entry) for entry in self.skipped],
            ),
            "failed": [asdict(entry) for entry in self.failed],
            "predictor": _standing(self.predictor),
        }


def rank(
    data: str | Path,
    candidates: Sequence[str] = (),
    *,
    recipe: str = "nano",
    registry: Path | None = None,
    results: Path | None = None,
    patients: str | None = None,
    name: str | None = None,
    train_images: int | None = None,
    test_images: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    engine: Engine = LOCAL,
    device: Device = "auto",
    on_progress: OnProgress = ignore,
) -> Ranking:
    """Score the candidates that are on this machine, or take their scores from `results`, and rank them.

    Parameters
    ----------
    data
        Name of a phantom data set, or a folder of images.
    candidates
        Names in the registry; all of them by default.
    recipe
        Recipe whose SR PSNR is predicted; its size and degradation are those of the score cards.
    registry
        Registry file that is laid over the others (see `vaescreen.registry`).
    results
        Folder of score cards, by default in the cache; what is there and still valid is not measured again.
    patients, name, train_images, test_images
        As `patient_pattern`, `name`, `train_images` and `test_images` of `vaescreen.open_data`.
    seed
        Of the split, of phantoms and of the probes.
    processes
        How many candidates are scored at a time; by default the number of cores, at most 4, or on a cluster
        as many as it holds.
    engine
        Where: `vaescreen.execution.engine_named("ray")` for a Ray cluster.
    device
        "auto" takes a GPU if there is one.
    on_progress
        See `vaescreen.screening.campaign.screen`.

    Raises
    ------
    VaescreenError
        In one line: data, a name, a folder or a registry that cannot be used, or no candidate that could be
        scored. A candidate that fails beside others that do not is in `Ranking.failed` instead.
    """
    known = Registry.load(registry)
    wanted = [known.candidate(each) for each in dict.fromkeys(candidates or known.candidates)]
    present = [candidate for candidate in wanted if available(candidate)]
    missing = tuple(_missing(candidate) for candidate in wanted if candidate not in present)
    if not present:
        locate(wanted[0])  # says why it is not there, and how to get it
    folder = results or cache_dir() / "results"
    scored = score(
        [candidate.name for candidate in present],
        data,
        recipe=recipe,
        registry=registry,
        results=folder,
        patients=patients,
        name=name,
        train_images=train_images,
        test_images=test_images,
        seed=seed,
        processes=processes,
        engine=engine,
        device=device,
        on_progress=on_progress,
    )
    predictor = _shipped(recipe)
    measured: list[Record] = [card.to_json() for card in scored.cards]
    predictions, unfit = _predictions(predictor, measured)
    cards = tuple(card for card in measured if card["candidate"] not in unfit)
    failed = tuple(Failed(name, reason) for name, reason in (scored.failed | unfit).items())
    if not cards:
        raise CandidateError(all_failed(scored.failed | unfit))
    rows = build_rows(cards, predictions=predictions)
    if not predictions:
        tables = {
            card.candidate: [
                pd.read_parquet(card_path(folder, card.data["name"], card.candidate).with_suffix(".parquet"))
            ]
            for card in scored.cards
        }
        rows = with_shared_ranks(rows, standings_of(tables, "conv_probe_psnr"))
    return Ranking(tuple(rows), cards, recipe, missing, scored.skipped, failed, predictor)


def _missing(candidate: Candidate) -> Missing:
    remote = isinstance(candidate.source, HubSource | WebSource)
    command = f"vaescreen registry pull {candidate.name}" if remote else None
    return Missing(candidate.name, candidate.size_mb, command)


def _shipped(recipe: str) -> FittedPredictor | None:
    path = shipped.shipped_path(recipe)
    return shipped.load(path) if path.is_file() else None


def _predictions(
    predictor: FittedPredictor | None, cards: Sequence[Record]
) -> tuple[dict[str, Prediction], dict[str, str]]:
    """Predictions by candidate, and the reasons of those whose score card allows none."""
    predictions: dict[str, Prediction] = {}
    unfit: dict[str, str] = {}
    if predictor is None:
        return predictions, unfit
    for card in cards:
        try:
            predictions[card["candidate"]] = predictor.predict(card)
        except ResultError as error:
            unfit[card["candidate"]] = str(error)
    return predictions, unfit


def _standing(predictor: FittedPredictor | None) -> dict[str, Any] | None:
    """What a predictor rests on."""
    if predictor is None:
        return None
    return {
        "recipe": predictor.recipe,
        "points": len(predictor.points),
        "candidates": len({point.candidate for point in predictor.points}),
        "data_sets": sorted({point.data for point in predictor.points}),
    }
