from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.preprocessing import StandardScaler

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import BASE, CORRECTIONS, PREDICTORS
from vaescreen.predictor.ridge import Ridge
from vaescreen.predictor.sample import Sample

FEATURES = ("latent_gap", "log2_channels", "ae_share", "log10_finest_share")


@pytest.fixture
def sample(simulate) -> Sample:
    return Sample.of(simulate(), "sr_psnr")


def standardised(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    features = np.column_stack([sample.columns[name] for name in FEATURES])
    return StandardScaler().fit_transform(features), sample.target - sample.columns[BASE]


def test_predictions_agree_with_scikit_learn_at_the_chosen_penalty(sample):
    model = Ridge(FEATURES, BASE).fit(sample)
    rows, gap = standardised(sample)
    expected = SklearnRidge(alpha=model.penalty).fit(rows, gap).predict(rows) + sample.columns[BASE]
    np.testing.assert_allclose(model.predict(sample.columns), expected, rtol=1e-9)


def test_the_penalty_has_the_least_error_on_candidates_and_data_sets_left_out(sample):
    rows, gap = standardised(sample)
    losses = {}
    for penalty in np.logspace(-1, 3, 25):
        left_out = [
            gap
            - cross_val_predict(SklearnRidge(alpha=penalty), rows, gap, groups=groups, cv=LeaveOneGroupOut())
            for groups in (sample.candidates, sample.data)
        ]
        losses[penalty] = np.mean(np.square(left_out))
    model = Ridge(FEATURES, BASE).fit(sample)
    assert model.penalty == pytest.approx(min(losses, key=losses.get))


def test_a_correction_that_counts_is_found(sample):
    law = 1 + sample.columns[BASE] - 0.4 * sample.columns["log2_channels"]
    noise = np.random.default_rng(0).normal(0, 0.01, len(sample))
    model = PREDICTORS["ours"].fit(replace(sample, target=law + noise))
    slopes = model.slopes
    assert slopes.pop(BASE) == 1
    assert slopes["log2_channels"] == pytest.approx(-0.4, abs=0.1)
    np.testing.assert_allclose(model.predict(sample.columns), law, atol=0.05)


def test_corrections_that_mean_nothing_are_shrunk(sample):
    random = np.random.default_rng(0)
    noise = replace(sample, target=sample.columns[BASE] + random.normal(0, 0.5, len(sample)))
    assert PREDICTORS["ours"].fit(noise).penalty > 30


def test_what_not_all_cards_have_is_left_out(sample):
    model = Ridge((*FEATURES, "no-such-feature"), BASE).fit(sample)
    assert model.form.features == FEATURES
    with pytest.raises(ResultError, match="no no-such-probe in every score card"):
        Ridge(FEATURES, "no-such-probe").fit(sample)


def test_a_feature_that_does_not_vary_has_no_say(sample):
    constant = replace(sample, columns=sample.columns | {"ae_share": np.full(len(sample), 0.1 + 0.2)})
    without = Ridge(tuple(name for name in FEATURES if name != "ae_share"), BASE)
    expected = without.fit(constant).predict(constant.columns)
    np.testing.assert_allclose(Ridge(FEATURES, BASE).fit(constant).predict(constant.columns), expected)


def test_fewer_points_than_features_will_do(simulate):
    few = Sample.of(simulate(4, ("chest",)), "sr_psnr")
    assert len(few) < len(CORRECTIONS)
    assert np.isfinite(PREDICTORS["ours"].fit(few).predict(few.columns)).all()


def test_one_candidate_foresees_no_other(simulate):
    with pytest.raises(ResultError, match="of one candidate"):
        PREDICTORS["ours"].fit(Sample.of(simulate(1), "sr_psnr"))


@pytest.mark.parametrize("name", PREDICTORS)
def test_order_of_the_points_changes_nothing(name, simulate):
    points = simulate()
    sample, turned = Sample.of(points, "sr_psnr"), Sample.of(points[::-1], "sr_psnr")
    model, again = PREDICTORS[name].fit(sample), PREDICTORS[name].fit(turned)
    np.testing.assert_allclose(again.predict(sample.columns), model.predict(sample.columns), rtol=1e-9)
