import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import r2_score

from vaescreen.predictor.scores import explained, regret_by_data, tau_by_data

DATA = ["a", "a", "a", "b", "b", "b", "c"]
TARGET = np.array([20.0, 22.0, 24.0, 30.0, 33.0, 31.0, 25.0])
PREDICTED = np.array([21.0, 23.0, 22.0, 30.0, 32.0, 31.0, 25.0])


def test_explained_by_hand_and_by_scikit_learn():
    # Errors 1, 1, 2, 0, 1, 0, 0: squares 7. Mean 185 / 7, squares about it 5035 - 185^2 / 7.
    assert explained(TARGET, PREDICTED) == pytest.approx(1 - 7 / (5035 - 185**2 / 7), rel=1e-12)
    assert explained(TARGET, PREDICTED) == pytest.approx(r2_score(TARGET, PREDICTED), rel=1e-12)


def test_explained_is_not_a_number_without_variation():
    assert np.isnan(explained(np.ones(3), np.ones(3)))


def test_tau_by_hand_within_each_data_set():
    # In a, 2 of 3 pairs agree and 1 does not: (2 - 1) / 3. A set of one point has no order.
    assert tau_by_data(TARGET, PREDICTED, DATA) == pytest.approx({"a": 1 / 3, "b": 1.0})


def test_tau_agrees_with_scipy_with_ties():
    random = np.random.default_rng(0)
    target, predicted = random.integers(0, 9, 40).astype(float), random.integers(0, 9, 40).astype(float)
    expected = stats.kendalltau(target, predicted, variant="b").statistic
    assert tau_by_data(target, predicted, ["a"] * 40)["a"] == pytest.approx(expected, abs=1e-12)


def test_regret_by_hand():
    # In a the second is predicted best but the third is, by 2 dB; in b the prediction is right.
    assert regret_by_data(TARGET, PREDICTED, DATA) == {"a": 2.0, "b": 0.0}


def test_a_constant_prediction_orders_nothing_and_costs_what_chance_costs():
    constant = np.zeros(3)
    assert tau_by_data(TARGET[:3], constant, DATA[:3]) == {"a": 0.0}
    assert regret_by_data(TARGET[:3], constant, DATA[:3]) == {"a": 2.0}  # 24 less the mean 22
