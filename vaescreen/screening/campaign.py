"""Many candidates on one data set: cards that are current are taken, the others are measured in parallel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaescreen import execution
from vaescreen.autoencoders import fingerprint_of
from vaescreen.errors import VaescreenError
from vaescreen.execution import LOCAL, Engine
from vaescreen.images import DataSet
from vaescreen.registry.candidate import Candidate
from vaescreen.screening.cards import ScoreCard
from vaescreen.screening.guarded import TIME_LIMIT
from vaescreen.screening.scorer import check_size, find_card, score
from vaescreen.screening.view import View
from vaescreen.storage import ensure_writable

OnProgress = Callable[[str, int, int], None]
"""Called with the candidate that is done, the number done so far, and the number in all."""
OnCard = Callable[[ScoreCard], None]
"""Called with a card as soon as it is there."""


@dataclass(frozen=True)
class Screening:
    """Score cards in the order of the candidates, and the reasons of those that have none."""

    cards: tuple[ScoreCard, ...]
    failed: dict[str, str]


@dataclass(frozen=True)
class _Setting:
    data: DataSet
    view: View
    results: Path
    seed: int
    device: str
    time_limit: float


def ignore(candidate: str, done: int, total: int) -> None:
    """Report no progress."""


def keep_quiet(result: object) -> None:
    """Report no result."""


def screen(
    candidates: Sequence[Candidate],
    data: DataSet,
    view: View,
    *,
    results: Path,
    processes: int | None = 1,
    engine: Engine = LOCAL,
    seed: int = 0,
    device: str = "cpu",
    time_limit: float | None = None,
    on_progress: OnProgress = ignore,
    on_card: OnCard = keep_quiet,
) -> Screening:
    """Score every candidate; one that fails is named with its reason and the others go on.

    Parameters
    ----------
    candidates
        Registry entries, with distinct names.
    data
        Images of the size of the view.
    view
        Size and degradation.
    results
        Folder of results: current cards are taken from there, new ones written there as they are made.
    processes
        How many candidates are measured at a time; None for what the engine holds.
    engine
        Where candidates are measured.
    seed
        Of the probes.
    device
        Where networks run.
    time_limit
        Seconds that each call of a candidate may take; `vaescreen.screening.guarded.TIME_LIMIT` by default.
    on_progress
        Called after each candidate.
    on_card
        Called with each card, before `on_progress`.

    Raises
    ------
    DataError
        If the images are not of the view's size.
    VaescreenError
        If the cluster fails; cards made until then are kept.
    """
    check_size(data, view)
    cards: dict[str, ScoreCard] = {}
    failed: dict[str, str] = {}
    pending: dict[str, Candidate] = {}

    def report(name: str) -> None:
        if name in cards:
            on_card(cards[name])
        on_progress(name, len(cards) + len(failed), len(candidates))

    for candidate in candidates:
        name = candidate.name
        if candidate.runs_code:  # nothing of it may run in this process
            pending[name] = candidate
            continue
        try:
            fingerprint = fingerprint_of(candidate, data)
            card = find_card(candidate, fingerprint, data, view, results=results, seed=seed)
        except VaescreenError as error:
            failed[name] = str(error)
            report(name)
            continue
        if card is None:
            pending[name] = candidate
        else:
            cards[name] = card
            report(name)
    if any(not candidate.runs_code for candidate in pending.values()):
        ensure_writable(results)
    setting = _Setting(data, view, results, seed, device, time_limit or TIME_LIMIT)
    for outcome in execution.run(
        _score,
        setting,
        pending,
        processes=processes,
        apart=[name for name, candidate in pending.items() if candidate.runs_code],
        engine=engine,
        device=device,
    ):
        if outcome.result is None:
            failed[outcome.name] = str(outcome.error)
        else:
            cards[outcome.name] = outcome.result
        report(outcome.name)
    order = [candidate.name for candidate in candidates]
    return Screening(
        tuple(cards[name] for name in order if name in cards),
        {name: failed[name] for name in order if name in failed},
    )


def _score(setting: _Setting, candidate: Candidate) -> ScoreCard:
    return score(
        candidate,
        setting.data,
        setting.view,
        results=setting.results,
        seed=setting.seed,
        device=setting.device,
        time_limit=setting.time_limit,
    )
