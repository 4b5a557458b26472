from dataclasses import replace

import numpy as np
import pytest
from kriging import kriging, kriging_covariance, standardised, trend
from sklearn.linear_model import Ridge

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import BASES, CORRECTIONS, PREDICTOR, PREDICTORS
from vaescreen.predictor.kernel import KernelRidge
from vaescreen.predictor.sample import Sample

FEATURES = ("latent_gap", "log2_channels", "ae_share", "log2_factor")
BASE = BASES["sr_psnr"]
OURS = KernelRidge(FEATURES, BASES)


@pytest.fixture
def sample(simulate) -> Sample:
    return Sample.of(simulate(), "sr_psnr")


@pytest.fixture
def others(simulate) -> Sample:
    return Sample.of(simulate(7, seed=3), "sr_psnr")


@pytest.mark.parametrize("smooth", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("along", [(), ("spread_psnr",), ("spread_psnr", "latent_gap")])
def test_predictions_and_their_variance_are_those_of_universal_kriging(sample, others, along, smooth):
    model = replace(OURS, trends={"sr_psnr": along}, smooth=smooth).fit(sample)
    rows, new = (standardised(FEATURES, sample.columns, each.columns) for each in (sample, others))
    line = trend(sample.columns, along)
    gap = sample.target - sample.columns[BASE]
    for known, each in ((rows, sample), (new, others)):
        there = trend(each.columns, along)
        expected = each.columns[BASE] + kriging(known, rows, gap, model.penalty, smooth, there, line)
        np.testing.assert_allclose(model.predict(each.columns), expected, rtol=1e-9)
        covariance = kriging_covariance(known, rows, model.penalty, smooth, there, line)
        np.testing.assert_allclose(model.covariance(each.columns), covariance, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(model.spread(each.columns), np.sqrt(1 + np.diag(covariance)), rtol=1e-7)


def test_the_penalty_has_the_least_error_on_candidates_and_data_sets_left_out(sample):
    rows = standardised(FEATURES, sample.columns, sample.columns)
    gap = sample.target - sample.columns[BASE]
    losses = {}
    for penalty in np.logspace(-3, 1.5, 19):
        left_out = []
        for groups in (sample.candidates, sample.data):
            predicted = np.empty(len(gap))
            for group in np.unique(groups):
                out = groups == group
                predicted[out] = kriging(rows[out], rows[~out], gap[~out], penalty, OURS.smooth)
            left_out.append(gap - predicted)
        losses[penalty] = np.mean(np.square(left_out))
    assert OURS.fit(sample).penalty == pytest.approx(min(losses, key=losses.get))


def test_usual_leverage_is_that_of_points_left_out(sample):
    model = OURS.fit(sample)
    rows = standardised(FEATURES, sample.columns, sample.columns)
    left_out = [
        kriging_covariance(rows[[place]], np.delete(rows, place, axis=0), model.penalty, OURS.smooth).item()
        for place in range(len(rows))
    ]
    assert model.usual_leverage == pytest.approx(np.mean(left_out), rel=1e-7)


def test_slopes_are_those_of_its_predictions(sample, others):
    model, step = OURS.fit(sample), 1e-5
    for name, slopes in model.slopes(others.columns).items():
        ends = [
            model.predict(others.columns | {name: others.columns[name] + side * step}) for side in (-1, 1)
        ]
        np.testing.assert_allclose(slopes, (ends[1] - ends[0]) / (2 * step), rtol=1e-5, atol=1e-7)


def test_without_a_linear_part_offset_and_trend_speak_alone_far_from_all_points(sample):
    model = replace(OURS, trends={"sr_psnr": ("spread_psnr",)}, smooth=1.0).fit(sample)
    far = {name: np.full(2, 1e3) for name in sample.columns} | {"spread_psnr": np.array([0.0, 1.0])}
    intercept, slope = model.trend
    np.testing.assert_allclose(model.predict(far), 1e3 + intercept + np.array([0, slope]), rtol=1e-9)
    assert model.slopes(far)["spread_psnr"] == pytest.approx(slope)


def test_without_a_smooth_part_it_is_ridge_regression(sample, others):
    model = replace(OURS, smooth=0.0).fit(sample)
    rows, new = (standardised(FEATURES, sample.columns, each.columns) for each in (sample, others))
    ridge = Ridge(alpha=len(FEATURES) * model.penalty).fit(rows, sample.target - sample.columns[BASE])
    expected = others.columns[BASE] + ridge.predict(new)
    np.testing.assert_allclose(model.predict(others.columns), expected, rtol=1e-9)


def test_a_trend_bears_no_penalty(sample):
    law = 1 + sample.columns[BASE] - 5 * sample.columns["spread_psnr"]
    model = replace(OURS, trends={"sr_psnr": ("spread_psnr",)}).fit(replace(sample, target=law))
    np.testing.assert_allclose(model.trend, [1, -5], rtol=1e-6)


def test_a_law_that_is_no_straight_line_is_found(sample):
    gap = sample.columns["latent_gap"]
    bent = replace(sample, target=sample.columns[BASE] + 0.3 * (gap - gap.mean()) ** 2)
    line = Ridge(alpha=1e-9).fit(gap[:, None], bent.target - bent.columns[BASE])
    straight = np.abs(bent.target - bent.columns[BASE] - line.predict(gap[:, None])).mean()
    assert np.abs(OURS.fit(bent).predict(bent.columns) - bent.target).mean() < 0.2 * straight


def test_a_correction_that_counts_is_found(sample):
    law = 1 + sample.columns[BASE] - 0.4 * sample.columns["log2_channels"]
    noise = np.random.default_rng(0).normal(0, 0.01, len(sample))
    model = PREDICTOR.fit(replace(sample, target=law + noise))
    assert model.slopes(sample.columns)["log2_channels"].mean() == pytest.approx(-0.4, abs=0.1)
    np.testing.assert_allclose(model.predict(sample.columns), law, atol=0.1)


def test_corrections_that_mean_nothing_are_shrunk(sample):
    random = np.random.default_rng(0)
    noise = replace(sample, target=sample.columns[BASE] + random.normal(0, 0.5, len(sample)))
    assert PREDICTOR.fit(noise).penalty > 3


def test_what_not_all_cards_have_is_left_out(sample):
    model = KernelRidge((*FEATURES, "no-such-feature"), BASES).fit(sample)
    assert model.kernel.features == FEATURES
    with pytest.raises(ResultError, match="no no-such-probe in every score card"):
        KernelRidge(FEATURES, {"sr_psnr": "no-such-probe"}).fit(sample)


def test_a_feature_that_does_not_vary_has_no_say(sample):
    constant = replace(sample, columns=sample.columns | {"ae_share": np.full(len(sample), 0.1 + 0.2)})
    without = KernelRidge(tuple(name for name in FEATURES if name != "ae_share"), BASES)
    expected = without.fit(constant).predict(constant.columns)
    np.testing.assert_allclose(OURS.fit(constant).predict(constant.columns), expected)


def test_fewer_points_than_features_will_do(simulate):
    few = Sample.of(simulate(4, ("chest",)), "sr_psnr")
    assert len(few) < len(CORRECTIONS)
    assert np.isfinite(PREDICTOR.fit(few).predict(few.columns)).all()


def test_one_candidate_foresees_no_other(simulate):
    with pytest.raises(ResultError, match="of one candidate"):
        PREDICTOR.fit(Sample.of(simulate(1), "sr_psnr"))


@pytest.mark.parametrize("name", PREDICTORS)
def test_order_of_the_points_changes_nothing(name, simulate):
    points = simulate()
    sample, turned = Sample.of(points, "sr_psnr"), Sample.of(points[::-1], "sr_psnr")
    model, again = PREDICTORS[name].fit(sample), PREDICTORS[name].fit(turned)
    np.testing.assert_allclose(again.predict(sample.columns), model.predict(sample.columns), rtol=1e-9)
