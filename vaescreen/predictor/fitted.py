"""A fitted predictor: predictions of score cards with intervals, and what the reference points say for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vaescreen.autoencoders.contract import Geometry
from vaescreen.errors import ResultError
from vaescreen.predictor import fields
from vaescreen.predictor.attribution import attribute
from vaescreen.predictor.best import indistinguishable, probability_of_best
from vaescreen.predictor.catalogue import CORE, PREDICTOR
from vaescreen.predictor.features import card_features
from vaescreen.predictor.intervals import LEVEL, Jackknife, Novelty, jackknife
from vaescreen.predictor.kernel import KernelModel
from vaescreen.predictor.points import TARGETS, Definition, Point, card_definition
from vaescreen.predictor.sample import Sample, Vector
from vaescreen.predictor.words import in_words

_FEWEST_POINTS = 9
_FEWEST_CANDIDATES = 3
_HIGH_LEVERAGE = 3
_MARGIN = 0.01

Card = Mapping[str, Any]


class Prediction(NamedTuple):
    """Predicted PSNR in dB with its 90 % interval.

    The interval is that of `novelty`, what is new to the reference points; its ends are infinite if there are
    too few of them. `reason` says why the prediction is an extrapolation, if it is.
    """

    value: float
    low: float
    high: float
    extrapolation: bool
    reason: str
    novelty: Novelty = Novelty.CANDIDATE


class Influence(NamedTuple):
    """What a feature adds to a prediction, in dB, against candidates whose feature has the value `mean`."""

    feature: str
    value: float
    mean: float
    effect: float


@dataclass(frozen=True)
class FittedPredictor:
    """A predictor of all targets of one recipe.

    `span` holds the smallest and the largest value among the points of AE ceiling, bicubic PSNR and
    convolutional probe, by each of which a card may be told to be unlike them.
    """

    recipe: str
    points: tuple[Point, ...]
    targets: dict[str, Jackknife[KernelModel]]
    span: dict[str, tuple[float, float]]

    @property
    def definition(self) -> Definition:
        """What score cards it takes: those measured as the ones of its points were."""
        return self.points[0].definition

    def predict(self, card: Card, target: str = TARGETS[0]) -> Prediction:
        """Predict what training on the candidate and data of a score card would reach.

        It is an extrapolation if a feature lies outside `span` by more than 1 % of it, or if the leverage is
        above three times that of the points, each left out.

        Parameters
        ----------
        card : mapping
            Score card as read from its JSON file.
        target : str
            One of `vaescreen.predictor.points.TARGETS`.

        Raises
        ------
        ResultError
            If the card is of another size, degradation or protocol than the points, or lacks a feature.
        """
        return self.predict_each([card], target)[0]

    def predict_each(self, cards: Sequence[Card], target: str = TARGETS[0]) -> list[Prediction]:
        """Predict many score cards at once, as `predict` does each.

        Raises
        ------
        ResultError
            As for `predict`.
        """
        fitted, columns = self.targets[target], self.columns(cards, target)
        value, leverage = fitted.model.predict(columns), fitted.model.leverage(columns)
        novelties = [self.novelty(card) for card in cards]
        low, high = np.empty((2, len(cards)))
        for novelty in set(novelties):
            alike = [place for place, each in enumerate(novelties) if each is novelty]
            low[alike], high[alike] = fitted.interval(
                {name: column[alike] for name, column in columns.items()}, novelty
            )
        made = []
        for place, card in enumerate(cards):
            reasons = self._outside(card_features(card))
            if leverage[place] > _HIGH_LEVERAGE * fitted.model.usual_leverage:
                reasons.append(f"leverage {leverage[place]:.2f} is high")
            ends = float(low[place]), float(high[place])
            said = "; ".join(reasons)
            made.append(Prediction(float(value[place]), *ends, bool(reasons), said, novelties[place]))
        return made

    def novelty(self, card: Card) -> Novelty:
        """Say what of a card's candidate and data the reference points have not.

        A data set is known if its pixels are: another one of the same name is new.
        """
        geometry = Geometry(**fields.field(card, "score card", "geometry"))
        data = fields.field(card, "score card", "data", "fingerprint")
        return Novelty.of(
            geometry_known=any(point.geometry == geometry for point in self.points),
            data_known=any(point.data_fingerprint == data for point in self.points),
        )

    def columns(self, cards: Sequence[Card], target: str = TARGETS[0]) -> dict[str, Vector]:
        """Features of score cards that a target is predicted by, each `[m]`.

        Raises
        ------
        ResultError
            As for `predict`.
        """
        features = [self._features(card, target) for card in cards]
        names = self.targets[target].model.used
        return {name: np.array([each[name] for each in features]) for name in names}

    def probability_of_best(self, cards: Sequence[Card], target: str = TARGETS[0]) -> Vector | None:
        """Probability that each candidate of one data set reaches the most of them, `[m]`.

        See `vaescreen.predictor.best`. None if `errors` are not known.
        """
        errors = self.errors(cards, target)
        return None if errors is None else probability_of_best(self._values(cards, target), errors)

    def indistinguishable(self, cards: Sequence[Card], target: str = TARGETS[0]) -> float | None:
        """Difference in dB up to which two candidates of one data set cannot be told apart by their predictions.

        At level `LEVEL`; see `vaescreen.predictor.best`. None if `errors` are not known.
        """
        errors = self.errors(cards, target)
        return None if errors is None else indistinguishable(errors, LEVEL)

    def errors(self, cards: Sequence[Card], target: str = TARGETS[0]) -> Vector | None:
        """Errors of predictions like those of these cards of one data set, less what is common to a data set, in dB.

        Those of the novelty that the most cards have; None if too few reference points were left out to know them.
        """
        novelties = [self.novelty(card) for card in cards]
        errors = self.targets[target].errors_within_data(max(novelties, key=novelties.count))
        return errors if len(errors) >= _FEWEST_POINTS else None

    def explain(self, card: Card, among: Sequence[Card], target: str = TARGETS[0]) -> tuple[Influence, ...]:
        """Why the prediction of `card` differs from the mean of those of `among`, the largest effect first.

        The effects add up to that difference; see `vaescreen.predictor.attribution`.
        """
        here, others = self.columns([card], target), self.columns(among, target)
        influences = [
            Influence(name, here[name].item(), float(others[name].mean()), effect)
            for name, effect in attribute(self.targets[target].model, here, others).items()
        ]
        return tuple(sorted(influences, key=lambda influence: -abs(influence.effect)))

    def _values(self, cards: Sequence[Card], target: str) -> Vector:
        return self.targets[target].model.predict(self.columns(cards, target))

    def _features(self, card: Card, target: str) -> dict[str, float]:
        definition = card_definition(card)
        if definition._replace(protocol=self.definition.protocol) == self.definition != definition:
            raise ResultError(
                f"the predictor of recipe {self.recipe!r} was fitted to score cards of "
                f"{self.definition.protocol}, not {definition.protocol}; fit it again to new ones with "
                "`vaescreen predictor fit`"
            )
        if definition != self.definition:
            raise ResultError(
                f"recipe {self.recipe!r} is predicted from score cards of {self.definition}, not of "
                f"{definition}; score again with `--recipe {self.recipe}`"
            )
        features = card_features(card)
        for name in self.targets[target].model.used:
            if name not in features:
                raise ResultError(
                    f"the score card of {card['candidate']} on {card['data']['name']} has no {name}, by which "
                    f"recipe {self.recipe!r} is predicted; score again with `--recipe {self.recipe}`"
                )
        return features

    def _outside(self, features: Mapping[str, float]) -> list[str]:
        reasons = []
        for name, (smallest, largest) in self.span.items():
            margin = _MARGIN * (largest - smallest)
            if not smallest - margin <= features[name] <= largest + margin:
                reasons.append(
                    f"{in_words(name)} {features[name]:.2f} is outside the reference points' "
                    f"{smallest:.2f} to {largest:.2f}"
                )
        return reasons


def fit(points: Sequence[Point], recipe: str) -> FittedPredictor:
    """Fit our predictor to reference points, for every target.

    Raises
    ------
    ResultError
        If points are of another recipe, or there are fewer than 9 points or 3 candidates.
    """
    strangers = [point for point in points if point.recipe != recipe]
    if strangers:
        raise ResultError(
            f"{strangers[0].candidate} on {strangers[0].data} is of recipe {strangers[0].recipe!r}, "
            f"not {recipe!r}; fit each recipe by itself"
        )
    candidates = len({point.candidate for point in points})
    if len(points) < _FEWEST_POINTS or candidates < _FEWEST_CANDIDATES:
        raise ResultError(
            f"recipe {recipe!r} has {len(points)} reference points of {candidates} candidates but needs "
            f"{_FEWEST_POINTS} of {_FEWEST_CANDIDATES} at least; train more with `vaescreen reference train`"
        )
    samples = {target: Sample.of(points, target) for target in TARGETS}
    fitted = {target: jackknife(PREDICTOR, sample) for target, sample in samples.items()}
    return FittedPredictor(
        recipe=recipe,
        points=tuple(points),
        targets=fitted,
        span={name: _span(points, name) for name in CORE},
    )


def _span(points: Sequence[Point], name: str) -> tuple[float, float]:
    values = [point.features[name] for point in points]
    return min(values), max(values)
