from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from vaescreen.leaderboard.model_card import model_card
from vaescreen.predictor.catalogue import PREDICTORS
from vaescreen.predictor.description import by_effect, coefficients, equation, residuals
from vaescreen.predictor.fitted import fit
from vaescreen.predictor.intervals import Novelty, jackknife
from vaescreen.predictor.sample import Sample


@pytest.fixture(scope="module")
def fitted(simulate):
    return fit(simulate(12), "nano")


def test_the_interval_of_an_intercept_is_that_of_the_mean_over_candidates(fitted):
    """With the probe as offset the intercept is a mean, and candidates of equal size are its independent units."""
    target = jackknife(PREDICTORS["conv-probe-gap"], Sample.of(fitted.points, "sr_psnr"))
    fixed, intercept = coefficients(replace(fitted, targets=fitted.targets | {"sr_psnr": target}))
    assert (fixed.name, fixed.value, fixed.low, fixed.high) == ("conv_probe_psnr", 1.0, None, None)
    gaps = [p.targets["sr_psnr"] - p.features["conv_probe_psnr"] for p in fitted.points]
    names = [p.candidate for p in fitted.points]
    means = [
        np.mean([g for g, n in zip(gaps, names, strict=True) if n == name]) for name in sorted(set(names))
    ]
    low, high = stats.t.interval(0.9, len(means) - 1, np.mean(means), stats.sem(means))
    assert (intercept.value, intercept.low, intercept.high) == pytest.approx((np.mean(gaps), low, high))


def test_residuals_are_the_held_out_errors_worst_first(fitted):
    rows = residuals(fitted)
    assert sorted(row.candidate for row in rows) == [f"ae-{index:02}" for index in range(12)]
    assert [abs(row.worst) for row in rows] == sorted((abs(row.worst) for row in rows), reverse=True)
    held_out = {left.group: left for left in fitted.targets["sr_psnr"].held_out[Novelty.CANDIDATE]}
    for row in rows:
        assert tuple(row.by_data.values()) == held_out[row.candidate].errors
        assert row.mean == pytest.approx(np.mean(held_out[row.candidate].errors))


def test_features_are_ordered_by_how_far_they_move_the_predictions(fitted):
    slopes = fitted.targets["sr_psnr"].model.slopes
    spread = [
        abs(slopes[name]) * np.std([point.features[name] for point in fitted.points])
        for name in by_effect(fitted)
    ]
    assert len(spread) == len(slopes)
    assert spread == sorted(spread, reverse=True)


def test_the_equation_predicts(fitted):
    terms = equation(fitted).replace("+", " +").replace("-", " -").split()
    point, total, sign = fitted.points[0], 0.0, 1.0
    for place, term in enumerate(terms):
        try:
            sign = float(term)
        except ValueError:
            total += sign * point.features[term]
            continue
        if place + 1 == len(terms) or terms[place + 1][0] in "+-":
            total += sign
    columns = {name: np.array([value]) for name, value in point.features.items()}
    assert total == pytest.approx(fitted.targets["sr_psnr"].model.predict(columns).item(), abs=0.05)


def test_the_model_card_says_what_it_rests_on_and_how_good_it_is(fitted):
    card = model_card(fitted)
    assert card.startswith("# Predictor of recipe nano\n")
    assert "36 reference points, 108 trainings" in card
    assert "3 data sets: brain, chest, natural" in card
    for phrase in (
        "leave-one-data-set-out",
        "published",
        "## Limits",
        equation(fitted, "posterior_mean_psnr"),
    ):
        assert phrase in card
