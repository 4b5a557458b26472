import numpy as np
import pytest
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import Patients
from vaescreen.statistics.effects import mean_statistic
from vaescreen.statistics.intervals import cluster_interval, studentised_draws

VALUES = np.random.default_rng(1).gamma(1.5, 2.0, 40)
SINGLE = Patients.of([f"p{i:02d}" for i in range(40)])


def test_studentised_interval_by_hand():
    generator, n = np.random.default_rng(0), len(VALUES)
    resampled = VALUES[generator.integers(0, n, (20_000, n))]
    t = (resampled.mean(axis=1) - VALUES.mean()) / (resampled.std(axis=1, ddof=1) / np.sqrt(n))
    error = VALUES.std(ddof=1) / np.sqrt(n)
    least = stats.t.ppf(0.975, n - 1)
    assert np.quantile(t, 0.975) < least < -np.quantile(t, 0.025)
    expected = VALUES.mean() - np.array([least, np.quantile(t, 0.025)]) * error
    found = cluster_interval(mean_statistic(VALUES, SINGLE), n, draws=20_000)
    # The standard error in a draw is that of the mean but for sqrt((n - 1) / n).
    assert (found.low, found.high) == pytest.approx(expected, abs=0.08 * error)


def test_studentised_draws_of_normal_values_follow_t():
    values = stats.norm.ppf((np.arange(30) + 0.5) / 30)
    own = Patients.of([f"p{i:02d}" for i in range(30)])
    t = studentised_draws(mean_statistic(values, own), 30, 20_000, 0)
    assert np.quantile(t, [0.05, 0.95]) == pytest.approx(stats.t.ppf([0.05, 0.95], 29), abs=0.12)


def test_level_draws_and_seed_do_something():
    statistic = mean_statistic(VALUES, SINGLE)
    found = cluster_interval(statistic, 40)
    assert cluster_interval(statistic, 40) == found
    narrow = cluster_interval(statistic, 40, level=0.5)
    assert found.low < narrow.low < narrow.high < found.high
    assert cluster_interval(statistic, 40, seed=1) != found
    assert cluster_interval(statistic, 40, draws=200) != found


def test_equal_values_have_an_interval_without_width_and_one_patient_has_none():
    same = cluster_interval(mean_statistic(np.full(40, 0.3), SINGLE), 40)
    assert (same.value, same.low, same.high) == pytest.approx((0.3, 0.3, 0.3))
    with pytest.raises(DataError, match="at least 2 patients"):
        cluster_interval(mean_statistic(VALUES, Patients.of(["p"] * 40)), 1)


@pytest.mark.parametrize("patients", [3, 5, 7, 8, 12, 30])
def test_no_wider_than_twice_students_t_on_normal_samples(patients: int) -> None:
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=patients)
        names = [f"p{i}" for i in range(patients)]
        found = cluster_interval(mean_statistic(values, Patients.of(names)), patients, draws=500)
        exact = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        ratio = (found.high - found.low) / (exact.high - exact.low)
        assert 1 - 1e-9 <= ratio <= 2
        if patients < 8:
            assert ratio == pytest.approx(1)
