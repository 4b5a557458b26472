"""The main job: screen candidates on a data set and rank them by the SR PSNR that a recipe would reach."""

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from vaescreen.autoencoders.weights import available, locate
from vaescreen.errors import CandidateError, ResultError
from vaescreen.images import DataOptions, Skipped
from vaescreen.predictor import files
from vaescreen.predictor.fitted import FittedPredictor, Influence
from vaescreen.predictor.forecast import predict_all
from vaescreen.predictor.points import TARGETS
from vaescreen.predictor.suggestion import Suggestion, suggest
from vaescreen.ranking.scoring import USUAL, Workplace, all_failed, score
from vaescreen.ranking.standings import standings_of, with_shared_ranks
from vaescreen.ranking.table import Record, Row, build_rows, doubt_of_the_images, rank_payload, title
from vaescreen.ranking.verdict import Verdict, verdict_of
from vaescreen.registry.candidate import Candidate
from vaescreen.registry.catalogue import Registry
from vaescreen.registry.sources import HubSource, WebSource
from vaescreen.screening.campaign import keep_quiet
from vaescreen.screening.cards import ScoreCard, read_images
from vaescreen.superres.recipes import DEFAULT

OnRow = Callable[[Row], None]
"""Called with the row of a candidate before the others are there."""


@dataclass(frozen=True)
class Missing:
    """A candidate that is not on this machine; `command` fetches it, if anything does."""

    candidate: str
    size_mb: float | None
    command: str | None


class Standing(TypedDict):
    """What a predictor rests on."""

    recipe: str
    points: int
    candidates: int
    data_sets: list[str]


