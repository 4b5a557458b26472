from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from vaescreen.predictor.catalogue import CORRECTIONS, PREDICTOR
from vaescreen.predictor.description import average_slopes, by_effect, equation, residuals
from vaescreen.predictor.files import load, shipped_path
from vaescreen.predictor.fitted import fit
from vaescreen.predictor.intervals import Novelty
from vaescreen.predictor.sample import Sample
from vaescreen.reports.leaderboard.model_card import model_card


@pytest.fixture(scope="module")
def fitted(simulate):
    return fit(simulate(12), "compact")


def test_average_slopes_and_their_jackknife_over_candidates(fitted):
    """By finite differences of predictions, the models refitted by hand without each candidate."""
    sample = Sample.of(fitted.points, "sr_psnr")
    names = np.unique(sample.candidates)
    models = [PREDICTOR.fit(sample.take(sample.candidates != name)) for name in names]
    rows = average_slopes(fitted)
    assert {row.name for row in rows} == {name for name in CORRECTIONS if name in sample.columns}

    def mean_slope(model, name):
        moved = sample.columns | {name: sample.columns[name] + 1e-4}
        return (model.predict(moved) - model.predict(sample.columns)).mean() / 1e-4

    for row in rows[:3]:
        left_out = [mean_slope(model, row.name) for model in models]
        half = stats.t.ppf(0.95, len(names) - 1) * np.sqrt((len(names) - 1) * np.var(left_out))
        value = mean_slope(fitted.targets["sr_psnr"].model, row.name)
        assert (row.value, row.high - row.value, row.value - row.low) == pytest.approx(
            (value, half, half), rel=1e-3
        )


def test_residuals_are_the_held_out_errors_worst_first(fitted):
    rows = residuals(fitted)
    assert sorted(row.candidate for row in rows) == [f"ae-{index:02}" for index in range(12)]
    assert [abs(row.worst) for row in rows] == sorted((abs(row.worst) for row in rows), reverse=True)
    held_out = {left.group: left for left in fitted.targets["sr_psnr"].held_out[Novelty.CANDIDATE]}
    for row in rows:
        assert list(row.by_data.values()) == held_out[row.candidate].errors.tolist()
        assert row.mean == pytest.approx(np.mean(held_out[row.candidate].errors))


def test_features_are_ordered_by_how_far_they_move_the_predictions(simulate):
    def steep(point):
        sr = point.features["conv_probe_psnr"] - point.features["log2_channels"]
        return replace(point, targets=dict.fromkeys(point.targets, sr))

    fitted = fit([steep(point) for point in simulate(12)], "compact")
    order = by_effect(fitted)
    assert order[0] == "log2_channels"
    assert set(order) == set(fitted.targets["sr_psnr"].model.kernel.features)


def test_the_equation_of_detail_has_the_slope_of_its_trend():
    shipped = load(shipped_path("compact"))
    model = shipped.targets["detail"].model
    assert len(model.kernel.trend) == 1
    assert f" {model.trend[1]:+.3f} x " in equation(shipped, "detail")


def test_the_equation_names_probe_and_level(fitted):
    model = fitted.targets["sr_psnr"].model
    assert (
        equation(fitted)
        == f"sample foreseen by the probes {model.trend[0]:+.3f} + f({len(model.kernel.features)} features)"
    )


def test_the_model_card_says_what_it_rests_on_and_how_good_it_is(fitted):
    card = model_card(fitted)
    assert card.startswith("# Predictor of recipe compact\n")
    assert "36 reference points, 108 trainings" in card
    assert "3 data sets: brain, chest, natural" in card
    for phrase in (
        "leave-one-data-set-out",
        "published",
        "## Limits",
        equation(fitted, "posterior_mean_psnr"),
    ):
        assert phrase in card
