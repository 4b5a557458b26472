import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from vaescreen.predictor.intervals import Jackknife
from vaescreen.predictor.model import PREDICTORS, Form, Predictor, Sample


def test_interval_by_the_definition(simulate):
    sample = Sample.of(simulate(10, ("chest",), seed=3), "sr_psnr")
    features = sample.columns["ae_ceiling"][:, None]
    new = np.array([[30.0], [40.0]])
    lower, upper = [], []
    for left in range(10):
        keep = np.arange(10) != left
        model = LinearRegression().fit(features[keep], sample.target[keep])
        error = abs(sample.target[left] - model.predict(features[[left]])[0])
        lower.append(model.predict(new) - error)
        upper.append(model.predict(new) + error)
    # n = 10, alpha = 0.2: floor(0.2 * 11) = the 2nd smallest and ceil(0.8 * 11) = the 9th smallest.
    expected = np.sort(lower, axis=0)[1], np.sort(upper, axis=0)[8]
    jackknife = Jackknife.fit(Predictor((Form(("ae_ceiling",)),)), sample)
    ends = jackknife.interval({"ae_ceiling": new[:, 0]}, 0.8)
    np.testing.assert_allclose(ends, expected, rtol=1e-10)


def test_a_candidate_is_left_out_with_all_its_points(simulate):
    points = simulate(6)
    jackknife = Jackknife.fit(PREDICTORS["conv-probe"], Sample.of(points, "sr_psnr"))
    assert [left.candidate for left in jackknife.held_out] == [f"ae-{index:02}" for index in range(6)]
    for left in jackknife.held_out:
        others = [point for point in points if point.candidate != left.candidate]
        assert left.model == PREDICTORS["conv-probe"].fit(Sample.of(others, "sr_psnr"))
        assert len(left.errors) == 3


@pytest.mark.parametrize("name", ["published", "conv-probe", "ours"])
def test_ninety_per_cent_of_new_candidates_fall_inside(name, simulate):
    inside = []
    for seed in range(40):
        points = simulate(24, seed=seed)
        known, new = points[:42], Sample.of(points[42:], "sr_psnr")
        jackknife = Jackknife.fit(PREDICTORS[name], Sample.of(known, "sr_psnr"))
        low, high = jackknife.interval(new.columns)
        inside.append((low <= new.target) & (new.target <= high))
    assert 0.85 <= np.mean(inside) <= 0.97


def test_level_sets_the_width_and_the_prediction_is_inside(simulate):
    sample = Sample.of(simulate(), "sr_psnr")
    jackknife = Jackknife.fit(PREDICTORS["ours"], sample)
    (low, high), (low_half, high_half) = (jackknife.interval(sample.columns, level) for level in (0.9, 0.5))
    assert (high - low > high_half - low_half).all()
    value = jackknife.model.predict(sample.columns)
    assert ((low_half <= value) & (value <= high_half)).all()


def test_too_few_points_bound_nothing(simulate):
    sample = Sample.of(simulate(8, ("chest",)), "sr_psnr")
    low, high = Jackknife.fit(PREDICTORS["conv-probe"], sample).interval(sample.columns)
    assert np.isneginf(low).all()
    assert np.isposinf(high).all()