class RankJson(TypedDict):
    """What `vaescreen rank --format json` prints."""

    title: str
    data: dict[str, Any]
    recipe: str
    by: str
    protocol: str
    rows: list[Row]
    missing: list["Missing"]
    skipped: list[Skipped]
    verdict: Verdict
    doubt: str | None
    failed: list["Failed"]
    warnings: list[str]
    predictor: Standing | None
    explanations: NotRequired[dict[str, list[Influence]]]


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
        Whose outcome is predicted; it decides image size, degradation and what probes are told.
    by : str
        The target that ranks.
    missing : tuple of Missing
        Candidates not on this machine.
    skipped : tuple of Skipped
        Images that cannot be used.
    failed : tuple of Failed
        Candidates that could not be scored.
    warnings : tuple of str
        What makes the numbers doubtful, such as patients that were not found.
    verdict : Verdict
        What the rows say in words: what to choose, how sure that is, and what to do next.
    doubt : str or None
        What is unlike the reference points in most candidates, and so lies in the images; None if nothing is.
    predictor : FittedPredictor or None
        None if none is shipped for the recipe: the rows are then ranked by the convolutional probe.
    """

    rows: tuple[Row, ...]
    cards: tuple[Record, ...]
    recipe: str
    by: str
    missing: tuple[Missing, ...]
    skipped: tuple[Skipped, ...]
    failed: tuple[Failed, ...]
    warnings: tuple[str, ...]
    verdict: Verdict
    doubt: str | None
    predictor: FittedPredictor | None

    @property
    def title(self) -> str:
        """One line: which images, how many, and what ranks the candidates."""
        return title(self.cards, self.rows, self.recipe, self.by)

    def explain(self, candidate: str) -> tuple[Influence, ...]:
        """Which features move a candidate's prediction away from the mean of the ranked ones, in dB.

        Raises
        ------
        CandidateError
            If it is not ranked.
        ResultError
            If there is no predictor.
        """
        cards = {card["candidate"]: card for card in self.cards}
        if self.predictor is None:
            raise ResultError(
                f"there is no predictor for recipe {self.recipe!r} to explain; fit one with "
                f"`vaescreen predictor fit --recipe {self.recipe}`"
            )
        if candidate not in cards:
            raise CandidateError(f"{candidate!r} is not ranked; explain one of {', '.join(cards)}")
        return self.predictor.explain(cards[candidate], self.cards, self.by)

    @property
    def timings(self) -> list[dict[str, Any]]:
        """Milliseconds that each candidate takes to encode and decode an image."""
        return [
            {"candidate": row.candidate, "ms_per_image": row.ms_per_image}
            for row in self.rows
            if row.ms_per_image is not None
        ]

    def as_json(self) -> dict[str, Any]:
        """Give the object that `vaescreen rank --format json` prints: all that every run gives alike."""
        payload = rank_payload(
            self.cards,
            self.rows,
            self.recipe,
            missing=[asdict(entry) for entry in self.missing],
            skipped=[asdict(entry) for entry in self.skipped],
            by=self.by,
        )
        for row in payload["rows"]:
            del row["ms_per_image"]
        return payload | {
            "verdict": {"choice": self.verdict.choice, "lines": list(self.verdict.lines)},
            "doubt": self.doubt,
            "failed": [asdict(entry) for entry in self.failed],
            "warnings": list(self.warnings),
            "predictor": _standing(self.predictor),
        }


def rank(
    data: str | Path | DataOptions,
    candidates: Sequence[str] = (),
    *,
    recipe: str = DEFAULT,
    by: str = "sr_psnr",
    controls: bool = False,
    predictor: Path | None = None,
    at: Workplace = USUAL,
    on_row: OnRow = keep_quiet,
) -> Ranking:
    """Score the candidates that are on this machine, or take their scores from `results`, and rank them.

    Parameters
    ----------
    data
        Name of a data set (see `vaescreen.images.declared`), or a folder of images; with more said of them,
        `vaescreen.images.DataOptions`, whose seed is that of the probes too.
    candidates
        Names in the registry; by default all that a user could choose.
    recipe
        Recipe whose outcome is predicted; its size, degradation and conditioning are those of the score cards.
    by
        What ranks: `sr_psnr` of one sample, `posterior_mean_psnr`, or `detail`, how near the energy of the finest
        Haar bands of a sample comes to that of the true image.
    controls
        Whether controls, such as linear codecs, are among the candidates by default.
    predictor
        File of a fitted predictor of the recipe instead of the shipped one.
    at
        Registry, folder of cards, machine, and who is told of progress.
    on_row
        Called with the row of each candidate as soon as it is scored; it has no rank yet.

    Raises
    ------
    VaescreenError
        In one line: data, a name, a folder or a registry that cannot be used, or no candidate that could be
        scored. A candidate that fails beside others that do not is in `Ranking.failed` instead.
    """
    if by not in TARGETS:
        raise ResultError(f"nothing is predicted that is called {by!r}; rank by one of {', '.join(TARGETS)}")
    known, options = Registry.load(at.registry), DataOptions.of(data)
    wanted = [known.candidate(each) for each in dict.fromkeys(candidates)] or [
        candidate for candidate in known.candidates.values() if controls or not candidate.is_control
    ]
    present = [candidate for candidate in wanted if available(candidate)]
    missing = tuple(_missing(candidate) for candidate in wanted if candidate not in present)
    if not present:
        locate(wanted[0])  # says why it is not there, and how to get it
    foreseen = _predictor(recipe, predictor)

    def tell(card: ScoreCard) -> None:
        at.on_card(card)
        if on_row is not keep_quiet:
            on_row(_row_alone(foreseen, card.to_json(), by))

    scored = score(
        [candidate.name for candidate in present], options, recipe=recipe, at=replace(at, on_card=tell)
    )
    measured: list[Record] = [card.to_json() for card in scored.cards]
    forecast = predict_all(foreseen, measured, by)
    cards = tuple(card for card in measured if card["candidate"] not in forecast.unfit)
    failures = scored.failed | forecast.unfit
    failed = tuple(Failed(name, reason) for name, reason in failures.items())
    if not cards:
        raise CandidateError(all_failed(failures))
    rows = build_rows(
        cards,
        forecast=forecast.predictions,
        by=by,
        p_best=forecast.p_best,
        indistinguishable=forecast.indistinguishable,
    )
    rows, doubt = doubt_of_the_images(rows)
    if foreseen is None:
        tables = {card.candidate: [read_images(at.folder, card)] for card in scored.cards}
        rows = with_shared_ranks(rows, standings_of(tables, "conv_probe_psnr"))
    verdict = verdict_of(
        rows,
        by,
        tolerance=forecast.indistinguishable,
        suggestion=_suggestion(foreseen, cards, by),
        options=_options(options, recipe, at),
        doubtful=doubt is not None,
        failed=list(failures),
    )
    return Ranking(
        tuple(rows),
        cards,
        recipe,
        by,
        missing,
        scored.skipped,
        failed,
        scored.warnings,
        verdict,
        doubt,
        foreseen,
    )


def _options(data: DataOptions, recipe: str, at: Workplace) -> str:
    """What a command must be told to go on with a ranking."""
    said = ["--data", "DATA" if data.private else str(data.data)]
    if recipe != DEFAULT:
        said += ["--recipe", recipe]
    if at.registry is not None:
        said += ["--registry", "FILE" if data.private else str(at.registry)]
    return shlex.join(said)


def _row_alone(predictor: FittedPredictor | None, card: Record, by: str) -> Row:
    """What a card says before the others are there: of the target that ranks alone, for it is asked of each."""
    forecast = {}
    if predictor is not None:
        with suppress(ResultError):  # told of all together, with the reason
            forecast[by] = {card["candidate"]: predictor.predict(card, by)}
    rows = build_rows([card], forecast=forecast, by=by)
    return next(replace(row, rank=None) for row in rows if not row.floor)


def _missing(candidate: Candidate) -> Missing:
    remote = isinstance(candidate.source, HubSource | WebSource)
    command = f"vaescreen registry pull {candidate.name}" if remote else None
    return Missing(candidate.name, candidate.size_mb, command)


def _predictor(recipe: str, given: Path | None) -> FittedPredictor | None:
    path = given or files.shipped_path(recipe)
    if given is None and not path.is_file():
        return None
    predictor = files.load(path)
    if predictor.recipe != recipe:
        raise ResultError(
            f"{path} predicts recipe {predictor.recipe!r}, not {recipe!r}; "
            f"give --recipe {predictor.recipe}, or another file"
        )
    return predictor


def _suggestion(predictor: FittedPredictor | None, cards: Sequence[Record], by: str) -> Suggestion | None:
    """The training that would narrow the ranking most; None if there is none left, or nothing to narrow."""
    try:
        return suggest(predictor, cards, by)[0] if predictor else None
    except ResultError:
        return None


def _standing(predictor: FittedPredictor | None) -> Standing | None:
    """What a predictor rests on."""
    if predictor is None:
        return None
    return {
        "recipe": predictor.recipe,
        "points": len(predictor.points),
        "candidates": len({point.candidate for point in predictor.points}),
        "data_sets": sorted({point.data for point in predictor.points}),
    }
