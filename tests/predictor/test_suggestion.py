from dataclasses import replace

import numpy as np
import pytest
from kriging import kriging_covariance, standardised

from vaescreen.errors import ResultError
from vaescreen.predictor.features import card_features
from vaescreen.predictor.fitted import fit
from vaescreen.predictor.suggestion import read_cards, suggest


@pytest.fixture(scope="module")
def fitted(simulate):
    return fit(simulate(10), "compact")


@pytest.fixture
def mine(simulate, card):
    points = simulate(6, ("chest",), seed=4)
    return [card(replace(p, candidate=f"new-{i}", data_fingerprint="mine")) for i, p in enumerate(points)]


def test_variances_are_those_of_kriging_with_the_point_added(fitted, mine):
    model = fitted.targets["sr_psnr"].model
    points, cards = [p.features for p in fitted.points], [card_features(card) for card in mine]
    columns, new = (
        {name: np.array([each[name] for each in rows]) for name in model.used} for rows in (points, cards)
    )
    rows = standardised(model.kernel.features, columns, columns)
    wanted = standardised(model.kernel.features, columns, new)
    contrasts = np.eye(len(mine)) - 1 / len(mine)

    def spread(*added):
        covariance = kriging_covariance(wanted, np.vstack([rows, *added]), model.penalty, model.kernel.smooth)
        return np.sqrt(np.trace(contrasts @ covariance @ contrasts) / len(mine))

    suggestions = {each.candidate: each for each in suggest(fitted, mine)}
    for card, row in zip(mine, wanted, strict=True):
        found = suggestions[card["candidate"]]
        assert found.after / found.before == pytest.approx(spread(row) / spread(), rel=1e-7)
        assert 0 < found.narrowing < 100


def test_the_candidate_unlike_all_others_is_worth_the_most(fitted, mine):
    mine[3]["summary"]["psnr"] += 25
    first = suggest(fitted, mine)[0]
    assert (first.candidate, first.data) == (mine[3]["candidate"], mine[3]["data"]["name"])
    assert [each.after for each in suggest(fitted, mine)] == sorted(
        each.after for each in suggest(fitted, mine)
    )


def test_reference_points_and_cards_of_another_definition_are_not_suggested(fitted, mine, simulate, card):
    known = [card(point) for point in simulate(10)]
    mine[0]["view"]["size"] = 256
    found = {each.candidate for each in suggest(fitted, [*known, *mine])}
    assert found == {each["candidate"] for each in mine[1:]}
    with pytest.raises(ResultError, match="vaescreen rank --data DATA --recipe compact"):
        suggest(fitted, known)


def test_cards_are_read_from_a_folder_of_results(results):
    assert len(read_cards(results)) == 6
    assert {card["data"]["name"] for card in read_cards(results, "chest")} == {"chest"}
