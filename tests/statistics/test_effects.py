import math

import numpy as np
import pingouin
import pytest
from clustered import clustered, names
from scipy import stats
from statsmodels.stats.proportion import proportion_effectsize

from vaescreen.errors import DataError
from vaescreen.statistics import effects
from vaescreen.statistics.clusters import pair
from vaescreen.statistics.effects import (
    cliffs_delta,
    cohens_d,
    cohens_h_of_shares,
    d_z,
    mean_difference,
)

EFFECTS = (mean_difference, cohens_d, cliffs_delta)


def weighted(pairs, weights):
    """The same pairs with each patient as often as drawn."""
    rows = np.concatenate(
        [np.repeat(np.flatnonzero(pairs.patients.owner == p), w) for p, w in enumerate(weights)]
    )
    return pairs.first[rows], pairs.second[rows]


def reference(effect, first, second):
    if effect is mean_difference:
        return first.mean() - second.mean()
    if effect is cohens_d:
        return pingouin.compute_effsize(first, second, eftype="cohen")
    return np.sign(np.subtract.outer(first, second)).mean()


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("gap", [0.0, 3.0])
def test_value_agrees_with_scipy_or_pingouin(effect, gap):
    pairs = clustered(1, gap=gap)
    expected = reference(effect, pairs.first, pairs.second)
    assert effect(pairs).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("effect", EFFECTS)
def test_interval_is_studentised_over_patients(effect):
    """Draw patients one by one, and take each draw's error from leaving out its patients in turn."""
    pairs = clustered(3, patients=15, gap=1.5, most=3)
    n, generator = 15, np.random.default_rng(0)

    def jackknife(weights):
        left = [
            reference(effect, *weighted(pairs, weights - np.eye(n, dtype=int)[p]))
            for p in np.flatnonzero(weights)
        ]
        times = weights[weights > 0]
        return math.sqrt(
            (n - 1) / n * np.average((left - np.average(left, weights=times)) ** 2, weights=times) * n
        )

    value = reference(effect, pairs.first, pairs.second)
    drawn = generator.multinomial(n, np.full(n, 1 / n), size=400)
    t = [(reference(effect, *weighted(pairs, weights)) - value) / jackknife(weights) for weights in drawn]
    error = jackknife(np.ones(n, dtype=int))
    least = stats.t.ppf(0.9, n - 1)
    expected = value - np.array([max(least, np.quantile(t, 0.9)), min(-least, np.quantile(t, 0.1))]) * error
    found = effect(pairs, level=0.8, draws=5000)
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.3 * error)


@pytest.mark.parametrize("name", ["mean", "d", "delta", "h"])
def test_derivatives_by_the_weights_of_patients_are_those_of_the_value(name):
    pairs = clustered(5, patients=7, gap=0.8, most=4)
    if name == "mean":
        statistic = effects.mean_statistic(pairs.differences, pairs.patients)
    elif name == "h":
        shares = (stats.norm.cdf(values - pairs.first.mean()) for values in (pairs.first, pairs.second))
        statistic = effects._h_statistic(pair(*shares, names(pairs)))
    else:
        statistic = {"d": effects._d_statistic, "delta": effects._delta_statistic}[name](pairs)
    weights, step = np.array([1.0, 2.0, 0.0, 1.0, 3.0, 1.0, 1.0]), 1e-6
    moved = np.concatenate([weights + sign * step * np.eye(7) for sign in (1, -1)])
    values, _ = statistic(moved)
    _, derivatives = statistic(weights[None])
    assert derivatives[0] == pytest.approx((values[:7] - values[7:]) / (2 * step), rel=1e-5, abs=1e-8)


def test_cohens_d_of_values_of_which_one_side_does_not_vary():
    first, second = [1.0, 1.0, 1.0, 1.0], [2.0, 3.0, 2.5, 4.0]
    expected = pingouin.compute_effsize(first, second, eftype="cohen")
    assert cohens_d(pair(first, second, list("abcd"))).value == pytest.approx(expected)


