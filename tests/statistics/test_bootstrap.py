import itertools

import numpy as np
import pytest
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.bootstrap import interval, patient_bootstrap

PATIENTS = ("b", "a", "b", "c", "d", "b", "a")


@pytest.fixture
def scores() -> np.ndarray:
    return np.random.default_rng(7).normal(30, 2, (len(PATIENTS), 3))


def mean_over(drawn: tuple[str, ...], values: np.ndarray) -> tuple[float, ...]:
    """Gather the images of the drawn patients one by one and average them, for each candidate."""
    rows = [values[i] for patient in drawn for i, owner in enumerate(PATIENTS) if owner == patient]
    return tuple(np.mean(rows, axis=0))


def test_distribution_is_that_of_all_resamples_of_patients(scores):
    every = np.array([mean_over(drawn, scores) for drawn in itertools.product("abcd", repeat=4)])
    means = patient_bootstrap(scores, PATIENTS, draws=20_000)
    values, counts = np.unique(np.round(every[:, 0], 9), return_counts=True)
    expected = counts / counts.sum()
    drawn = (np.round(means[:, :1], 9) == values).mean(axis=0)
    monte_carlo_error = np.sqrt(expected * (1 - expected) / len(means))
    assert (np.abs(drawn - expected) < 4 * monte_carlo_error).all()
    np.testing.assert_allclose(means.mean(axis=0), every.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(means.std(axis=0), every.std(axis=0), rtol=0.03)


def test_every_draw_is_the_mean_of_one_resample_shared_by_all_candidates(scores):
    possible = {tuple(np.round(mean_over(drawn, scores), 9)) for drawn in itertools.product("abcd", repeat=4)}
    means = patient_bootstrap(scores, PATIENTS, draws=300)
    assert means.shape == (300, 3)
    assert {tuple(row) for row in np.round(means, 9)} <= possible


def test_one_image_a_patient_agrees_with_scipy():
    values = np.random.default_rng(1).gamma(4.0, 2.0, (60, 2))
    low, high = interval(patient_bootstrap(values, [f"p{i}" for i in range(60)], draws=20_000, seed=3), 0.9)
    for column in range(2):
        expected = stats.bootstrap(
            (values[:, column],),
            np.mean,
            n_resamples=20_000,
            confidence_level=0.9,
            method="percentile",
            rng=np.random.default_rng(5),
        )
        # An end of the interval has a Monte-Carlo error of about 0.015 of its standard error.
        tolerance = 0.06 * expected.standard_error
        assert low[column] == pytest.approx(expected.confidence_interval.low, abs=tolerance)
        assert high[column] == pytest.approx(expected.confidence_interval.high, abs=tolerance)


def test_images_that_agree_within_a_patient_widen_the_interval():
    by_patient = np.random.default_rng(2).normal(30, 2, 20)
    values = np.repeat(by_patient, 9)[:, None]
    clustered = interval(patient_bootstrap(values, [f"p{i // 9}" for i in range(180)]))
    independent = interval(patient_bootstrap(values, [f"p{i}" for i in range(180)]))
    ratio = (clustered.high - clustered.low) / (independent.high - independent.low)
    # Nine equal images of a patient are one: the interval is sqrt(9) times as wide.
    assert ratio.item() == pytest.approx(3, rel=0.1)


def test_order_of_images_and_other_candidates_change_nothing(scores):
    means = patient_bootstrap(scores, PATIENTS)
    order = [3, 6, 0, 5, 2, 1, 4]
    shuffled = patient_bootstrap(scores[order], [PATIENTS[i] for i in order])
    np.testing.assert_allclose(shuffled, means, rtol=1e-12)
    np.testing.assert_allclose(patient_bootstrap(scores[:, 1:2], PATIENTS), means[:, 1:2], rtol=1e-12)


def test_seed_and_draws_do_something(scores):
    means = patient_bootstrap(scores, PATIENTS, draws=50, seed=1)
    assert means.shape == (50, 3)
    np.testing.assert_array_equal(patient_bootstrap(scores, PATIENTS, draws=50, seed=1), means)
    assert not np.array_equal(patient_bootstrap(scores, PATIENTS, draws=50, seed=2), means)


def test_interval_is_of_percentiles():
    draws = np.arange(1001.0)[:, None] * [1.0, -2.0]
    low, high = interval(draws, 0.9)
    assert low.tolist() == pytest.approx([50.0, -1900.0])
    assert high.tolist() == pytest.approx([950.0, -100.0])
    low, high = interval(draws)
    assert (low[0], high[0]) == pytest.approx((25.0, 975.0))


def test_a_single_patient_gives_an_interval_without_width(scores):
    low, high = interval(patient_bootstrap(scores, ["p"] * len(scores)))
    np.testing.assert_allclose(low, scores.mean(axis=0))
    np.testing.assert_allclose(high, scores.mean(axis=0))


def test_values_without_a_finite_mean_are_refused_by_place(scores):
    scores[2, 1] = np.inf
    with pytest.raises(DataError, match="image 2, candidate 1"):
        patient_bootstrap(scores, PATIENTS)


def test_patients_that_do_not_match_the_images_are_refused(scores):
    with pytest.raises(DataError, match="one patient for each"):
        patient_bootstrap(scores, PATIENTS[:-1])
    with pytest.raises(DataError, match="at least one image"):
        patient_bootstrap(scores[:0], [])
