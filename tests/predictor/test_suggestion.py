from dataclasses import replace

import numpy as np
import pytest

from vaescreen.errors import ResultError
from vaescreen.predictor.features import card_features
from vaescreen.predictor.fitted import fit
from vaescreen.predictor.suggestion import read_cards, suggest


@pytest.fixture(scope="module")
def fitted(simulate):
    return fit(simulate(10), "nano")


@pytest.fixture
def mine(simulate, card):
    points = simulate(6, ("chest",), seed=4)
    return [card(replace(p, candidate=f"new-{i}", data_fingerprint="mine")) for i, p in enumerate(points)]


def test_variances_are_those_of_the_design_with_the_point_added(fitted, mine):
    model = fitted.targets["sr_psnr"].model
    names = model.form.features
    points = np.array([[p.features[name] for name in names] for p in fitted.points])
    new = np.array([[card_features(c)[name] for name in names] for c in mine])
    mean, sd = points.mean(axis=0), points.std(axis=0)
    sd[sd < 1e-9] = 1  # a feature that all points share
    design, rows = (np.column_stack([np.ones(len(x)), (x - mean) / sd]) for x in (points, new))
    wanted = rows - rows.mean(axis=0)

    def spread(*added):
        trained = np.vstack([design, *added])
        covariance = np.linalg.inv(np.diag([0.0] + [model.penalty] * len(names)) + trained.T @ trained)
        return np.sqrt(np.mean([row @ covariance @ row for row in wanted]))

    suggestions = {each.candidate: each for each in suggest(fitted, mine)}
    for card, row in zip(mine, rows, strict=True):
        found = suggestions[card["candidate"]]
        assert found.after / found.before == pytest.approx(spread(row) / spread(), rel=1e-9)
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
    with pytest.raises(ResultError, match="vaescreen rank --data DATA --recipe nano"):
        suggest(fitted, known)


def test_cards_are_read_from_a_folder_of_results(results):
    assert len(read_cards(results)) == 6
    assert {card["data"]["name"] for card in read_cards(results, "chest")} == {"chest"}
