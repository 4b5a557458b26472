"""Which training next: the (candidate, data set) that would narrow the user's own ranking most.

What a user needs are the differences between their candidates. With V the covariance of the predictions of their
cards, in units of the variance s^2 of a point's error, and P what takes the mean of its data set from each card,
the mean variance of these differences is `s^2 trace(P V P') / m`. A further point at card j takes V to
`V - V_j V_j' / (1 + V_jj)` (Sherman, Morrison; V_jj with the intercept's part, which the differences lack): one
step of sequential I-optimal (or V-optimal) design (Atkinson, Donev, Tobias: Optimum Experimental Designs, with
SAS, 2007, chapters 10 and 11), on contrasts. s^2 is the mean squared leave-one-candidate-out error, so that what
the form misses counts too.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.intervals import Novelty
from vaescreen.predictor.points import TARGETS, card_definition
from vaescreen.predictor.sample import Vector
from vaescreen.storage import read_json

Card = Mapping[str, Any]


class Suggestion(NamedTuple):
    """A training, and the root mean variance in dB of the user's predicted differences without and with it."""

    candidate: str
    data: str
    before: float
    after: float

    @property
    def narrowing(self) -> float:
        """By how much it would shrink, in per cent."""
        return 100 * (1 - self.after / self.before) if self.before else 0.0


def read_cards(results: Path, data: str | None = None) -> list[dict[str, Any]]:
    """All score cards under a folder of results, or those of one data set, by data set and candidate."""
    return [read_json(path) for path in sorted((results / "scores").glob(f"{data or '*'}/*.json"))]


def suggest(predictor: FittedPredictor, cards: Sequence[Card], target: str = TARGETS[0]) -> list[Suggestion]:
    """Rank the trainings that are open to the user, the most useful first.

    Parameters
    ----------
    predictor : FittedPredictor
        Its recipe is the one to train by.
    cards : sequence of mapping
        Score cards of the user's candidates on their data sets; those of the predictor's size and degradation
        count, and of them those that are not reference points yet are open.
    target : str
        One of `vaescreen.predictor.points.TARGETS`.

    Raises
    ------
    ResultError
        If no card is open.
    """
    fitting = [card for card in cards if card_definition(card) == predictor.definition]
    known = {(point.candidate, point.data_fingerprint) for point in predictor.points}
    waiting = [
        place
        for place, card in enumerate(fitting)
        if (card["candidate"], card["data"]["fingerprint"]) not in known
    ]
    if not waiting:
        raise ResultError(
            f"no score card of {predictor.definition} waits for a training by recipe {predictor.recipe!r}; "
            f"score candidates with `vaescreen rank --data DATA --recipe {predictor.recipe}`"
        )
    fitted = predictor.targets[target]
    columns = predictor.columns(fitting, target)
    covariance = fitted.model.covariance(columns)
    contrasts = _contrasts([card["data"]["fingerprint"] for card in fitting])
    errors = [error for left in fitted.held_out[Novelty.CANDIDATE] for error in left.errors]
    noise = float(np.mean(np.square(errors)))
    before = noise * float(np.diag(contrasts @ covariance @ contrasts.T).mean())
    gains = noise * np.square(contrasts @ covariance).mean(axis=0) / (1 + fitted.model.leverage(columns))
    suggestions = []
    for place in waiting:
        candidate, data = fitting[place]["candidate"], fitting[place]["data"]["name"]
        suggestions.append(Suggestion(candidate, data, before**0.5, (before - float(gains[place])) ** 0.5))
    return sorted(suggestions, key=lambda each: (each.after, each.data, each.candidate))


def _contrasts(data: Sequence[str]) -> Vector:
    """What takes the mean of its data set from each card, `[m, m]`."""
    same = np.equal.outer(np.array(data), np.array(data))
    contrasts: Vector = np.eye(len(data)) - same / same.sum(axis=1)
    return contrasts
