import numpy as np
import pingouin
import pytest
from clustered import clustered, names
from scipy import stats

from vaescreen.errors import DataError
from vaescreen.statistics.equivalence import equivalence


def normal_scores(n, mean, sd):
    """Values without skew, so that Student's t and its bootstrap agree."""
    scores = stats.norm.ppf((np.arange(n) + 0.5) / n)
    return mean + sd * scores / scores.std(ddof=1)


@pytest.mark.parametrize(("mean", "margin"), [(0.02, 0.15), (-0.05, 0.15), (0.2, 0.15)])
def test_p_is_near_that_of_pingouin_and_never_below(mean, margin):
    differences = normal_scores(40, mean, 0.4)
    expected = float(pingouin.tost(differences, 0, bound=margin)["pval"].iloc[0])
    found = equivalence(differences, [f"p{i}" for i in range(40)], margin)
    assert expected <= found.p + 1e-12
    assert found.p == pytest.approx(expected, abs=0.015)
    assert found.difference == pytest.approx(mean)


@pytest.mark.parametrize("sign", [1, -1])
def test_interval_is_inside_the_margin_exactly_when_equivalent(sign):
    skewed = np.random.default_rng(1).gamma(0.5, 1.0, 30)
    differences, patients = sign * (skewed - 0.95 * skewed.mean()), [f"p{i}" for i in range(30)]
    wide = equivalence(differences, patients, 9.0)
    half_width = max(-wide.low, wide.high)
    for factor, shown in ((1.001, True), (0.999, False)):
        found = equivalence(differences, patients, half_width * factor)
        assert found.equivalent is shown
        assert (found.p <= 0.05) is shown


def test_ends_reach_at_least_as_far_as_those_of_t():
    pairs = clustered(2, patients=20)
    found = equivalence(pairs.differences, names(pairs), 1.0)
    means = pairs.patient_differences
    low, high = stats.t.interval(0.9, 19, means.mean(), stats.sem(means))
    assert low - 0.1 < found.low <= low + 1e-12
    assert high - 1e-12 <= found.high < high + 0.1
    assert found.patients == 20


def test_skewed_differences_widen_the_side_of_the_tail():
    skewed = np.random.default_rng(0).gamma(1.0, 1.0, 40)
    found = equivalence(skewed, [f"p{i}" for i in range(40)], 5.0)
    reach = stats.t.ppf(0.95, 39) * stats.sem(skewed)
    assert found.high - found.difference > 1.05 * reach
    assert found.difference - found.low == pytest.approx(reach, rel=1e-9)


def test_images_of_a_patient_do_not_count_as_patients():
    differences = normal_scores(8, 0.0, 0.2)
    once = equivalence(differences, [f"p{i}" for i in range(8)], 0.15)
    often = equivalence(np.repeat(differences, 50), [f"p{i // 50}" for i in range(400)], 0.15)
    assert often.p == pytest.approx(once.p)
    assert often.patients == 8


def test_alpha_draws_and_seed_do_something():
    pairs = clustered(3, patients=25)
    patients = names(pairs)
    found = equivalence(pairs.differences, patients, 0.6)
    assert equivalence(pairs.differences, patients, 0.6) == found
    assert equivalence(pairs.differences, patients, 0.6, alpha=0.01).high > found.high
    skewed = np.random.default_rng(0).gamma(1.0, 1.0, 25)
    owners = [f"p{i}" for i in range(25)]
    ends = {equivalence(skewed, owners, 5.0, **options).high for options in ({}, {"seed": 1}, {"draws": 300})}
    assert len(ends) == 3


def test_edge_cases():
    assert equivalence([0.1] * 5, list("abcde"), 0.15).equivalent
    assert equivalence([0.15] * 5, list("abcde"), 0.15).p == 1
    with pytest.raises(DataError, match="leaves no room"):
        equivalence([0.1, 0.2], list("ab"), 0.0)
    with pytest.raises(DataError, match="needs at least 2 patients"):
        equivalence([0.1, 0.2], ["a", "a"], 0.15)
    with pytest.raises(DataError, match="value nan of image 1"):
        equivalence([0.1, np.nan], ["a", "b"], 0.15)
