"""All that is predicted of the candidates on one data set, and how they compare by it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from vaescreen.errors import ResultError
from vaescreen.predictor.fitted import Card, FittedPredictor, Prediction
from vaescreen.predictor.points import TARGETS


@dataclass(frozen=True)
class Forecast:
    """Predictions by target and candidate; as it is made without arguments, nothing is predicted of anyone.

    Attributes
    ----------
    predictions : dict
        By target, then by candidate.
    unfit : dict
        By candidate, why its score card allows no prediction.
    p_best : dict
        By candidate, the probability that it reaches the most of the target that ranks; empty if that is not known.
    indistinguishable : float or None
        Difference in dB up to which two predictions cannot be told apart; None if that is not known.
    """

    predictions: dict[str, dict[str, Prediction]] = field(
        default_factory=lambda: {target: {} for target in TARGETS}
    )
    unfit: dict[str, str] = field(default_factory=dict)
    p_best: dict[str, float] = field(default_factory=dict)
    indistinguishable: float | None = None


def predict_all(predictor: FittedPredictor | None, cards: Sequence[Card], by: str = TARGETS[0]) -> Forecast:
    """Predict every target of every score card that the predictor fits.

    Parameters
    ----------
    predictor : FittedPredictor or None
        None predicts nothing.
    cards : sequence of mapping
        Score cards of one data set.
    by : str
        The target that ranks, one of `vaescreen.predictor.points.TARGETS`.
    """
    if predictor is None:
        return Forecast()
    fit, unfit = [], {}
    for card in cards:
        try:
            for target in TARGETS:
                predictor.columns([card], target)
        except ResultError as error:
            unfit[card["candidate"]] = str(error)
        else:
            fit.append(card)
    if not fit:
        return Forecast(unfit=unfit)
    names = [card["candidate"] for card in fit]
    predictions = {
        target: dict(zip(names, predictor.predict_each(fit, target), strict=True)) for target in TARGETS
    }
    chances = predictor.probability_of_best(fit, by)
    p_best = {} if chances is None else dict(zip(predictions[by], chances.tolist(), strict=True))
    return Forecast(predictions, unfit, p_best, predictor.indistinguishable(fit, by))
