import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaescreen.predictor.best import indistinguishable, probability_of_best

ERRORS = np.random.default_rng(0).normal(0, 0.3, 41)


def test_agrees_with_drawing_at_random():
    predicted = np.array([25.0, 24.9, 24.6, 23.0])
    random = np.random.default_rng(1)
    drawn = predicted + random.choice(ERRORS, (400_000, 4))
    drawn += random.uniform(0, 1e-9, drawn.shape)
    expected = np.bincount(drawn.argmax(axis=1), minlength=4) / len(drawn)
    np.testing.assert_allclose(probability_of_best(predicted, ERRORS), expected, atol=0.004)


def test_equal_predictions_are_equally_likely():
    np.testing.assert_allclose(probability_of_best(np.full(5, 20.0), ERRORS), 0.2)


def test_a_lead_beyond_all_errors_is_certain():
    np.testing.assert_allclose(probability_of_best(np.array([30.0, 20.0]), ERRORS), [1, 0])


def test_two_by_hand():
    # b reaches a only where its error is +0.5 and that of a is -0.5: 1 of 4, and a tie counts half.
    probability = probability_of_best(np.array([25.0, 24.0]), np.array([-0.5, 0.5]))
    np.testing.assert_allclose(probability, [0.875, 0.125])


@given(st.lists(st.floats(15, 35), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_probabilities_sum_to_one_and_follow_the_order_of_the_predictions(values, random):
    predicted = np.array(values)
    probability = probability_of_best(predicted, ERRORS)
    assert probability.sum() == pytest.approx(1)
    order = np.argsort(predicted)
    assert (np.diff(probability[order]) >= -1e-12).all()
    turned = list(range(len(values)))
    random.shuffle(turned)
    np.testing.assert_allclose(probability_of_best(predicted[turned], ERRORS), probability[turned])


def test_differences_within_the_errors_are_not_told_apart():
    errors = np.array([-0.3, 0.1, 0.2])
    assert indistinguishable(errors, 0.5) == pytest.approx(0.4)
    assert indistinguishable(errors, 0.75) == pytest.approx(0.45)
