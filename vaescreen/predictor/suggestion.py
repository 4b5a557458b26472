"""Which training next: the (candidate, data set) that would narrow the user's own ranking most.

With the rows of X the features of the reference points, standardised over them, and the information matrix
`M = X'X + penalty I` (a ridge penalty is a normal prior on the slopes; the intercept has none), the variance of a
prediction at x is `s^2 x' M^-1 x`. What a user needs are the differences between their
candidates: with the rows of X_u their cards less the mean card of each data set, the mean variance is
`s^2 trace(C M^-1)`, `C = X_u' X_u / m`. A further point at x takes M to M + x x', which by Sherman and
Morrison lowers the mean variance by `s^2 x' M^-1 C M^-1 x / (1 + x' M^-1 x)`: one step of sequential
I-optimal (or V-optimal) design (Atkinson, Donev, Tobias: Optimum Experimental Designs, with SAS, 2007,
chapters 10 and 11), on contrasts. s^2 is the mean squared leave-one-candidate-out error, so that what the form
misses counts too.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaescreen.errors import ResultError
from vaescreen.predictor.features import card_features
from vaescreen.predictor.fitted import FittedPredictor
from vaescreen.predictor.intervals import Novelty
from vaescreen.predictor.linear import Scale
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
    names = fitted.model.form.features
    trained, design = _designs([point.features for point in predictor.points], names)
    rows = design([card_features(card) for card in fitting])
    contrasts = _contrasts(rows, [card["data"]["fingerprint"] for card in fitting])
    prior = np.diag([0.0, *[fitted.model.penalty] * len(names)])
    inverse = np.linalg.inv(prior + trained.T @ trained)
    spread = inverse @ (contrasts.T @ contrasts / len(contrasts)) @ inverse
    errors = [error for left in fitted.held_out[Novelty.CANDIDATE] for error in left.errors]
    noise = float(np.mean(np.square(errors)))
    before = noise * float(np.trace(contrasts @ inverse @ contrasts.T)) / len(contrasts)
    suggestions = []
    for place in waiting:
        row, card = rows[place], fitting[place]
        gain = noise * float(row @ spread @ row) / (1 + float(row @ inverse @ row))
        suggestions.append(
            Suggestion(card["candidate"], card["data"]["name"], before**0.5, (before - gain) ** 0.5)
        )
    return sorted(suggestions, key=lambda each: (each.after, each.data, each.candidate))


def _designs(
    points: Sequence[Mapping[str, float]], names: Sequence[str]
) -> tuple[Vector, Callable[[Sequence[Mapping[str, float]]], Vector]]:
    """Design of the points, intercept first, and what makes that of others by the same standard."""
    values = np.array([[point[name] for name in names] for point in points])
    scale = Scale.of(values)

    def design(features: Sequence[Mapping[str, float]]) -> Vector:
        rows = np.array([[each[name] for name in names] for each in features])
        return np.column_stack([np.ones(len(rows)), scale.apply(rows)])

    return design(points), design


def _contrasts(rows: Vector, data: Sequence[str]) -> Vector:
    names, contrasts = np.array(data), rows.copy()
    for name in np.unique(names):
        contrasts[names == name] -= rows[names == name].mean(axis=0)
    return contrasts
