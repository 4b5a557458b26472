import math

import numpy as np
import pingouin
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.correlation import fisher_interval, kendall, pearson

# arXiv 2604.12152, version 1: PSNR in dB of two autoencoders on three data sets, and of SR built on them.
AE_CEILING = (23.92, 31.39, 32.02, 27.85, 37.87, 36.93)
SR_PSNR = (22.34, 23.51, 25.58, 25.26, 26.42, 28.87)


def test_published_correlation_of_autoencoder_and_sr_quality():
    found = pearson(AE_CEILING, SR_PSNR)
    assert found.value == pytest.approx(0.8156, abs=5e-5)
    assert found.r_squared == pytest.approx(0.6652, abs=5e-5)
    assert found.p == pytest.approx(0.048, abs=5e-4)
    assert found.n == 6


def test_published_fisher_interval_of_fifteen_points():
    low, high = fisher_interval(0.83, 15)
    assert (low, high) == (pytest.approx(0.55, abs=5e-3), pytest.approx(0.94, abs=5e-3))


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_pearson_agrees_with_scipy_and_pingouin(level):
    x, y = np.random.default_rng(1).normal(size=(2, 20))
    found, expected = pearson(x, y, level), stats.pearsonr(x, y)
    assert (found.value, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(level)))
    assert (found.low, found.high) == pytest.approx(
        tuple(pingouin.compute_esci(found.value, 20, 20, confidence=level, eftype="r", decimals=9)), abs=1e-8
    )


def test_kendall_counts_ties_by_hand():
    x, y = (1, 2, 2, 3), (1, 1, 2, 3)
    # Pairs: 4 in order, none against it, (2, 2) tied in x, (1, 1) tied in y: tau-b = 4 / sqrt(5 * 5).
    found = kendall(x, y)
    assert found.value == pytest.approx(4 / 5)
    assert found.p == pytest.approx(stats.kendalltau(x, y).pvalue)
    assert math.isnan(found.low)


@given(r=st.floats(-0.999, 0.999), n=st.integers(4, 1000))
def test_interval_holds_its_correlation_and_mirrors(r, n):
    low, high = fisher_interval(r, n)
    assert -1 <= low <= r + 1e-12
    assert r - 1e-12 <= high <= 1
    assert fisher_interval(-r, n) == pytest.approx((-high, -low))


def test_what_cannot_be_correlated():
    assert math.isnan(pearson([1, 1, 1], [1, 2, 3]).value)
    assert math.isnan(kendall([1, 2, 3], [2, 2, 2]).value)
    assert all(map(math.isnan, fisher_interval(0.5, 3)))
    assert fisher_interval(1.0, 9) == (1, 1)
    with pytest.raises(DataError, match="three points or more"):
        pearson([1, 2], [1, 2])
    with pytest.raises(DataError, match="not finite"):
        kendall([1, 2, math.nan], [1, 2, 3])
    with pytest.raises(DataError, match="outside -1 to 1"):
        fisher_interval(1.2, 9)