def test_d_z_is_of_patient_means():
    pairs = clustered(2)
    means = pairs.patient_differences
    assert d_z(pairs) == pytest.approx(means.mean() / means.std(ddof=1))
    assert d_z(pair([1.1, 2.1, 3.1], [1.0, 2.0, 3.0], list("abc"))) == math.inf
    assert d_z(pair([1.0, 2.0], [1.0, 2.0], list("ab"))) == 0


@pytest.mark.parametrize(("p1", "p2", "pinned"), [(0.129, 0.133, -0.01186), (0.033, 0.034, -0.00556)])
def test_published_hallucination_rates_differ_by_less_than_two_hundredths(p1, p2, pinned):
    found = cohens_h_of_shares(pair([p1] * 3, [p2] * 3, list("abc")))
    assert found.value == pytest.approx(float(proportion_effectsize(p1, p2)), rel=1e-9)
    assert found.value == pytest.approx(pinned, abs=5e-6)


def test_cohens_h_of_shares_is_that_of_mean_shares_with_an_interval():
    generator = np.random.default_rng(0)
    base = np.repeat(generator.beta(4, 26, 30), 3)
    other = np.clip(base + generator.normal(0.02, 0.02, 90), 0, 1)
    pairs = pair(base, other, [f"p{i // 3:02d}" for i in range(90)])
    found = cohens_h_of_shares(pairs)
    assert found.value == pytest.approx(float(proportion_effectsize(base.mean(), other.mean())))
    slope = 1 / math.sqrt(base.mean() * (1 - base.mean()))
    error = stats.sem(pairs.patient_differences) * slope
    assert found.low == pytest.approx(found.value - stats.t.ppf(0.975, 29) * error, abs=0.3 * error)
    assert found.high == pytest.approx(found.value + stats.t.ppf(0.975, 29) * error, abs=0.3 * error)


def test_effects_do_not_depend_on_the_order_of_images():
    pairs = clustered(5)
    order = np.random.default_rng(0).permutation(len(pairs.first))
    shuffled = pair(pairs.first[order], pairs.second[order], [names(pairs)[i] for i in order])
    for effect in EFFECTS:
        a, b = effect(pairs), effect(shuffled)
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


def test_first_and_second_mirror():
    pairs = clustered(6, gap=1.0)
    mirrored = pair(pairs.second, pairs.first, names(pairs))
    for effect in EFFECTS:
        a, b = effect(pairs), effect(mirrored)
        assert (a.value, a.low, a.high) == pytest.approx((-b.value, -b.high, -b.low), rel=1e-6)


def test_candidates_that_do_not_overlap_dominate_wholly():
    pairs = pair(np.arange(10.0) + 50, np.arange(10.0), [f"p{i}" for i in range(10)])
    found = cliffs_delta(pairs)
    assert (found.value, found.low, found.high) == (1, 1, 1)


def test_delta_stays_within_its_range():
    pairs = pair([*np.arange(9.0) + 50, 3.5], np.arange(10.0), [f"p{i}" for i in range(10)])
    found = cliffs_delta(pairs)
    assert -1 <= found.low < found.value < 1
    assert found.high <= 1


def test_what_has_no_effect_size():
    assert math.isnan(cohens_d(pair([2.0, 2.0], [1.0, 1.0], list("ab"))).value)
    shares = pair([0.1, 0.0], [0.1, 0.0], list("ab"))
    assert cohens_h_of_shares(shares).high == 0
    with pytest.raises(DataError, match="shares, not percentages"):
        cohens_h_of_shares(pair([0.5, 1.1], [0.1, 0.2], list("ab")))
    one = pair([0.1, 0.2], [0.2, 0.3], ["p", "p"])
    for effect in (*EFFECTS, d_z, cohens_h_of_shares):
        with pytest.raises(DataError, match="needs at least 2 patients"):
            effect(one)
