import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from vaescreen.errors import DataError
from vaescreen.statistics.power import (
    detectable_difference,
    patients_for_difference,
    patients_for_equivalence,
    power_of_difference,
    power_of_equivalence,
)


@pytest.mark.parametrize("patients", [2, 10, 200])
@pytest.mark.parametrize("difference", [0.0, 0.1, -0.2])
def test_power_agrees_with_statsmodels(patients, difference):
    expected = TTestPower().power(abs(difference) / 0.4, patients, 0.05)
    assert power_of_difference(0.4, difference, patients) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("difference", "power", "alpha"), [(0.1, 0.8, 0.05), (0.3, 0.9, 0.01), (2.0, 0.8, 0.05)]
)
def test_patients_are_the_fewest_that_reach_the_power(difference, power, alpha):
    n = patients_for_difference(0.4, difference, power, alpha)
    assert power_of_difference(0.4, difference, n, alpha) >= power
    assert n == 2 or power_of_difference(0.4, difference, n - 1, alpha) < power
    exact = TTestPower().solve_power(difference / 0.4, power=power, alpha=alpha)
    assert n == max(2, int(np.ceil(exact)))


@pytest.mark.parametrize("patients", [2, 3, 6])
def test_few_patients_show_differences_of_many_sds(patients):
    difference = detectable_difference(0.4, patients)
    assert difference > 0.4
    assert power_of_difference(0.4, difference, patients) == pytest.approx(0.8, abs=1e-9)


def test_detectable_difference_is_the_inverse():
    difference = detectable_difference(0.4, 35)
    assert power_of_difference(0.4, difference, 35) == pytest.approx(0.8, abs=1e-9)
    assert difference == pytest.approx(
        0.4 * TTestPower().solve_power(nobs=35, power=0.8, alpha=0.05), rel=1e-4
    )
    assert detectable_difference(0.4, 35, power=0.9) > difference
    assert detectable_difference(0.4, 35, alpha=0.01) > difference


@pytest.mark.parametrize(
    ("patients", "margin", "difference"), [(5, 0.5, 0.0), (20, 0.15, 0.0), (20, 0.15, 0.05), (60, 0.1, -0.02)]
)
def test_power_of_equivalence_agrees_with_simulation(patients, margin, difference):
    values = np.random.default_rng(0).normal(difference, 0.2, (60_000, patients))
    mean = values.mean(axis=1)
    reach = stats.t.ppf(0.95, patients - 1) * values.std(axis=1, ddof=1) / np.sqrt(patients)
    expected = ((mean - reach > -margin) & (mean + reach < margin)).mean()
    found = power_of_equivalence(0.2, margin, patients, difference)
    assert found == pytest.approx(expected, abs=4 * np.sqrt(max(expected * (1 - expected), 1e-4) / 60_000))


def test_power_of_equivalence_of_many_patients_is_that_of_known_variance():
    error = 0.2 / np.sqrt(2000)
    expected = 2 * stats.norm.cdf(0.01 / error - stats.norm.ppf(0.95)) - 1
    assert power_of_equivalence(0.2, 0.01, 2000) == pytest.approx(expected, abs=2e-3)


def test_patients_for_equivalence_are_the_fewest():
    n = patients_for_equivalence(0.2, 0.15)
    assert power_of_equivalence(0.2, 0.15, n) >= 0.8 > power_of_equivalence(0.2, 0.15, n - 1)
    assert patients_for_equivalence(0.2, 0.15, difference=0.05) > n
    assert patients_for_equivalence(0.2, 0.15, power=0.95) > n
    assert patients_for_equivalence(0.2, 0.15, alpha=0.01) > n


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: patients_for_difference(0.4, 0.0), "difference of 0"),
        (lambda: patients_for_difference(0.4, 1e-9), "more than 10000000 patients"),
        (lambda: patients_for_difference(0.0, 0.1), "SD of 0.0"),
        (lambda: patients_for_difference(0.4, 0.1, power=1.0), "power"),
        (lambda: patients_for_equivalence(0.2, 0.15, difference=0.15), "not inside the margin"),
        (lambda: power_of_equivalence(0.2, 0.0, 9), "leaves no room"),
        (lambda: power_of_difference(0.4, 0.1, 1), "at least 2"),
        (lambda: power_of_difference(0.4, 0.1, 9, alpha=0.7), "between 0 and 0.5"),
    ],
)
def test_questions_without_an_answer_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
