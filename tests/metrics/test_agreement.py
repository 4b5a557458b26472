import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.metrics.agreement import agreement

# Bland and Altman 1986, Lancet: peak expiratory flow of 17 people by two meters, first measurements, l/min.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_published_example_of_peak_flow_meters():
    found = agreement(MINI, WRIGHT)
    # Published: mean difference -2.1, SD 38.8, limits -79.7 to 75.5 (with 2 SD); interval -22.0 to 17.8.
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert (found.upper - found.lower) / (2 * 1.959964) == pytest.approx(38.8, abs=0.05)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.1)
    assert found.patients == 17


def random_patients(seed: int, patients: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    first = generator.uniform(0.1, 0.9, patients)
    return first, 1.05 * first - 0.02 + 0.01 * generator.standard_normal(patients)


@given(seed=st.integers(0, 999), patients=st.integers(3, 60))
@settings(max_examples=20, deadline=None)
def test_bias_is_that_of_scipy_and_slope_that_of_scipy_and_statsmodels(seed, patients):
    first, second = random_patients(seed, patients)
    found = agreement(first, second)
    test = stats.ttest_rel(second, first).confidence_interval(0.95)
    assert found.bias_interval == pytest.approx((test.low, test.high), abs=1e-9)
    line = stats.linregress((first + second) / 2, second - first)
    assert found.slope == pytest.approx(line.slope, abs=1e-9)
    assert found.slope_p == pytest.approx(line.pvalue, abs=1e-9)
    fit = sm.OLS(second - first, sm.add_constant((first + second) / 2)).fit()
    assert found.slope_interval == pytest.approx(tuple(fit.conf_int()[1]), abs=1e-8)
    assert found.lower < found.bias < found.upper


def test_limits_hold_19_of_20_patients():
    generator = np.random.default_rng(0)
    first = generator.uniform(size=40_000)
    found = agreement(first, first + generator.normal(0.1, 0.02, first.size))
    assert (found.lower, found.upper) == pytest.approx((0.1 - 0.0392, 0.1 + 0.0392), abs=1e-3)


def test_swapping_the_measures_turns_every_sign():
    first, second = random_patients(3, 20)
    forward, back = agreement(first, second), agreement(second, first)
    assert back.bias == pytest.approx(-forward.bias)
    assert (back.lower, back.upper) == pytest.approx((-forward.upper, -forward.lower))
    assert back.slope == pytest.approx(-forward.slope)


def test_a_constant_shift_has_no_width_and_no_slope():
    first = np.linspace(0.25, 0.75, 5)
    found = agreement(first, first + 0.125)
    assert (found.lower, found.bias, found.upper) == pytest.approx((0.125, 0.125, 0.125))
    assert found.slope == pytest.approx(0.0, abs=1e-12)
    assert found.slope_p == 1.0


def test_patients_at_one_level_have_no_slope():
    found = agreement([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    assert math.isnan(found.slope)
    assert math.isnan(found.slope_p)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([0.1, 0.2], [0.1, 0.2], "at least 3 patients"),
        ([0.1, 0.2, 0.3], [0.1, 0.2], "one value of each"),
        ([0.1, 0.2, math.nan], [0.1, 0.2, 0.3], "not finite"),
    ],
)
def test_bad_values_are_refused(first, second, message):
    with pytest.raises(DataError, match=message):
        agreement(first, second)
