import math

import numpy as np
import pingouin
import pytest
from clustered import clustered, names
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.clusters import pair
from vaescreen.statistics.paired import rank_biserial, t_test, wilcoxon_images, wilcoxon_patients


def patient_means(pairs):
    table = {}
    for name, a, b in zip(names(pairs), pairs.first, pairs.second, strict=True):
        table.setdefault(name, []).append((a, b))
    return np.array([np.mean(rows, axis=0) for _, rows in sorted(table.items())]).T


@pytest.mark.parametrize("seed", range(3))
def test_t_test_is_that_of_patient_means(seed):
    pairs = clustered(seed)
    first, second = patient_means(pairs)
    expected = pingouin.ttest(first, second, paired=True)
    found = t_test(pairs)
    assert found.n == len(first) == 12
    assert found.statistic == pytest.approx(stats.ttest_rel(first, second).statistic, rel=1e-9)
    assert found.p == pytest.approx(float(expected["p_val"].iloc[0]), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_wilcoxon_is_of_patients_or_of_images_as_named(seed):
    pairs = clustered(seed)
    first, second = patient_means(pairs)
    expected = stats.wilcoxon(first, second)
    found = wilcoxon_patients(pairs)
    assert (found.statistic, found.n) == (expected.statistic, 12)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)
    by_image = stats.wilcoxon(pairs.first, pairs.second)
    found = wilcoxon_images(pairs)
    assert (found.statistic, found.n) == (by_image.statistic, len(pairs.first))
    assert found.p == pytest.approx(by_image.pvalue, rel=1e-12)


def test_rank_biserial_agrees_with_pingouin():
    pairs = clustered(4, gap=0.1)
    first, second = patient_means(pairs)
    expected = float(pingouin.wilcoxon(first, second)["RBC"].iloc[0])
    assert rank_biserial(pairs) == pytest.approx(expected, abs=1e-12)
    assert 0 < abs(expected) < 1


def test_differences_that_differ_in_rounding_alone_are_ties():
    base = np.array([30.1, 31.7, 29.3, 28.9, 33.3, 30.7])
    pairs = pair(base + 0.7, base, list("abcdef"))
    assert np.ptp(pairs.differences) > 0
    assert t_test(pairs).statistic == math.inf
    assert t_test(pairs).p == 0
    assert wilcoxon_patients(pairs).p == pytest.approx(stats.wilcoxon([0.7] * 6).pvalue)


def test_equal_candidates_do_not_differ():
    pairs = pair([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], list("abc"))
    assert (t_test(pairs).statistic, t_test(pairs).p) == (0, 1)
    assert wilcoxon_patients(pairs).p == wilcoxon_images(pairs).p == 1
    assert rank_biserial(pairs) == 0


def test_one_patient_is_too_few_however_many_the_images():
    pairs = pair(np.arange(9.0), np.zeros(9), ["p"] * 9)
    for test, name in ((t_test, "paired t test"), (wilcoxon_patients, "Wilcoxon.s test")):
        with pytest.raises(DataError, match=f"{name} needs at least 2 patients and has 1"):
            test(pairs)
