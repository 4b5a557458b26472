import pytest

from vaescreen.predictor.best import probability_of_best
from vaescreen.predictor.fitted import fit
from vaescreen.predictor.forecast import Forecast, predict_all
from vaescreen.predictor.points import TARGETS


@pytest.fixture(scope="module")
def fitted(simulate):
    return fit(simulate(12), "compact")


@pytest.fixture
def cards(simulate, card):
    return [card(point) for point in simulate(5, ("chest",), seed=7)]


@pytest.mark.parametrize("by", TARGETS)
def test_every_card_that_fits_is_predicted_and_compared_with_the_others_that_do(fitted, cards, by):
    cards[2]["protocol"] = "score-2"
    found = predict_all(fitted, cards, by)
    fit = [card for card in cards if card is not cards[2]]
    assert list(found.unfit) == ["ae-02"]
    assert "not score-2" in found.unfit["ae-02"]
    for target in TARGETS:
        expected = {card["candidate"]: fitted.predict(card, target) for card in fit}
        assert found.predictions[target] == expected
    values = fitted.targets[by].model.predict(fitted.columns(fit, by))
    expected = probability_of_best(values, fitted.errors(fit, by)).tolist()
    assert found.p_best == dict(zip(found.predictions[by], expected, strict=True))
    assert found.indistinguishable == fitted.indistinguishable(fit, by)


def test_without_a_predictor_or_a_card_that_fits_nothing_is_said(fitted, cards):
    assert predict_all(None, cards) == Forecast()
    for card in cards:
        card["protocol"] = "score-2"
    found = predict_all(fitted, cards)
    assert len(found.unfit) == 5
    assert (found.p_best, found.indistinguishable) == ({}, None)
    assert not any(found.predictions.values())
